"""When a rule holds, from the results of one frame after the other."""

from dataclasses import dataclass
from typing import Final

from ..analytics.counters import MISSING_S
from ..types import FrameResult
from .rules import ANYTHING, Rule

OUTAGE_S: Final = 5.0
"""Seconds between two frames that say nothing of the time between them; a slow machine has few frames."""


@dataclass(slots=True)
class _Visit:
    label: str
    since_s: float


class RuleWatch:
    """Says of each frame whether a rule holds; results come in the order of the frames, from a `Watch`.

    A count may fall short for up to ``MISSING_S`` before its time starts again, since detections flicker. So
    it does where no frame comes for ``OUTAGE_S``.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._inside: dict[int, _Visit] = {}
        self._since_s: float | None = None
        self._last_s = 0.0
        self._short = False  # since then

    def update(self, result: FrameResult) -> tuple[int, ...] | None:
        """The identities for which the rule holds in a frame, in order; None where it does not hold.

        A count without tracking holds for no identity: an empty tuple.
        """
        rule = self.rule
        if rule.kind == "line":
            return self._crossed(result)
        if rule.place:
            self._visit(result)
        now = result.frame.time_s
        if rule.kind == "presence":
            stayed = [one for one, visit in self._inside.items() if now - visit.since_s >= rule.seconds]
            return tuple(sorted(stayed)) or None
        count, identities = self._counted(result)
        return identities if self._lasts(count > rule.more_than, now) else None

    def _crossed(self, result: FrameResult) -> tuple[int, ...] | None:
        rule = self.rule
        crossed = [
            event.track_id
            for event in result.events
            if (event.kind, event.name) == ("line", rule.place)
            and rule.direction in ("", event.direction)
            and rule.takes(event.label)
        ]
        return tuple(sorted(crossed)) or None

    def _visit(self, result: FrameResult) -> None:
        """Follows who is in the zone."""
        for event in result.events:
            if (event.kind, event.name) != ("zone", self.rule.place) or not self.rule.takes(event.label):
                continue
            if event.direction == "in":
                self._inside[event.track_id] = _Visit(event.label, event.time_s)
            else:
                self._inside.pop(event.track_id, None)

    def _counted(self, result: FrameResult) -> tuple[int, tuple[int, ...]]:
        """How many are there, and their identities where these are known."""
        if self.rule.place:
            return len(self._inside), tuple(sorted(self._inside))
        found, label = result.instances, self.rule.label
        taken = [label in (ANYTHING, found.names[int(one)]) for one in found.labels]
        if found.track_ids is None:
            return sum(taken), ()
        pairs = zip(found.track_ids.tolist(), taken, strict=True)
        return sum(taken), tuple(sorted(number for number, wanted in pairs if wanted))

    def _lasts(self, holds: bool, now: float) -> bool:
        """Whether a count holds now, and has done so for long enough."""
        if not holds:
            self._short = True
            return False
        if self._since_s is None or now - self._last_s > (MISSING_S if self._short else OUTAGE_S):
            self._since_s = now
        self._last_s, self._short = now, False
        return now - self._since_s >= self.rule.seconds
