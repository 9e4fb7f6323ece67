"""The whole pipeline with both backbones on the same frames."""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Any

import numpy as np

from ...models.profiling.cost import Profile, profile
from ...models.profiling.roofline import bytes_per_value
from ...models.profiling.variants import Subject
from ...models.runtime.options import RuntimeOptions
from ...models.types import ConvKind
from ...pipelines.drawing.overlay import Overlay
from ...pipelines.evaluation.consistency import difference, largest
from ...pipelines.evaluation.paired_timing import LEAST_ROUNDS, Rounds, Tick, Turn, silent
from ...pipelines.pipeline import Pipeline
from ...pipelines.sources.excerpts import Clips, open_clips
from ...pipelines.types import FrameResult
from .entries import cost_entry, options_entry, ratio_entries, variant_entry

KINDS: tuple[ConvKind, ConvKind] = ("separable", "standard")
CLIPS = 3
_SHORTEST, _LONGEST = 3, 9  # frames of a clip; the first one is not timed
_SUMMARY = np.mean  # frames differ, so the rate is their number over their time


class PipelineMeasurement:
    """The measurement of one pipeline, end to end: frames are read, analyzed and drawn on concurrently.

    Args:
        pipelines: the same one with both backbones, loaded.
        spec: the source, see ``open_source``.
        options: resolved ones, those that the networks were loaded with.
        seed: of the order of turns.

    Attributes:
        result: the report's entry so far; empty before ``time``.
        seen: the timed frames of the last round, drawn on, for each backbone.
        clips: the frames that were compared, or None before ``time``.
    """

    result: dict[str, Any]
    seen: dict[ConvKind, list[FrameResult]]
    clips: Clips | None

    def __init__(
        self, pipelines: Mapping[ConvKind, Pipeline], spec: str, options: RuntimeOptions, *, seed: int = 0
    ) -> None:
        self.result, self.seen, self.clips = {}, {}, None
        self._pipelines, self._spec, self._options, self._seed = pipelines, spec, options, seed
        model = pipelines["separable"].model
        self._name = " + ".join(name for name in (model.detector, model.pose) if name)

    def time(
        self, *, rounds: int | None, seconds: float = 0.0, frames: int | None = None, tick: Tick = silent
    ) -> None:
        """Times both against each other; after an interrupt ``result`` holds what was measured by then.

        Args:
            rounds: how often; None for as often as fits into ``seconds``.
            seconds: time for all rounds together.
            frames: of the source, in clips of ten; None for as many as the time allows.
            tick: called with the progress.

        Raises:
            KeyboardInterrupt: If it was interrupted.
        """
        clips = CLIPS if frames is None else max(1, frames // 10)
        length = self._length(seconds) if frames is None else frames // clips + 1
        self.clips = open_clips(self._spec, clips=clips, length=length)
        timed = Rounds([self._turn(kind) for kind in KINDS], seed=self._seed)
        try:
            timed.run(rounds=rounds, seconds=seconds, tick=tick)
        finally:
            if timed.count:
                self.result.update(self._describe(timed))

    def count(self, networks: Sequence[Subject]) -> None:
        """Adds the counted cost of a frame, with as many people as the frames showed.

        Args:
            networks: the detector and the pose network.
        """
        people = self.result["people_per_frame"]
        value = bytes_per_value(self._options)
        for kind in KINDS:
            parts = [profile(n.module(kind), (1, *n.size, 3)) for n in networks]
            entry = cost_entry(_sum(parts), value)
            entry["macs"] = round(parts[0].macs + people * sum(part.macs for part in parts[1:]))
            self.result["variants"][kind].update(entry)

    def _length(self, seconds: float) -> int:
        """Frames per clip so that the smallest number of rounds takes half of the time; also warms up."""
        brief = open_clips(self._spec, clips=1, length=_SHORTEST)
        spent = sum(_median(self._pass(kind, brief)) for kind in KINDS) / 1e3
        return int(np.clip(seconds / 2 / LEAST_ROUNDS / CLIPS / max(spent, 1e-6), _SHORTEST, _LONGEST))

    def _turn(self, kind: ConvKind) -> Turn:
        def work() -> list[float]:
            assert self.clips is not None
            return self._pass(kind, self.clips)

        return Turn(self._name, kind, work)

    def _pass(self, kind: ConvKind, taken: Clips) -> list[float]:
        """Milliseconds from each result to the next within each clip; stores what was timed in ``seen``."""
        pipeline = self._pipelines[kind]
        overlay = Overlay(pipeline.model.skeleton, keypoint_names=pipeline.model.keypoint_names)
        times: list[float] = []
        self.seen[kind] = seen = []
        for clip in taken.clips:
            last = None
            with closing(pipeline.run(clip(), overlay=overlay, at_once=True)) as results:
                for result in results:
                    now = time.perf_counter()
                    if last is not None:
                        times.append((now - last) * 1e3)
                        seen.append(result)
                    last = now
        return times

    def _describe(self, timed: Rounds) -> dict[str, Any]:
        seen = [self.seen[kind] for kind in KINDS]
        return {
            "name": self._name,
            "kind": "pipeline",
            "options": options_entry(self._options),
            "rounds": timed.count,
            "frames_per_round": len(seen[0]),
            "people_per_frame": float(np.mean([r.instances.people.sum() for r in seen[0]])),
            "variants": {kind: variant_entry(timed, self._name, kind, _SUMMARY) for kind in KINDS},
            "ratios": ratio_entries(timed, self._name, KINDS, _SUMMARY),
            "difference": asdict(
                largest(difference(a.instances, b.instances) for a, b in zip(*seen, strict=False))
            ),
        }


def _sum(parts: Sequence[Profile]) -> Profile:
    return Profile(
        [layer for part in parts for layer in part.layers],
        sum(part.params for part in parts),
        max(part.activations for part in parts),
    )


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else 0.0
