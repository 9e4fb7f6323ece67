"""The report of a training as one self-contained HTML page: no script, no network access, no other file."""

import html
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final

from ...models.files import atomic_write
from ...models.types import U8
from ..terminal.images import image_url
from .plots import Line, plot
from .request import REPORT_NAME
from .scoring import KINDS, Figures

_SMOOTH: Final = 0.05  # fraction of the steps that a smoothed loss is the mean of
_COLUMNS: Final = ("labels", "before", "after")


def page(card: Mapping[str, Any], log: Sequence[Mapping[str, Any]], shown: Sequence[Sequence[U8]]) -> str:
    """The page's text.

    Args:
        card: of the network.
        log: rows of ``log.jsonl``.
        shown: for each of some images (H, W, 3) uint8 BGR drawings of its labels, and of what the networks
            before and after the training find.
    """
    files = resources.files("sepcam.app.train") / "report_page"
    text = (files / "page.html").read_text(encoding="utf-8")
    figures = card["figures"]
    for place, content in (
        ("/*STYLE*/", (files / "page.css").read_text(encoding="utf-8")),
        ("<!--VERDICT-->", _verdict(card["kept_parts"])),
        ("<!--FIGURES-->", _figures(figures)),
        ("<!--LOSS-->", _loss(log)),
        ("<!--PRECISION-->", _precision(log)),
        ("<!--EXAMPLES-->", "".join(map(_row, shown))),
        ("<!--CARD-->", html.escape(json.dumps(card, indent=1, ensure_ascii=False))),
    ):
        text = text.replace(place, content)
    return text


def write(folder: Path, text: str) -> None:
    """Writes the page, whole or not at all.

    Raises:
        SepcamError: If it cannot be written.
    """
    with atomic_write(folder / REPORT_NAME, overwrite=True) as path:
        path.write_text(text, encoding="utf-8")


def _verdict(kept: Sequence[str]) -> str:
    if not kept:
        return "Not kept: on images that it was not trained on it measures no better than what it began as."
    parts = "" if set(kept) == set(KINDS) else f", of the trained heads those for {' and '.join(kept)}"
    return f"Kept{parts}: it measures better on images that it was not trained on."


def _figures(figures: Mapping[str, Figures]) -> str:
    titles = {"before": "before", "all_trained": "all trained", "after": "kept"}
    rows = [["", *titles.values()]]
    for kind in figures["before"]:
        values = [figures[key].get(kind) for key in titles]
        rows.append([KINDS[kind], *("" if value is None else f"{100 * value:.1f}" for value in values)])
    cells = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


def _loss(log: Sequence[Mapping[str, Any]]) -> str:
    steps = [row for row in log if "loss" in row]
    names = sorted({name for row in steps for name in row} - {"step", "loss"})
    lines = [_smoothed("loss", steps), *(_smoothed(name, steps) for name in names)]
    return plot([line for line in lines if line.points], "step", "loss and its parts, smoothed")


def _smoothed(name: str, rows: Sequence[Mapping[str, Any]]) -> Line:
    width = max(round(_SMOOTH * len(rows)), 1)
    points: list[tuple[float, float]] = []
    values: list[float] = []
    for row in rows:
        if name in row:
            values = [*values, float(row[name])][-width:]
            points.append((float(row["step"]), sum(values) / len(values)))
    return Line(name, tuple(points))


def _precision(log: Sequence[Mapping[str, Any]]) -> str:
    looks = [row for row in log if "figures" in row and not row["parts"]]
    lines = [
        Line(
            title,
            tuple(
                (float(row["step"]), 100 * row["figures"][kind]) for row in looks if kind in row["figures"]
            ),
            dots=True,
        )
        for kind, title in KINDS.items()
    ]
    return plot([line for line in lines if line.points], "step", "average precision in percent")


def _row(images: Sequence[U8]) -> str:
    cells = "".join(
        f'<figure><img alt="{title}" src="{image_url(image)}"><figcaption>{title}</figcaption></figure>'
        for title, image in zip(_COLUMNS, images, strict=True)
    )
    return f'<div class="row">{cells}</div>'
