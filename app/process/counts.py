"""What was counted, in the terminal and as a page."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...models.files import atomic_write
from ...pipelines.batch.state.journal import Entry
from ...pipelines.statistics import Statistics
from ...pipelines.summary.page import FileSummary, page
from ...pipelines.summary.plots import clock
from ..terminal import console
from ..terminal.words import counted

if TYPE_CHECKING:
    from rich.table import Table

PAGE: Final = "summary.html"
"""The page of a job, in its output folder."""

_WIDE: Final = 24  # characters of a name


def people_text(people: int, statistics: Statistics | None) -> str:
    """``5 people`` of identities, or in one image; without tracking, ``at most 5 people at once``."""
    text = counted(people, "person", "people")
    known = statistics is None or statistics.tracked or not statistics.seconds
    return text if known else f"at most {text} at once"


def show_counts(files: Sequence[tuple[str, Statistics]]) -> None:
    """Prints what was counted at the lines and in the zones of each file, and in all, in 80 columns."""
    several = len(files) > 1
    files = [(name if len(name) <= _WIDE else f"...{name[3 - _WIDE :]}", found) for name, found in files]
    lines = _added(_line_rows(files, several=several), 2 + several)
    if lines:
        console.show(_table((*["file"] * several, "line", "class", "in", "out"), lines, 2 + several))
    zones = list(_zone_rows(files, several=several))
    if zones:
        names = (*["file"] * several, "zone", "class", "different", "visits", "mean", "longest")
        console.show(_table(names, zones, 2 + several))
    counted = [one for _, one in files if one.per_minute is not None]
    if any(one.lines or one.zones for one in counted):
        people, seconds = sum(one.people for one in counted), sum(one.seconds for one in counted)
        console.say(f"{people_text(people, None)} in {clock(seconds)}: {60 * people / seconds:.1f} a minute")


def write_summary(out: Path, entries: Sequence[Entry]) -> Path:
    """Writes the page of a job.

    Raises:
        SepcamError: If it cannot be written.
    """
    files = [
        FileSummary(entry.input.title, entry.frames, entry.statistics)
        for entry in entries
        if entry.statistics is not None
    ]
    path = out / PAGE
    with atomic_write(path, overwrite=True) as hidden:
        hidden.write_text(page("What was counted", files), encoding="utf-8")
    return path


def _line_rows(files: Sequence[tuple[str, Statistics]], *, several: bool) -> Iterable[list[str | int]]:
    for name, found in files:
        for line in found.lines:
            for label, (inwards, outwards) in (line.classes or {"": (0, 0)}).items():
                yield [*[name] * several, line.name, label, inwards, outwards]


def _added(rows: Iterable[list[str | int]], words: int) -> list[list[str | int]]:
    """The rows, and, where a file is named, their sums by line and class."""
    listed = list(rows)
    if words < 3:
        return listed
    sums: dict[tuple[str | int, ...], list[int]] = {}
    for row in listed:
        counts = sums.setdefault(tuple(row[1:words]), [0, 0])
        counts[:] = [count + int(value) for count, value in zip(counts, row[words:], strict=True)]
    crossed = {key[0] for key in sums if key[-1]}  # a line that nobody crossed in a file has no class there
    return listed + [
        ["all", *key, *counts] for key, counts in sums.items() if key[-1] or key[0] not in crossed
    ]


def _zone_rows(files: Sequence[tuple[str, Statistics]], *, several: bool) -> Iterable[list[str | int]]:
    for name, found in files:
        for zone in found.zones:
            classes = ", ".join(zone.classes)
            times = [clock(zone.mean_s), clock(zone.longest_s)]
            yield [*[name] * several, zone.name, classes, zone.identities, zone.visits, *times]


def _table(names: Sequence[str], rows: Sequence[Sequence[str | int]], words: int) -> "Table":
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, header_style="bold", pad_edge=False)
    for number, name in enumerate(names):
        if number < words:
            made.add_column(name, max_width=_WIDE, overflow="ellipsis", no_wrap=True)
        else:
            made.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        made.add_row(*(Text(str(value)) for value in row))
    return made
