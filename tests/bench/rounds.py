"""Interleaved rounds: every contender once per round, in random order, so a slow minute hits all alike."""

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .machine import processor_time

STOLEN = 0.02
"""Share of the processors' time that the host of a virtual machine may take for others during a run."""

TRIES = 3
"""Runs of a contender in a round, at most: the host takes too much time for others in all but the last."""


@dataclass(frozen=True, slots=True)
class Contender:
    """Something to time.

    Attributes:
        name: unique within its table.
        run: does the work once; gives ``seconds`` and ``frames``, and whatever else is worth keeping.
    """

    name: str
    run: Callable[[], dict[str, Any]]


@dataclass(slots=True)
class Result:
    """All rounds of one contender, in the order of the rounds; ``error`` where it could not run."""

    name: str
    samples: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None

    @property
    def seconds(self) -> list[float]:
        """Seconds per frame, one a round."""
        return [sample["seconds"] / max(sample["frames"], 1) for sample in self.samples]

    @property
    def ms(self) -> float:
        """Median milliseconds per frame."""
        return statistics.median(self.seconds) * 1e3

    @property
    def fps(self) -> float:
        """Frames per second at the median."""
        return 1e3 / self.ms

    def median(self, key: str) -> float | None:
        """Median of another figure of the samples, or None where they lack it."""
        values = [sample[key] for sample in self.samples if sample.get(key) is not None]
        return statistics.median(values) if values else None


def interleave(
    contenders: Sequence[Contender],
    rounds: int,
    seed: int,
    note: Callable[[str], None],
    *,
    clock: Callable[[], tuple[float, float]] = processor_time,
) -> dict[str, Result]:
    """Runs every contender once per round, each round in a new random order.

    A run that the host of a virtual machine disturbed is done again, up to ``TRIES`` times in all; the least
    disturbed one counts, and has ``stolen``, the share of the processors' time that went to others.

    One that raises is left out from then on and keeps its first error; the others go on.
    """
    order = random.Random(seed)
    results = {contender.name: Result(contender.name) for contender in contenders}
    for turn in range(rounds):
        for contender in order.sample(contenders, len(contenders)):
            result = results[contender.name]
            if result.error is not None:
                continue
            try:
                result.samples.append(_least_disturbed(contender.run, clock))
            except Exception as error:
                result.error = str(error) or type(error).__name__
                note(f"  {contender.name}: {result.error}")
        note(f"  round {turn + 1} of {rounds}")
    return results


def _least_disturbed(
    run: Callable[[], dict[str, Any]], clock: Callable[[], tuple[float, float]]
) -> dict[str, Any]:
    tries: list[dict[str, Any]] = []
    while len(tries) < TRIES and (not tries or tries[-1]["stolen"] > STOLEN):
        had, lost = clock()
        sample = run()
        have, losing = clock()
        tries.append({**sample, "stolen": (losing - lost) / max(have - had, 1e-9)})
    return min(tries, key=lambda sample: sample["stolen"])


def speedup(results: Mapping[str, Result], of: str, over: str) -> float | None:
    """How many times faster one contender is than another: the median of the rounds' own ratios."""
    a, b = results.get(of), results.get(over)
    if a is None or b is None or not a.samples or not b.samples or a.error or b.error:
        return None
    return statistics.median(slow / fast for fast, slow in zip(a.seconds, b.seconds, strict=True))
