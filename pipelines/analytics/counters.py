"""Who crosses a line, and who is in a zone."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from ...models.types import F32
from ..events import Event, ZoneCount
from .places import Places
from .zones import Zone

MISSING_S: Final = 1.0
"""Seconds for which somebody in a zone may be missed before they count as having left."""

SLACK: Final = 0.02
"""How far beyond a line or outside of a zone feet count as there, of the height of the person."""


HOLD_S: Final = 0.25
"""Seconds for which somebody has to stay beyond a line."""

FORGET_S: Final = 60.0
"""Seconds for which the side of somebody who is not seen is remembered."""


@dataclass(slots=True)
class _Other:
    """Since when somebody is on the other side, and whether they came between the line's ends."""

    since_s: float
    frame: int
    cut: bool


@dataclass(slots=True)
class _Side:
    """The side that somebody is on, the last place there, when they were seen last, and their other side."""

    left: bool
    place: F32
    seen_s: float
    other: _Other | None = None


class LineCounter:
    """Counts who crosses a line between its two ends.

    The path of the feet from the last place on one side to the first on the other has to cut the line, and
    the feet have to stay there for ``HOLD_S``; the crossing is dated to the first frame. A side counts from a
    few pixels beyond the line (``SLACK``), so that somebody who stands on it is not counted again and again,
    and is remembered until the identity was not seen for ``FORGET_S``.

    supervision's LineZone forgets a side after two frames without a detection, and counts the ends' extension
    across the whole frame; see EXPERIMENTS.md for the comparison.

    Attributes:
        zone: the line; may be replaced by one that differs in its color alone.
    """

    zone: Zone

    def __init__(self, zone: Zone, size: tuple[int, int]) -> None:
        """Start counting.

        Args:
            zone: a line.
            size: (width, height) of the frames in pixels.

        Raises:
            SepcamError: If it lies outside the frame.
        """
        self.zone = zone
        self._points = zone.pixels(size)
        self._start, self._end = (np.array(point, np.float64) for point in self._points)
        self._sides: dict[int, _Side] = {}
        self._counts: dict[str, list[int]] = {}

    def update(self, places: Places, frame: int, time_s: float) -> list[Event]:
        """Who crosses it in a frame."""
        along = self._end - self._start
        away = places.feet - self._start
        self._forget(places, time_s)
        # In images y points down: left of the line, seen from its start, is where this is negative.
        beyond = (along[0] * away[:, 1] - along[1] * away[:, 0]) / np.hypot(*along)
        events = []
        for row in np.flatnonzero(np.abs(beyond) > SLACK * places.heights).tolist():
            number, label, place = int(places.ids[row]), places.labels[row], places.feet[row]
            left = bool(beyond[row] < 0)
            side = self._sides.setdefault(number, _Side(left, place, time_s))
            if side.left == left:
                side.place, side.other = place, None
                continue
            if side.other is None:
                side.other = _Other(time_s, frame, self._cuts(side.place, place))
            if time_s - side.other.since_s < HOLD_S:
                continue
            other = side.other
            side.left, side.place, side.other = left, place, None
            if other.cut:
                self._counts.setdefault(label, [0, 0])[0 if left else 1] += 1
                direction = "in" if left else "out"
                since = other.since_s, other.frame
                events.append(Event("line", *since, number, label, self.zone.name, direction))
        return events

    def end(self) -> list[Event]:
        """The run is over: nothing happens at a line, and nobody's side is known."""
        self._sides.clear()
        return []

    def count(self) -> ZoneCount:
        """The count so far."""
        classes = tuple((label, one, other) for label, (one, other) in self._counts.items())
        first, second = (sum(counts[i] for counts in self._counts.values()) for i in (0, 1))
        return ZoneCount(self.zone.name, self._points, first, second, classes, self.zone.color)

    def _forget(self, places: Places, time_s: float) -> None:
        """Drops the sides of those who were not seen for long: identities are never used again."""
        self._sides = {
            number: side for number, side in self._sides.items() if time_s - side.seen_s <= FORGET_S
        }
        for number in places.ids.tolist():
            if number in self._sides:
                self._sides[number].seen_s = time_s

    def _cuts(self, before: F32, now: F32) -> bool:
        """Whether the way from one side to the other passes between the line's ends."""
        way, along = now.astype(np.float64) - before, self._end - self._start
        from_start = before - self._start
        across = along[0] * way[1] - along[1] * way[0]
        at = (from_start[0] * way[1] - from_start[1] * way[0]) / across if across else -1.0
        return 0 <= at <= 1


@dataclass(slots=True)
class _Visit:
    label: str
    since_s: float
    last_s: float
    last_frame: int


class ZoneCounter:
    """Counts who enters and leaves a polygon, and how long they stay.

    Somebody leaves when the feet are outside by more than ``SLACK``, or are missed for ``MISSING_S``; both
    are dated to the last frame inside.

    Attributes:
        zone: the polygon; may be replaced by one that differs in its color alone.
    """

    zone: Zone

    def __init__(self, zone: Zone, size: tuple[int, int]) -> None:
        """Start counting.

        Args:
            zone: a polygon.
            size: (width, height) of the frames in pixels.

        Raises:
            SepcamError: If it lies outside the frame.
        """
        self.zone = zone
        self._points = zone.pixels(size)
        self._polygon = np.array(self._points, np.float32)
        self._inside: dict[int, _Visit] = {}
        self._entered: Counter[str] = Counter()

    def update(self, places: Places, frame: int, time_s: float) -> list[Event]:
        """Who enters and leaves it in a frame."""
        events = []
        for row, number in enumerate(places.ids.tolist()):
            x, y = places.feet[row].tolist()
            inside = cv2.pointPolygonTest(self._polygon, (x, y), True)
            visit = self._inside.get(number)
            if visit is None and inside >= 0:
                label = places.labels[row]
                self._inside[number] = _Visit(label, time_s, time_s, frame)
                self._entered[label] += 1
                events.append(Event("zone", time_s, frame, number, label, self.zone.name, "in"))
            elif visit is not None and inside >= -SLACK * places.heights[row]:
                visit.last_s, visit.last_frame = time_s, frame
            elif visit is not None:
                events.append(self._leave(number))
        gone = [number for number, visit in self._inside.items() if time_s - visit.last_s > MISSING_S]
        return events + [self._leave(number) for number in gone]

    def end(self) -> list[Event]:
        """The run is over: everybody leaves."""
        return [self._leave(number) for number in list(self._inside)]

    def count(self) -> ZoneCount:
        """The count so far."""
        now = Counter(visit.label for visit in self._inside.values())
        classes = tuple((label, now[label], entered) for label, entered in self._entered.items())
        entered = self._entered.total()
        return ZoneCount(self.zone.name, self._points, len(self._inside), entered, classes, self.zone.color)

    def _leave(self, number: int) -> Event:
        visit = self._inside.pop(number)
        stayed = visit.last_s - visit.since_s
        return Event(
            "zone", visit.last_s, visit.last_frame, number, visit.label, self.zone.name, "out", stayed
        )
