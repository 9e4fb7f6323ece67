"""Both backbones on the same frames: their speed, their cost, and how far their predictions are apart."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..models.blocks import Cost
from ..models.zoo import cost
from ..pipelines.agreement import Difference, difference, largest
from ..pipelines.frames import Frame, Instances
from ..pipelines.pipeline import Pipeline
from ..pipelines.sources import Source

_WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Side:
    """One backbone.

    Attributes:
        ms: median milliseconds for the analysis of a frame.
        costs: multiply-adds and parameters of one pass of each network, by name.
    """

    ms: float
    costs: Mapping[str, Cost]

    @property
    def fps(self) -> float:
        """Frames per second at that speed."""
        return 1e3 / self.ms


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both backbones on the same frames.

    Attributes:
        frames: how many.
        separable: the networks as trained.
        standard: with full convolutions of the same function.
        difference: the largest difference of their predictions.
    """

    frames: int
    separable: Side
    standard: Side
    difference: Difference


def compare(source: Source, separable: Pipeline, standard: Pipeline) -> Comparison:
    """Analyses every frame of a source with both; in turns, so that a machine that slows down slows both."""
    one, other = separable.analyser(source.info), standard.analyser(source.info)
    times: tuple[list[float], list[float]] = ([], [])
    differences: list[Difference] = []
    for frame in source:
        found = [_timed(one.analyse, frame, times[0]), _timed(other.analyse, frame, times[1])]
        differences.append(difference(*found))
    # The first ones compile and fill caches.
    medians = [statistics.median(ms[_WARM_UP:] or ms) for ms in times]
    return Comparison(
        frames=len(differences),
        separable=Side(medians[0], _costs(separable)),
        standard=Side(medians[1], _costs(standard)),
        difference=largest(differences),
    )


def _timed(
    analyse: Callable[[Frame], tuple[Instances, dict[str, float]]], frame: Frame, times: list[float]
) -> Instances:
    begun = time.perf_counter()
    instances, _ = analyse(frame)
    times.append((time.perf_counter() - begun) * 1e3)
    return instances


def _costs(pipeline: Pipeline) -> dict[str, Cost]:
    names = [pipeline.detector.name] + ([pipeline.pose.name] if pipeline.pose else [])
    return {name: cost(name, pipeline.backbone) for name in names}
