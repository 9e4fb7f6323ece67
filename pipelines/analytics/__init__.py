"""Lines and zones, who crosses and enters them, events and statistics of a run."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .events import Event, ZoneCount
    from .watch import Watch
    from .zone_file import read_zones
    from .zones import Zone, parse_zone

__all__ = ["Event", "Watch", "Zone", "ZoneCount", "parse_zone", "read_zones"]

__getattr__ = lazy_exports(
    __name__,
    {
        "Event": "events",
        "Watch": "watch",
        "Zone": "zones",
        "ZoneCount": "events",
        "parse_zone": "zones",
        "read_zones": "zone_file",
    },
)
