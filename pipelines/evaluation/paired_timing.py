"""How two or more ways of doing the same work are timed against each other, and what can be said of it.

All take their turns in rounds, in a random order, so that a machine that slows down slows all of them. What
is said of a ratio rests on the ratio within each round; intervals are bootstrapped over rounds, since times
within a round go up and down together.
"""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...models.profiling.energy import EnergyMeter

Tick = Callable[[float], None]
"""Hears which share of some work is done, 0 to 1."""

RESAMPLES = 2000
CONFIDENCE = 0.95
LEAST_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Turn:
    """Some work for one variant of one subject.

    Attributes:
        subject: what is compared, e.g. the name of a network.
        variant: in which form.
        work: does it, and returns the milliseconds that each unit of it (a frame, a pass) took.
    """

    subject: str
    variant: str
    work: Callable[[], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A median and where it lies with 95 % confidence."""

    median: float
    low: float
    high: float


def silent(share: float) -> None:
    """A ``Tick`` that tells nobody."""


class Rounds:
    """Times turns against each other, round by round; only whole rounds count.

    Attributes:
        count: rounds so far.
    """

    count: int

    def __init__(self, turns: Sequence[Turn], *, seed: int = 0, energy: EnergyMeter | None = None) -> None:
        self.count = 0
        self._subjects: dict[str, list[Turn]] = defaultdict(list)
        for turn in turns:
            self._subjects[turn.subject].append(turn)
        self._random = random.Random(seed)
        self._energy = energy or EnergyMeter()
        self._times: dict[tuple[str, str], list[Sequence[float]]] = defaultdict(list)
        self._joules: dict[tuple[str, str], list[float]] = defaultdict(list)

    def run(self, *, rounds: int | None, seconds: float, tick: Tick = silent) -> None:
        """Continues until ``rounds`` are done or, where that is None, until the time is up.

        Args:
            rounds: exactly this many; None is as many as there is time for, and at least 5.
            seconds: to spend where ``rounds`` is None. A round is begun only if it should fit.
            tick: called after each turn with the fraction of the work that is done, 0 to 1.
        """
        begun = time.perf_counter()

        def share(parts: float) -> float:
            done = (self.count + parts) / (rounds or LEAST_ROUNDS)
            if rounds is None:
                done = min(done, (time.perf_counter() - begun) / seconds)
            return min(done, 1.0)

        while not self._enough(rounds, seconds, time.perf_counter() - begun):
            self._round(lambda parts: tick(share(parts)))

    def _enough(self, rounds: int | None, seconds: float, spent: float) -> bool:
        if rounds is not None:
            return self.count >= rounds
        return self.count >= LEAST_ROUNDS and spent + spent / self.count > seconds

    def _round(self, tick: Tick) -> None:
        """One turn of each; an interrupt in the middle leaves no trace."""
        order = list(self._subjects.values())
        self._random.shuffle(order)
        total, done = sum(map(len, order)), 0
        times: dict[tuple[str, str], Sequence[float]] = {}
        joules: dict[tuple[str, str], float] = {}
        for turns in order:  # the forms of one subject come one right after the other
            for turn in self._random.sample(turns, len(turns)):
                before = self._energy.read()
                key = turn.subject, turn.variant
                times[key] = turn.work()
                spent = self._energy.joules_since(before)
                if spent is not None:
                    joules[key] = spent / max(len(times[key]), 1)
                done += 1
                tick(done / total)
        for key, values in times.items():
            self._times[key].append(values)
        for key, value in joules.items():
            self._joules[key].append(value)
        self.count += 1

    def per_round(
        self, subject: str, variant: str, summary: Callable[[Sequence[float]], np.floating]
    ) -> list[float]:
        """Milliseconds of each round.

        Args:
            subject: what is compared.
            variant: in which form.
            summary: makes one value of a round's units: ``np.mean`` where they are different work (frames),
                ``np.median`` where they are the same work again and again.
        """
        return [float(summary(times)) for times in self._times[subject, variant]]

    def p95(self, subject: str, variant: str) -> float:
        """Milliseconds that 95 % of all units stayed under."""
        return float(np.percentile(np.concatenate(self._times[subject, variant]), 95))

    def joules(self, subject: str, variant: str) -> float | None:
        """Median energy of a unit, or None where the machine does not tell."""
        values = self._joules[subject, variant]
        return float(np.median(values)) if values else None


def estimate(values: Sequence[float], *, seed: int = 0) -> Estimate:
    """The median of one value per round, with its bootstrap percentile interval (Efron 1979)."""
    rounds = np.asarray(values, np.float64)
    generator = np.random.default_rng(seed)
    medians = np.median(rounds[generator.integers(0, len(rounds), (RESAMPLES, len(rounds)))], axis=1)
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(medians, [tail, 100 - tail])
    return Estimate(float(np.median(rounds)), float(low), float(high))


def beyond_noise(one: Estimate, other: Estimate) -> bool:
    """Whether two intervals do not overlap."""
    return one.low > other.high or other.low > one.high
