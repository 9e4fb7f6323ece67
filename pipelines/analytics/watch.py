"""Watches the people of a run: who comes, goes, crosses lines and is in zones."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..events import Event, ZoneCount
from ..types import FrameResult
from .counters import LineCounter, ZoneCounter
from .places import Places, places_of
from .zones import Zone, check_names

GONE_S: Final = 2.0
"""Seconds without a sighting after which somebody has left; the tracker keeps lost tracks for as long."""


@dataclass(slots=True)
class _Presence:
    label: str
    since_s: float
    last_s: float
    last_frame: int


class Watch:
    """Adds events and counts to the results of a run, in the order of its frames. Any thread may use it."""

    def __init__(self, zones: Sequence[Zone], size: tuple[int, int]) -> None:
        """Begin to watch.

        Args:
            zones: lines and zones, if any.
            size: (width, height) of the frames in pixels.

        Raises:
            SepcamError: If one lies outside the frame.
        """
        self._size = size
        self._counters = {zone: self._counter(zone) for zone in zones}
        self._present: dict[int, _Presence] = {}
        self._left: list[Event] = []  # of a cut, for the next frame
        self._lock = threading.Lock()
        self._ended = False
        self.counts: tuple[ZoneCount, ...] = self._counts()

    def update(self, result: FrameResult) -> FrameResult:
        """A result with what happened in its frame; one that comes after the end stays as it is."""
        with self._lock:
            if self._ended:
                return result
            index, time_s = result.frame.index, result.frame.time_s
            places = places_of(result.instances, result.model.keypoint_names)
            events, self._left = self._left, []
            events += self._come(places, index, time_s)
            for counter in self._counters.values():
                events += counter.update(places, index, time_s)
            events += self._leave(time_s - GONE_S)
            self.counts = self._counts()
            return replace(result, events=tuple(events), counts=self.counts)

    @property
    def zones(self) -> tuple[Zone, ...]:
        """The lines and zones that are watched."""
        return tuple(self._counters)

    def change(self, zones: Sequence[Zone]) -> None:
        """Watches other lines and zones from the next frame on; the counts of those that stay continue.

        Raises:
            SepcamError: If one lies outside the frame, or two have the same name; nothing changes then.
        """
        check_names(zones)
        added = {zone: self._counter(zone) for zone in zones}
        with self._lock:
            before = self._counters
            self._counters = {zone: before.get(zone, counter) for zone, counter in added.items()}
            for zone, counter in self._counters.items():
                counter.zone = zone  # which may have another color
            for zone in before.keys() - added.keys():
                self._left += before[zone].end()
            self.counts = self._counts()

    def cut(self) -> None:
        """Everybody leaves, in the next frame: identities mean other people from there on. Counts stay."""
        with self._lock:
            self._everybody_leaves()

    def end(self) -> tuple[Event, ...]:
        """The run is over: everybody leaves; nothing the second time."""
        with self._lock:
            self._everybody_leaves()
            self._ended = True
            events, self._left = tuple(self._left), []
            return events

    def _everybody_leaves(self) -> None:
        self._left += [event for counter in self._counters.values() for event in counter.end()]
        self._left += self._leave(float("inf"))

    def _counts(self) -> tuple[ZoneCount, ...]:
        return tuple(counter.count() for counter in self._counters.values())

    def _counter(self, zone: Zone) -> LineCounter | ZoneCounter:
        return (LineCounter if zone.is_line else ZoneCounter)(zone, self._size)

    def _come(self, places: Places, frame: int, time_s: float) -> list[Event]:
        events = []
        for number, label in zip(places.ids.tolist(), places.labels, strict=True):
            known = self._present.get(number)
            if known is None:
                events.append(Event("enter", time_s, frame, number, label))
                self._present[number] = _Presence(label, time_s, time_s, frame)
            else:
                known.last_s, known.last_frame = time_s, frame
        return events

    def _leave(self, before_s: float) -> list[Event]:
        gone = [number for number, presence in self._present.items() if presence.last_s < before_s]
        events = []
        for number in gone:
            one = self._present.pop(number)
            stayed = one.last_s - one.since_s
            events.append(Event("leave", one.last_s, one.last_frame, number, one.label, seconds=stayed))
        return events
