"""Adds the results of a run up: people, lines, zones."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from ..events import Event
from ..statistics import LineStatistics, Statistics, ZoneStatistics
from ..types import FrameResult

STEPS: Final = 240
"""Most steps of a timeline."""

_MOST_VISITS: Final = 1000  # whose seconds are listed
_STEP_S: Final = 1.0


class Tally:
    """Adds the results of a run up, in the order of its frames."""

    def __init__(self) -> None:
        self.frames = 0
        self._first_s = self._last_s = 0.0
        self._tracked = False
        self._identities: dict[str, set[int]] = {}
        self._at_once: Counter[str] = Counter()
        self._steps: dict[int, int] = {}
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
        timeline, together = _timeline(self._steps)
        return Statistics(
            between_s + step_s,
            classes.get("person", 0),
            self._tracked,
            self._at_once["person"],
            classes,
            together * _STEP_S,
            timeline,
            tuple(_line(name, told.get(name, [])) for name, is_line in self._names if is_line),
            tuple(_zone(name, told.get(name, [])) for name, is_line in self._names if not is_line),
        )

    def _note(self, people: int, time_s: float) -> None:
        step = max(0, int((time_s - self._first_s) / _STEP_S))
        self._steps[step] = max(self._steps.get(step, 0), people)

    def _take(self, events: Sequence[Event]) -> None:
        _sort(self._events, events)


def _timeline(steps: Mapping[int, int]) -> tuple[tuple[int, ...], int]:
    """The most people in each of at most ``STEPS`` stretches, and how many steps each of these has."""
    count = max(steps, default=-1) + 1
    together = -(-count // STEPS) or 1
    most = [0] * -(-count // together)
    for step, people in steps.items():
        most[step // together] = max(most[step // together], people)
    return tuple(most), together


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
