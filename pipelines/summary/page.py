"""The page of what was counted in one file or in all files of a job."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources

from ..files.text import as_unicode
from ..statistics import LineStatistics, Statistics, ZoneStatistics
from .plots import clock, histogram, over_time, steps

_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
    'content="width=device-width"><meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'\"><title>{title}</title>"
    "<style>{style}</style></head><body><h1>{title}</h1>"
)


@dataclass(frozen=True, slots=True)
class FileSummary:
    """A file and what was counted in it.

    Attributes:
        name: of the file, as people may see it.
        frames: frames that were analyzed.
        statistics: what was counted.
    """

    name: str
    frames: int
    statistics: Statistics


def page(title: str, files: Sequence[FileSummary]) -> str:
    """The page as HTML, which loads nothing from elsewhere.

    Args:
        title: of the page.
        files: in order.
    """
    style = (resources.files("sepcam.pipelines.summary") / "page.css").read_text(encoding="utf-8")
    parts = [_HEAD.format(title=escape(title), style=style), _overview(files)]
    parts += [_file(one) for one in files]
    # Bytes of file names that are not UTF-8 are not valid in HTML either.
    return as_unicode("".join(parts) + "</body></html>\n")


def _overview(files: Sequence[FileSummary]) -> str:
    rows = [_overview_row(one.name, one.frames, one.statistics) for one in files]
    if len(files) > 1:
        rows.append(_total_row(files))
    return _table(("file", "frames", "length", "people", "at once", "people a minute"), rows)


def _overview_row(name: str, frames: int, found: Statistics) -> list[str]:
    rate = "" if found.per_minute is None else f"{found.per_minute:.1f}"
    people = str(found.people) if found.tracked else f"at most {found.people} at once"
    return [name, str(frames), clock(found.seconds), people, str(found.at_once), rate]


def _total_row(files: Sequence[FileSummary]) -> list[str]:
    tracked = [one.statistics for one in files if one.statistics.tracked]
    people, seconds = sum(one.people for one in tracked), sum(one.seconds for one in tracked)
    most = max((one.statistics.at_once for one in files), default=0)
    rate = f"{60 * people / seconds:.1f}" if seconds else ""
    frames, length = sum(one.frames for one in files), sum(one.statistics.seconds for one in files)
    return ["all", str(frames), clock(length), str(people), str(most), rate]


def _file(one: FileSummary) -> str:
    found = one.statistics
    parts = [f"<section><h2>{escape(one.name)}</h2><h3>People in the frame</h3>"]
    parts.append(over_time(found.timeline, found.step_s, "most people in the frame over time"))
    if set(found.classes) - {"person"}:
        counted = "different ones" if found.tracked else "most at once"
        parts.append(_table(("class", counted), [[name, str(n)] for name, n in found.classes.items()]))
    if found.lines:
        parts.append("<h3>Lines</h3>" + lines_table(found.lines))
        parts += [_line_plot(line, found.seconds) for line in found.lines]
    if found.zones:
        parts.append("<h3>Zones</h3>" + zones_table(found.zones))
        for zone in found.zones:
            parts.append(f"<h4>{escape(zone.name)}: seconds of visits</h4>")
            parts.append(histogram(zone.visit_s, f"visits of {zone.name} by their seconds"))
    return "".join(parts) + "</section>"


def _line_plot(line: LineStatistics, seconds: float) -> str:
    both = (("in", line.crossed_in), ("out", line.crossed_out))
    legend = " ".join(f'<span class="c{i}">{name}</span>' for i, (name, _) in enumerate(both))
    plot = steps(both, seconds, f"crossings of {line.name} over time")
    return f"<h4>{escape(line.name)}: {legend}</h4>{plot}"


def lines_table(lines: Sequence[LineStatistics]) -> str:
    """Crossings by line and class."""
    rows = [
        [line.name, label, str(inwards), str(outwards)]
        for line in lines
        for label, (inwards, outwards) in (line.classes or {"": (0, 0)}).items()
    ]
    return _table(("line", "class", "in", "out"), rows, words=2)


def zones_table(zones: Sequence[ZoneStatistics]) -> str:
    """Visits by zone."""
    rows = [
        [zone.name, ", ".join(zone.classes), str(zone.identities), str(zone.visits)]
        + [clock(seconds) for seconds in (zone.mean_s, zone.longest_s, zone.total_s)]
        for zone in zones
    ]
    return _table(("zone", "class", "different", "visits", "mean", "longest", "all"), rows, words=2)


def _table(names: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1) -> str:
    """A table whose first columns are words, and the others numbers."""
    kinds = ['class="word"' if i < words else "" for i in range(len(names))]
    head = "".join(f"<th {kind}>{escape(name)}</th>" for kind, name in zip(kinds, names, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td {kind}>{escape(v)}</td>" for kind, v in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
