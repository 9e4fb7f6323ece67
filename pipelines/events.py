"""What happens in a video: people enter and leave the frame, cross lines, enter and leave zones."""

from dataclasses import dataclass
from typing import Any, Final, Literal

EventKind = Literal["enter", "leave", "line", "zone"]
Direction = Literal["", "in", "out"]

COLUMNS: Final[tuple[str, ...]] = ("time_s", "frame", "kind", "name", "direction", "class", "id", "seconds")
"""The fields of an event as JSON and as CSV."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        kind: ``enter`` and ``leave`` of the frame; ``line``: somebody crossed a line; ``zone``: somebody
            entered or left a zone.
        time_s: when, in seconds of the run. Somebody who goes leaves when they were last seen.
        frame: 0-based index of the frame at ``time_s``.
        track_id: the identity.
        label: the class, such as ``person``.
        name: of the line or zone, else "".
        direction: of lines and zones. Over a line, ``in`` is from its right to its left, seen from its first
            point to the second.
        seconds: of somebody who leaves: how long they were in the frame or in the zone; else None.
    """

    kind: EventKind
    time_s: float
    frame: int
    track_id: int
    label: str = "person"
    name: str = ""
    direction: Direction = ""
    seconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; what does not apply is left out."""
        values: tuple[Any, ...] = (
            *(round(self.time_s, 3), self.frame, self.kind, self.name, self.direction, self.label),
            *(self.track_id, None if self.seconds is None else round(self.seconds, 3)),
        )
        return {key: value for key, value in zip(COLUMNS, values, strict=True) if value not in ("", None)}


@dataclass(frozen=True, slots=True)
class ZoneCount:
    """The count of a line (crossed in and out) or of a zone (in it now, and entered so far).

    Attributes:
        name: of the line or zone.
        points: in pixels of the frame.
        first: crossed inwards, or in the zone now.
        second: crossed outwards, or entered so far.
        classes: (class, first, second) for each class, in the order in which they came.
        color: that it is drawn in, ``#rrggbb``, or "" for the usual one.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    first: int
    second: int
    classes: tuple[tuple[str, int, int], ...] = ()
    color: str = ""

    @property
    def is_line(self) -> bool:
        """Whether it is a line."""
        return len(self.points) == 2

    def __str__(self) -> str:
        words = ("in", "out") if self.is_line else ("now", "in all")
        counts = [("", self.first, self.second)]
        if len(self.classes) > 1:
            counts = [(f"{label} ", first, second) for label, first, second in self.classes]
        told = "; ".join(f"{label}{first} {words[0]}, {second} {words[1]}" for label, first, second in counts)
        return f"{self.name}: {told}"
