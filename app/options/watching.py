"""The options of counting people, which process, live and serve share."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import shared

if TYPE_CHECKING:
    from ...pipelines.analytics.options import WatchOptions
    from ...pipelines.analytics.zones import Zone, ZoneKind

LineOption = Annotated[
    list[str] | None,
    typer.Option(
        "--line",
        metavar="[NAME:]x1,y1,x2,y2",
        help="Count who crosses this line, as fractions of the frame (0 to 1) or in pixels; may be repeated.",
        rich_help_panel=shared.COUNTING,
    ),
]
ZoneOption = Annotated[
    list[str] | None,
    typer.Option(
        "--zone",
        metavar="[NAME:]x1,y1,...",
        help="Count who is in this polygon, and for how long; may be repeated.",
        rich_help_panel=shared.COUNTING,
    ),
]
ZonesOption = Annotated[
    Path | None,
    typer.Option(
        "--zones",
        metavar="FILE.json",
        help="Lines and zones from a file; --line and --zone take one too.",
        rich_help_panel=shared.COUNTING,
    ),
]


@dataclass(frozen=True, slots=True)
class WatchArguments:
    """What was typed."""

    line: LineOption = None
    zone: ZoneOption = None
    zones: ZonesOption = None

    def options(self) -> "WatchOptions":
        """What it means; checked before anything heavy is imported.

        Raises:
            SepcamError: If a line or zone is not valid, or a file cannot be read.
        """
        from ...pipelines.analytics.options import WatchOptions
        from ...pipelines.analytics.zone_file import read_zones

        listed = [] if self.zones is None else list(read_zones(self.zones))
        listed += _typed(self.line or (), "line")
        listed += _typed(self.zone or (), "zone")
        return WatchOptions(tuple(listed), self.zones)


def _typed(texts: Sequence[str], kind: "ZoneKind") -> "list[Zone]":
    from ...pipelines.analytics.zone_file import read_zones
    from ...pipelines.analytics.zones import parse_zone

    found: list[Zone] = []
    for number, text in enumerate(texts, 1):
        if text.strip().lower().endswith(".json"):
            found += read_zones(Path(text.strip()))
        else:
            found.append(parse_zone(text, kind, number))
    return found
