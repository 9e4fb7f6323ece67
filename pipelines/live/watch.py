"""Events and counts of a live session."""

import threading
from collections.abc import Callable

from ..analytics.events import Event, EventDetector
from ..analytics.zones import ZoneCount, ZoneCounter
from ..types import FrameResult


class LiveWatch:
    """Reports people who come, go, and cross lines and zones. Any thread may use it.

    Args:
        zones: lines and zones.
        on_event: called with each event, by one thread at a time.
    """

    def __init__(self, zones: ZoneCounter, on_event: Callable[[Event], None]) -> None:
        self._zones, self._on_event = zones, on_event
        self._events = EventDetector()
        self._lock = threading.Lock()
        self._ended = False
        self.counts: tuple[ZoneCount, ...] = tuple(zones.counts())

    def update(self, result: FrameResult) -> None:
        """Looks at a frame; one that comes after the end is discarded."""
        with self._lock:
            if self._ended:
                return
            frame = result.frame
            crossings = self._zones.update(result.instances, frame.time_s)
            for event in self._events.update(frame.index, frame.time_s, result.instances, crossings):
                self._on_event(event)
            self.counts = tuple(self._zones.counts())

    def end(self) -> None:
        """Everyone leaves; once."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
            for event in self._events.end():
                self._on_event(event)
