"""The end of a live session's stages: view, recordings and status."""

from collections.abc import Callable

from ..analytics.events import Event, Watch
from ..analytics.zones import Count, Marks
from ..types import FrameResult


class LiveWatch:
    """Tells of people who come, go, and cross lines and zones.

    Args:
        marks: lines and zones.
        on_event: hears of each event.
    """

    def __init__(self, marks: Marks, on_event: Callable[[Event], None]) -> None:
        self._marks, self._on_event = marks, on_event
        self._watch = Watch()
        self._ended = False
        self.counts: tuple[Count, ...] = tuple(marks.counts())

    def update(self, result: FrameResult) -> None:
        """Looks at a frame; one that comes after the end is nobody's any more."""
        if self._ended:
            return
        frame = result.frame
        crossings = self._marks.update(result.instances, frame.time_s)
        for event in self._watch.update(frame.index, frame.time_s, result.instances, crossings):
            self._on_event(event)
        self.counts = tuple(self._marks.counts())

    def end(self) -> None:
        """Everyone leaves."""
        self._ended = True
        for event in self._watch.end():
            self._on_event(event)
