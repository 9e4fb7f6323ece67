"""Counting people at lines and zones, and events: enter, leave, cross."""

from .events import Event, EventDetector, EventKind
from .zones import Crossing, Zone, ZoneCount, ZoneCounter, parse_zone

__all__ = [
    "Crossing",
    "Event",
    "EventDetector",
    "EventKind",
    "Zone",
    "ZoneCount",
    "ZoneCounter",
    "parse_zone",
]
