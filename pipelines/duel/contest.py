"""Runs both forms of the same networks on the same frames, in turn, and compares times and predictions."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...models.profiling.energy import EnergyMeter
from ...models.types import ConvKind
from ..analysis.analyzer import Analyzer
from ..analysis.options import AnalysisOptions
from ..evaluation.consistency import Difference, difference, largest
from ..evaluation.paired_timing import LEAST_ROUNDS, Rounds, Turn, estimate
from ..execution.network_set import NetworkSet
from ..types import Frame, FrameResult
from .result import KINDS, DuelResult, Side, counted_cost, names_of

_WARM_PASSES = 2
_SUBJECT = "frame"


class Duel:
    """A duel over the frames of one source; one thread uses it.

    Only the form of the networks differs between the sides: each looks at the whole of every frame, at the
    same input size, with a tracker of its own, and nothing is left out to save time. For each frame, chance
    says which side is first, so that a machine that slows down slows both.

    Attributes:
        frames: how many are counted so far.
        times_ms: milliseconds that each side took for the last frame.
    """

    frames: int
    times_ms: dict[ConvKind, float]

    def __init__(
        self,
        sides: Mapping[ConvKind, NetworkSet],
        options: AnalysisOptions,
        *,
        fps: float | None = None,
        seed: int = 0,
        energy: EnergyMeter | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Prepare both sides.

        Args:
            sides: the same networks in both forms.
            options: what is done with each frame, but that every frame gets a detection.
            fps: of the source, for the trackers.
            seed: of the order of turns.
            energy: measures energy; None reads the counters of this machine.
            clock: seconds.

        Raises:
            SepcamError: If the options do not fit the networks.
        """
        locked = replace(options, detect_every=1)
        self._analyzers = {
            kind: Analyzer(sides[kind], replace(locked, backbone=kind), fps=fps) for kind in KINDS
        }
        self._clock = clock
        self._rounds = Rounds(
            [Turn(_SUBJECT, kind, lambda kind=kind: self._take_turn(kind)) for kind in KINDS],
            seed=seed,
            energy=energy,
        )
        self._frame: Frame | None = None
        self._found: dict[ConvKind, FrameResult] = {}
        self.times_ms = {}
        self.frames = self._alike = self._people = self._masks = 0
        self._difference = Difference()

    @property
    def networks(self) -> str:
        """The names of the networks."""
        return names_of(self._analyzers["separable"].model)

    def warm_up(self, frame: Frame) -> None:
        """Both sides analyze a frame that is not counted.

        Networks are compiled for the shape of the source's images, which takes seconds, and run for the first
        time. A thread may do it in the background, before ``step``.
        """
        self._frame = frame
        for _ in range(_WARM_PASSES):
            for kind in KINDS:
                self._take_turn(kind)

    def step(self, frame: Frame) -> dict[ConvKind, FrameResult]:
        """Both sides analyze a frame, whose image stays as it is; what each found."""
        self._frame = frame
        self._rounds.run(rounds=self._rounds.count + 1, seconds=0)
        self.frames = self._rounds.count
        one, other = (self._found[kind].instances for kind in KINDS)
        between = difference(one, other)
        self._difference = largest([self._difference, between])
        self._alike += between.same_objects
        self._people += int(one.people.sum())
        self._masks += 0 if one.masks is None else sum(mask is not None for mask in one.masks)
        return dict(self._found)

    def result(self) -> DuelResult | None:
        """What was measured so far; None while there are too few frames (5) to say anything."""
        if self.frames < LEAST_ROUNDS:
            return None
        times = {kind: self._rounds.per_round(_SUBJECT, kind, np.mean) for kind in KINDS}
        people = self._people / self.frames
        model = self._analyzers["separable"].model
        sides: dict[ConvKind, Side] = {
            kind: Side(
                estimate(times[kind]),
                self._rounds.p95(_SUBJECT, kind),
                counted_cost(model, kind, people),
                self._rounds.joules(_SUBJECT, kind),
            )
            for kind in KINDS
        }
        ratios = [long / max(short, 1e-9) for short, long in zip(*times.values(), strict=True)]
        return DuelResult(
            self.frames,
            people,
            sides,
            estimate(ratios),
            self._difference,
            self._alike,
            model,
            self._masks > 0,
        )

    def _take_turn(self, kind: ConvKind) -> Sequence[float]:
        """Analyzes the current frame with one side; returns the milliseconds that it took."""
        assert self._frame is not None
        analyzer = self._analyzers[kind]
        begun = self._clock()
        instances, stage_ms = analyzer.analyze(self._frame)
        took = (self._clock() - begun) * 1e3
        self.times_ms[kind] = took
        self._found[kind] = FrameResult(self._frame, instances, stage_ms, model=analyzer.model)
        return [took]
