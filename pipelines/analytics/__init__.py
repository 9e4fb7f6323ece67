"""Lines and zones, who crosses and enters them, events and statistics of a run."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .watch import Watch
    from .zone_file import read_zones
    from .zones import Zone, parse_zone

__all__ = ["Watch", "Zone", "parse_zone", "read_zones"]

__getattr__ = lazy_exports(
    __name__,
    {
        "Watch": "watch",
        "Zone": "zones",
        "parse_zone": "zones",
        "read_zones": "zone_file",
    },
)
