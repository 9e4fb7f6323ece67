"""What a run counted: people, people per minute, lines, zones, and how both changed over time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from ..types import FrameResult
from .events import Event

STEPS: Final = 240
"""Most steps of a timeline."""

_MOST_VISITS: Final = 1000  # whose seconds are listed
_STEP_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class LineStatistics:
    """A line.

    Attributes:
        name: of the line.
        classes: (in, out) by class.
        crossed_in: times of the crossings inwards in seconds, in order.
        crossed_out: the same, outwards.
    """

    name: str
    classes: Mapping[str, tuple[int, int]]
    crossed_in: tuple[float, ...]
    crossed_out: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ZoneStatistics:
    """A zone.

    Attributes:
        name: of the zone.
        classes: (identities, visits) by class.
        identities: how many different ones were in it.
        visits: how often somebody entered.
        mean_s: mean seconds of a visit.
        longest_s: seconds of the longest visit.
        total_s: seconds of all visits together.
        visit_s: seconds of each visit, in the order of their ends.
    """

    name: str
    classes: Mapping[str, tuple[int, int]]
    identities: int
    visits: int
    mean_s: float
    longest_s: float
    total_s: float
    visit_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """A run.

    Attributes:
        seconds: of the video.
        people: different people; without tracking, the most at once.
        tracked: whether people have identities.
        at_once: most people in one frame.
        classes: different objects by class; without tracking, the most at once.
        step_s: seconds of a step of ``timeline``.
        timeline: most people in a frame of each step.
        lines: every line.
        zones: every zone.
    """

    seconds: float = 0.0
    people: int = 0
    tracked: bool = False
    at_once: int = 0
    classes: Mapping[str, int] = field(default_factory=dict)
    step_s: float = _STEP_S
    timeline: tuple[int, ...] = ()
    lines: tuple[LineStatistics, ...] = ()
    zones: tuple[ZoneStatistics, ...] = ()

    @property
    def per_minute(self) -> float | None:
        """Different people per minute; None without identities or time."""
        return 60 * self.people / self.seconds if self.tracked and self.seconds > 0 else None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "video_seconds": round(self.seconds, 3),
            "people": self.people,
            "tracked": self.tracked,
            "people_at_once": self.at_once,
            "people_per_minute": None if self.per_minute is None else round(self.per_minute, 2),
            "classes": dict(self.classes),
            "timeline": {"step_s": self.step_s, "people": list(self.timeline)},
            "lines": [
                {
                    "name": line.name,
                    "in": sum(counts[0] for counts in line.classes.values()),
                    "out": sum(counts[1] for counts in line.classes.values()),
                    "classes": {label: {"in": a, "out": b} for label, (a, b) in line.classes.items()},
                    "in_s": list(line.crossed_in),
                    "out_s": list(line.crossed_out),
                }
                for line in self.lines
            ],
            "zones": [
                {
                    "name": zone.name,
                    "identities": zone.identities,
                    "visits": zone.visits,
                    "classes": {
                        label: {"identities": a, "visits": b} for label, (a, b) in zone.classes.items()
                    },
                    "mean_s": round(zone.mean_s, 3),
                    "longest_s": round(zone.longest_s, 3),
                    "total_s": round(zone.total_s, 3),
                    "visit_s": list(zone.visit_s),
                }
                for zone in self.zones
            ],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Statistics":
        """What ``to_json`` returned."""
        return cls(
            values["video_seconds"],
            values["people"],
            values["tracked"],
            values["people_at_once"],
            values["classes"],
            values["timeline"]["step_s"],
            tuple(values["timeline"]["people"]),
            tuple(
                LineStatistics(
                    line["name"],
                    {label: (counts["in"], counts["out"]) for label, counts in line["classes"].items()},
                    tuple(line["in_s"]),
                    tuple(line["out_s"]),
                )
                for line in values["lines"]
            ),
            tuple(
                ZoneStatistics(
                    zone["name"],
                    {label: (c["identities"], c["visits"]) for label, c in zone["classes"].items()},
                    zone["identities"],
                    zone["visits"],
                    zone["mean_s"],
                    zone["longest_s"],
                    zone["total_s"],
                    tuple(zone["visit_s"]),
                )
                for zone in values["zones"]
            ),
        )


class Tally:
    """Adds the results of a run up, in the order of its frames."""

    def __init__(self) -> None:
        self.frames = 0
        self._first_s = self._last_s = 0.0
        self._tracked = False
        self._identities: dict[str, set[int]] = {}
        self._at_once: Counter[str] = Counter()
        self._steps: list[int] = []
        self._names: list[tuple[str, bool]] = []
        self._events: dict[str, list[Event]] = {}

    def add(self, result: FrameResult) -> None:
        """Adds a frame."""
        time_s = result.frame.time_s
        if not self.frames:
            self._first_s = time_s
            self._names = [(count.name, count.is_line) for count in result.counts]
        self._last_s = max(self._last_s, time_s)
        self.frames += 1
        found = result.instances
        self._tracked |= found.track_ids is not None
        labels = [str(found.names[int(label)]) for label in found.labels]
        now = Counter(labels)
        self._at_once |= now
        self._note(now["person"], time_s)
        if found.track_ids is not None:
            for label, number in zip(labels, found.track_ids.tolist(), strict=True):
                self._identities.setdefault(label, set()).add(number)
        self._take(result.events)

    def statistics(self, events: Sequence[Event] = ()) -> Statistics:
        """The sums.

        Args:
            events: that happened at the end, see ``Watch.end``.
        """
        told = {name: list(listed) for name, listed in self._events.items()}
        _sort(told, events)
        between_s = self._last_s - self._first_s
        step_s = between_s / (self.frames - 1) if self.frames > 1 else 0.0
        classes = {label: len(numbers) for label, numbers in self._identities.items()}
        if not self._tracked:
            classes = dict(self._at_once)
        together = -(-len(self._steps) // STEPS) or 1
        return Statistics(
            between_s + step_s,
            classes.get("person", 0),
            self._tracked,
            self._at_once["person"],
            classes,
            together * _STEP_S,
            tuple(max(self._steps[i : i + together]) for i in range(0, len(self._steps), together)),
            tuple(_line(name, told.get(name, [])) for name, is_line in self._names if is_line),
            tuple(_zone(name, told.get(name, [])) for name, is_line in self._names if not is_line),
        )

    def _note(self, people: int, time_s: float) -> None:
        step = max(0, int((time_s - self._first_s) / _STEP_S))
        if step >= len(self._steps):
            self._steps += [0] * (step + 1 - len(self._steps))
        self._steps[step] = max(self._steps[step], people)

    def _take(self, events: Sequence[Event]) -> None:
        _sort(self._events, events)


def _sort(by_name: dict[str, list[Event]], events: Sequence[Event]) -> None:
    for event in events:
        if event.name:
            by_name.setdefault(event.name, []).append(event)


def _line(name: str, events: Sequence[Event]) -> LineStatistics:
    classes: dict[str, tuple[int, int]] = {}
    for event in events:
        inwards, outwards = classes.get(event.label, (0, 0))
        inside = event.direction == "in"
        classes[event.label] = inwards + inside, outwards + (not inside)
    times = [
        tuple(round(event.time_s, 2) for event in events if event.direction == direction)
        for direction in ("in", "out")
    ]
    return LineStatistics(name, classes, times[0], times[1])


def _zone(name: str, events: Sequence[Event]) -> ZoneStatistics:
    entered = [event for event in events if event.direction == "in"]
    stayed = [event.seconds or 0.0 for event in events if event.direction == "out"]
    labels = list(dict.fromkeys(event.label for event in entered))
    by_class = {label: [event.track_id for event in entered if event.label == label] for label in labels}
    return ZoneStatistics(
        name,
        {label: (len(set(numbers)), len(numbers)) for label, numbers in by_class.items()},
        len({event.track_id for event in entered}),
        len(entered),
        float(np.mean(stayed)) if stayed else 0.0,
        max(stayed, default=0.0),
        sum(stayed),
        tuple(round(seconds, 2) for seconds in stayed[:_MOST_VISITS]),
    )
