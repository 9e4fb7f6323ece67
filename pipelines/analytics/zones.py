"""Lines and zones in the picture, and who crosses or enters them; the geometry is supervision's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...models.errors import SepcamError
from ..types import Instances

if TYPE_CHECKING:
    from supervision import LineZone, PolygonZone

_PATIENCE_S = 1.0  # for which somebody in a zone may go unseen
Points = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A line (two points) or a zone (three or more), in pixels of the picture."""

    points: Points

    @property
    def is_line(self) -> bool:
        """Whether it is a line."""
        return len(self.points) == 2


def read_mark(text: str, *, line: bool) -> Mark:
    """Reads ``x1,y1,x2,y2,...`` as a line or a zone.

    Raises:
        SepcamError: If it does not read like that.
    """
    kind, wanted = (
        ("line", "x1,y1,x2,y2") if line else ("zone", "x1,y1,x2,y2,x3,y3,... (three points or more)")
    )
    try:
        values = [round(float(part)) for part in text.replace(" ", ",").split(",") if part]
    except (ValueError, OverflowError):
        values = []
    points = tuple(zip(values[::2], values[1::2], strict=False))
    enough = len(values) == 4 if line else len(values) >= 6 and len(values) % 2 == 0
    if not enough or len(set(points)) < (2 if line else 3) or min(values) < 0:
        raise SepcamError(f"{text!r} is no {kind}: write {wanted} in pixels of the picture")
    return Mark(points)


@dataclass(frozen=True, slots=True)
class Crossing:
    """Somebody crossed a line, or entered or left a zone.

    Attributes:
        mark: 0-based number of the line or zone, each kind counted by itself.
        is_line: whether it is a line.
        inwards: over a line: from its right to its left, seen from its first point to the second; of a
            zone: entered.
        track_id: who.
    """

    mark: int
    is_line: bool
    inwards: bool
    track_id: int


@dataclass(frozen=True, slots=True)
class Count:
    """The tally of a line (crossed in and out) or of a zone (people in it now, and entered so far)."""

    mark: Mark
    label: str
    first: int
    second: int

    def __str__(self) -> str:
        words = ("in", "out") if self.mark.is_line else ("now", "in all")
        return f"{self.label}: {self.first} {words[0]}, {self.second} {words[1]}"


class Marks:
    """Watches lines and zones in one run; people count by the point where they stand."""

    def __init__(self, marks: Sequence[Mark], size: tuple[int, int]) -> None:
        """Start counting.

        Args:
            marks: lines and zones.
            size: (width, height) of the pictures.

        Raises:
            SepcamError: If one lies outside the picture.
        """
        self._lines: list[tuple[Mark, LineZone]] = []
        self._zones: list[tuple[Mark, PolygonZone]] = []
        self._inside: list[dict[int, float]] = []  # by identity, when they were last seen in it
        self._entered: list[int] = []
        if not marks:
            return
        import supervision as sv

        feet = [sv.Position.BOTTOM_CENTER]
        for mark in marks:
            if any(x >= size[0] + 1 or y >= size[1] + 1 for x, y in mark.points):
                raise SepcamError(
                    f"{','.join(f'{x},{y}' for x, y in mark.points)} lies outside the picture, which has "
                    f"{size[0]}x{size[1]} pixels"
                )
            if mark.is_line:
                start, end = (sv.Point(*point) for point in mark.points)
                self._lines.append((mark, sv.LineZone(start, end, triggering_anchors=feet)))
            else:
                zone = sv.PolygonZone(np.array(mark.points), triggering_anchors=feet)
                self._zones.append((mark, zone))
                self._inside.append({})
                self._entered.append(0)

    def __len__(self) -> int:
        return len(self._lines) + len(self._zones)

    def update(self, found: Instances, time_s: float) -> list[Crossing]:
        """What happened in a frame, at a time in seconds; nothing where people have no identities."""
        if not len(self) or found.track_ids is None:
            return []
        import supervision as sv

        people = found.people
        ids = found.track_ids[people]
        seen = sv.Detections(xyxy=found.boxes[people], tracker_id=ids)
        crossings = []
        for number, (_, line) in enumerate(self._lines):
            inwards, outwards = line.trigger(seen)
            crossings += [Crossing(number, True, True, int(i)) for i in ids[inwards]]
            crossings += [Crossing(number, True, False, int(i)) for i in ids[outwards]]
        for number, (_, zone) in enumerate(self._zones):
            within = set(ids[zone.trigger(seen)].tolist())
            crossings += self._update_zone(number, within, set(ids.tolist()), time_s)
        return crossings

    def counts(self) -> list[Count]:
        """The tallies so far, lines first."""
        lines = [
            Count(mark, f"line {i}", line.in_count, line.out_count)
            for i, (mark, line) in enumerate(self._lines, 1)
        ]
        zones = [
            Count(mark, f"zone {i}", len(self._inside[i - 1]), self._entered[i - 1])
            for i, (mark, _) in enumerate(self._zones, 1)
        ]
        return lines + zones

    def _update_zone(self, number: int, now: set[int], seen: set[int], time_s: float) -> list[Crossing]:
        """Who entered and left; somebody who is not seen for a moment has not left."""
        inside = self._inside[number]
        entered = sorted(now - inside.keys())
        self._entered[number] += len(entered)
        inside.update(dict.fromkeys(now, time_s))
        left = [i for i, last_s in inside.items() if i in seen - now or time_s - last_s > _PATIENCE_S]
        for track_id in left:
            del inside[track_id]
        return [Crossing(number, False, True, i) for i in entered] + [
            Crossing(number, False, False, i) for i in left
        ]
