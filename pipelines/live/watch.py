"""The end of a live session's stages: view, recordings and status."""

from collections.abc import Callable

from ..analytics.events import Event, EventDetector
from ..analytics.zones import ZoneCount, ZoneCounter
from ..types import FrameResult


class LiveWatch:
    """Tells of people who come, go, and cross lines and zones.

    Args:
        zones: lines and zones.
        on_event: hears of each event.
    """

    def __init__(self, zones: ZoneCounter, on_event: Callable[[Event], None]) -> None:
        self._zones, self._on_event = zones, on_event
        self._watch = EventDetector()
        self._ended = False
        self.counts: tuple[ZoneCount, ...] = tuple(zones.counts())

    def update(self, result: FrameResult) -> None:
        """Looks at a frame; one that comes after the end is nobody's any more."""
        if self._ended:
            return
        frame = result.frame
        crossings = self._zones.update(result.instances, frame.time_s)
        for event in self._watch.update(frame.index, frame.time_s, result.instances, crossings):
            self._on_event(event)
        self.counts = tuple(self._zones.counts())

    def end(self) -> None:
        """Everyone leaves."""
        self._ended = True
        for event in self._watch.end():
            self._on_event(event)
