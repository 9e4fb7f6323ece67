"""What happens in a live picture, told as it happens: people come and go, cross lines, enter zones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from ..types import Instances
from .zones import Crossing

EventKind = Literal["enter", "leave", "line", "zone"]
GONE_S: Final = 2.0
"""Seconds after which somebody who is not seen has left; as long as the tracker remembers them."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        kind: ``enter`` and ``leave`` of the picture; ``line`` for a line that was crossed; ``zone`` for a
            zone that was entered or left.
        time_s: when, in seconds of the run; for ``leave``, when the person was last seen.
        frame: 0-based index of the frame, likewise.
        track_id: who.
        details: of a ``leave``: ``seconds`` in the picture; of a line or a zone: its number from 1, and
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


class Watch:
    """Tells when people enter and leave; needs their identities."""

    def __init__(self, gone_s: float = GONE_S) -> None:
        self._gone_s = gone_s
        self._there: dict[int, _Presence] = {}

    def update(
        self, frame: int, time_s: float, found: Instances, crossings: Sequence[Crossing] = ()
    ) -> list[Event]:
        """The events of a frame: who entered, what was crossed, who has left by now."""
        events = []
        ids = [] if found.track_ids is None else found.track_ids[found.people].tolist()
        for track_id in ids:
            known = self._there.get(track_id)
            if known is None:
                events.append(Event("enter", time_s, frame, track_id))
                self._there[track_id] = _Presence(time_s, time_s, frame)
            else:
                known.last_s, known.last_frame = time_s, frame
        for crossing in crossings:
            kind: EventKind = "line" if crossing.is_line else "zone"
            where = (kind, crossing.mark + 1), ("direction", "in" if crossing.inwards else "out")
            events.append(Event(kind, time_s, frame, crossing.track_id, where))
        return events + self._leave(time_s - self._gone_s)

    def end(self) -> list[Event]:
        """The run is over: everyone leaves."""
        return self._leave(float("inf"))

    def _leave(self, before_s: float) -> list[Event]:
        gone = [track_id for track_id, there in self._there.items() if there.last_s < before_s]
        events = []
        for track_id in gone:
            there = self._there.pop(track_id)
            stayed = (("seconds", round(there.last_s - there.since_s, 3)),)
            events.append(Event("leave", there.last_s, there.last_frame, track_id, stayed))
        return events
