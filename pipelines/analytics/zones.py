"""Lines and zones in the frame, and who crosses or enters them; the geometry is supervision's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...models.errors import SepcamError
from ..types import Instances

if TYPE_CHECKING:
    from supervision import LineZone, PolygonZone

_MISSING_S = 1.0  # how long someone in a zone may go undetected before they count as having left
Points = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Zone:
    """A line (two points) or a polygon (three or more), in pixels of the frame."""

    points: Points

    @property
    def is_line(self) -> bool:
        """Whether it is a line."""
        return len(self.points) == 2


def parse_zone(text: str, *, line: bool) -> Zone:
    """Parses ``x1,y1,x2,y2,...`` as a line or a polygon.

    Raises:
        SepcamError: If the text is not a valid line or polygon.
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
        raise SepcamError(f"{text!r} is not a valid {kind}: write {wanted} in pixels of the frame")
    return Zone(points)


@dataclass(frozen=True, slots=True)
class Crossing:
    """Someone crossed a line, or entered or left a zone.

    Attributes:
        number: 0-based number of the line or zone; each kind is counted separately.
        is_line: whether it is a line.
        inwards: for a line: crossed from its right to its left, looking from its first point to the second;
            for a zone: entered.
        track_id: who.
    """

    number: int
    is_line: bool
    inwards: bool
    track_id: int


@dataclass(frozen=True, slots=True)
class ZoneCount:
    """The count of a line (crossed in and out) or of a zone (people in it now, and entered so far)."""

    zone: Zone
    label: str
    first: int
    second: int

    def __str__(self) -> str:
        words = ("in", "out") if self.zone.is_line else ("now", "in all")
        return f"{self.label}: {self.first} {words[0]}, {self.second} {words[1]}"


class ZoneCounter:
    """Counts people at the lines and zones of one run, by the middle of their boxes' lower edge."""

    def __init__(self, zones: Sequence[Zone], size: tuple[int, int]) -> None:
        """Start counting.

        Args:
            zones: lines and zones.
            size: (width, height) of the frames in pixels.

        Raises:
            SepcamError: If one lies outside the frame.
        """
        self._lines: list[tuple[Zone, LineZone]] = []
        self._polygons: list[tuple[Zone, PolygonZone]] = []
        self._inside: list[dict[int, float]] = []  # per polygon: track id -> when last seen inside
        self._entered: list[int] = []
        if not zones:
            return
        import supervision as sv

        feet = [sv.Position.BOTTOM_CENTER]
        for zone in zones:
            if any(x >= size[0] + 1 or y >= size[1] + 1 for x, y in zone.points):
                raise SepcamError(
                    f"{','.join(f'{x},{y}' for x, y in zone.points)} lies outside the frame, which has "
                    f"{size[0]}x{size[1]} pixels"
                )
            if zone.is_line:
                start, end = (sv.Point(*point) for point in zone.points)
                self._lines.append((zone, sv.LineZone(start, end, triggering_anchors=feet)))
            else:
                polygon = sv.PolygonZone(np.array(zone.points), triggering_anchors=feet)
                self._polygons.append((zone, polygon))
                self._inside.append({})
                self._entered.append(0)

    def __len__(self) -> int:
        return len(self._lines) + len(self._polygons)

    def update(self, found: Instances, time_s: float) -> list[Crossing]:
        """The crossings in a frame at ``time_s`` seconds; none where people have no track ids."""
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
        for number, (_, polygon) in enumerate(self._polygons):
            within = set(ids[polygon.trigger(seen)].tolist())
            crossings += self._update_polygon(number, within, set(ids.tolist()), time_s)
        return crossings

    def counts(self) -> list[ZoneCount]:
        """The counts so far, lines first."""
        lines = [
            ZoneCount(zone, f"line {i}", line.in_count, line.out_count)
            for i, (zone, line) in enumerate(self._lines, 1)
        ]
        polygons = [
            ZoneCount(zone, f"zone {i}", len(self._inside[i - 1]), self._entered[i - 1])
            for i, (zone, _) in enumerate(self._polygons, 1)
        ]
        return lines + polygons

    def _update_polygon(self, number: int, now: set[int], seen: set[int], time_s: float) -> list[Crossing]:
        """Who entered and left; someone who goes undetected for a moment has not left."""
        inside = self._inside[number]
        entered = sorted(now - inside.keys())
        self._entered[number] += len(entered)
        inside.update(dict.fromkeys(now, time_s))
        left = [i for i, last_s in inside.items() if i in seen - now or time_s - last_s > _MISSING_S]
        for track_id in left:
            del inside[track_id]
        return [Crossing(number, False, True, i) for i in entered] + [
            Crossing(number, False, False, i) for i in left
        ]
