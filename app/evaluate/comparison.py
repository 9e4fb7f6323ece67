"""``sepcam evaluate compare``: how far two evaluations of the same images are apart."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...models.errors import SepcamError
from ...pipelines.evaluation.curves import Difference, compare
from ...pipelines.evaluation.matches import Matches
from ...pipelines.files.text import read_text
from ..terminal import console
from .matches_file import read_matches
from .setups import SETUP_FIELDS, title_of

if TYPE_CHECKING:
    from rich.table import Table

_NAME = "evaluation.json"


def compare_runs(first: Path, second: Path | None) -> None:
    """Compares the setups of two evaluations and prints a table for each pair.

    Setups of the same name are compared, or the only ones of both; without a second evaluation, every setup
    of the first with its first one.

    Raises:
        SepcamError: If one cannot be read, they have no setups in common, or are of other images.
    """
    ours = _rows(first)
    if second is None:
        if len(ours) < 2:
            raise SepcamError(f"{first} has one setup only: name a second evaluation, or evaluate several")
        pairs = [(ours[0], row) for row in ours[1:]]
        folders = first, first
    else:
        theirs = _rows(second)
        by_title = {title_of(row): row for row in theirs}
        pairs = [(row, by_title[title_of(row)]) for row in ours if title_of(row) in by_title]
        if not pairs and len(ours) == len(theirs) == 1:
            pairs = [(ours[0], theirs[0])]
        if not pairs:
            raise SepcamError(f"{first} and {second} have no setup in common: evaluate the same ones")
        folders = first, second
    for one, other in pairs:
        _compare(folders, one, other)


def _compare(folders: tuple[Path, Path], one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    matches = [
        read_matches(_folder(path) / row["matches"]) for path, row in zip(folders, (one, other), strict=True)
    ]
    thresholds = float(one["conf"]), float(other["conf"])
    differences = {
        kind: compare(*_same_images(matches[0][kind], matches[1][kind], folders), thresholds)
        for kind in matches[0]
        if kind in matches[1]
    }
    console.say(f"{title_of(one)} ({folders[0]}) -> {title_of(other)} ({folders[1]})")
    console.show(comparison_table(differences))


def comparison_table(differences: Mapping[str, Mapping[str, Difference]]) -> "Table":
    """The figures of both runs in percent, their difference in points and its interval, by kind of result.

    What cannot be compared, such as the precision of no results, has dashes.
    """
    from rich.table import Table

    made = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("of", "figure"):
        made.add_column(name)
    for name in ("first", "second", "difference", "95 % interval"):
        made.add_column(name, justify="right")
    made.add_column("")
    for kind, figures in differences.items():
        for name, one in figures.items():
            interval, verdict = "-", "cannot be compared"
            if not math.isnan(one.low):
                interval = f"{_points(one.low)} to {_points(one.high)}"
                verdict = ("better" if one.low > 0 else "worse") if one.clear else "no clear difference"
            shown = _percent(one.first), _percent(one.second), _points(one.second - one.first)
            made.add_row(kind, name, *shown, interval, verdict)
    return made


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.1f}"


def _points(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:+.1f}"


def _same_images(
    one: Mapping[str, Matches], other: Mapping[str, Matches], folders: tuple[Path, Path]
) -> tuple[list[Matches], list[Matches]]:
    """The matches of both, image by image.

    Raises:
        SepcamError: If they are of other images or other ground truth.
    """
    if one.keys() != other.keys() or any(one[name].objects != other[name].objects for name in one):
        raise SepcamError(
            f"{folders[0]} and {folders[1]} are evaluations of other images or annotations: evaluate the same"
        )
    return list(one.values()), [other[name] for name in one]


def _rows(path: Path) -> list[dict[str, Any]]:
    file = _folder(path) / _NAME
    try:
        rows = json.loads(read_text(file))["rows"]
        if all({*SETUP_FIELDS, "detect_every", "matches", "conf"} <= row.keys() for row in rows):
            return rows
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise SepcamError(f"{file} is not an evaluation that can be compared: evaluate again with this version")


def _folder(path: Path) -> Path:
    return path.parent if path.name == _NAME else path
