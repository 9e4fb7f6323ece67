"""Events of a live session as they happen: people enter and leave the frame, cross lines, enter zones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from ..types import Instances
from .zones import Crossing

EventKind = Literal["enter", "leave", "line", "zone"]
GONE_S: Final = 2.0
"""Seconds without a detection after which someone has left; the tracker keeps lost tracks for as long."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        kind: ``enter`` and ``leave`` of the frame; ``line``: someone crossed a line; ``zone``: someone
            entered or left a zone.
        time_s: when, in seconds of the run; for ``leave``, when the person was last seen.
        frame: 0-based index of the frame at ``time_s``.
        track_id: who.
        details: of a ``leave``: ``seconds`` in the frame; of a line or a zone: its number from 1, and
            ``direction`` (``in`` or ``out``).
    """

    kind: EventKind
    time_s: float
    frame: int
    track_id: int
    details: tuple[tuple[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "event": self.kind,
            "time_s": round(self.time_s, 3),
            "frame": self.frame,
            "track_id": self.track_id,
            **dict(self.details),
        }


@dataclass(slots=True)
class _Presence:
    since_s: float
    last_s: float
    last_frame: int


class EventDetector:
    """Reports when people enter and leave; needs track ids.

    Args:
        gone_s: seconds without a detection after which someone has left.
    """

    def __init__(self, gone_s: float = GONE_S) -> None:
        self._gone_s = gone_s
        self._present: dict[int, _Presence] = {}

    def update(
        self, frame: int, time_s: float, found: Instances, crossings: Sequence[Crossing] = ()
    ) -> list[Event]:
        """The events of a frame: who entered, what was crossed, who has left by now."""
        events = []
        ids = [] if found.track_ids is None else found.track_ids[found.people].tolist()
        for track_id in ids:
            known = self._present.get(track_id)
            if known is None:
                events.append(Event("enter", time_s, frame, track_id))
                self._present[track_id] = _Presence(time_s, time_s, frame)
            else:
                known.last_s, known.last_frame = time_s, frame
        for crossing in crossings:
            kind: EventKind = "line" if crossing.is_line else "zone"
            where = (kind, crossing.number + 1), ("direction", "in" if crossing.inwards else "out")
            events.append(Event(kind, time_s, frame, crossing.track_id, where))
        return events + self._leave(time_s - self._gone_s)

    def end(self) -> list[Event]:
        """The run is over: everyone leaves."""
        return self._leave(float("inf"))

    def _leave(self, before_s: float) -> list[Event]:
        gone = [track_id for track_id, presence in self._present.items() if presence.last_s < before_s]
        events = []
        for track_id in gone:
            presence = self._present.pop(track_id)
            stayed = (("seconds", round(presence.last_s - presence.since_s, 3)),)
            events.append(Event("leave", presence.last_s, presence.last_frame, track_id, stayed))
        return events
