"""Precision and recall by threshold, the best threshold, and how far two runs are apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .matches import OVERLAPS, Matches

ROUNDS: Final = 1000
"""Samples of the images from which intervals are taken."""

_RECALLS = np.linspace(0, 1, 101)
_POINTS = 200  # of a curve that is kept
_AT_ONCE = 50  # samples that are computed together
F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Point:
    """What a threshold gives.

    Attributes:
        threshold: lowest score that is reported.
        precision: share of the results that are right; NaN without results.
        recall: share of the objects that are found; NaN without objects.
        f1: harmonic mean of the two.
    """

    threshold: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Precision and recall at an overlap of 0.5, by falling threshold.

    Attributes:
        thresholds: (N,) the scores, the highest first.
        precision: (N,) with everything from that score on reported.
        recall: (N,) of the same.
    """

    thresholds: F64
    precision: F64
    recall: F64

    @property
    def best(self) -> Point | None:
        """The threshold with the best F1; None without results."""
        if not len(self.thresholds):
            return None
        return self._point(int(np.nan_to_num(_f1(self.precision, self.recall)).argmax()))

    def at(self, threshold: float) -> Point:
        """The precision and recall of a threshold."""
        reported = int((self.thresholds >= threshold).sum())
        if not reported:
            return Point(threshold, np.nan, 0.0, 0.0)
        point = self._point(reported - 1)
        return Point(threshold, point.precision, point.recall, point.f1)

    def to_json(self) -> dict[str, list[float]]:
        """As JSON, with at most 200 points."""
        kept = np.unique(np.linspace(0, len(self.thresholds) - 1, _POINTS).round().astype(int))
        kept = kept[: len(self.thresholds)] if len(self.thresholds) else kept[:0]
        columns = {"threshold": self.thresholds, "precision": self.precision, "recall": self.recall}
        return {name: values[kept].round(5).tolist() for name, values in columns.items()}

    def _point(self, row: int) -> Point:
        precision, recall = self.precision[row], self.recall[row]
        values = self.thresholds[row], precision, recall, _f1(precision, recall)
        return Point(*(float(value) for value in values))


def curve(matches: Sequence[Matches]) -> Curve:
    """The curve of all images together."""
    every = _All(matches)
    found, right = every.sums(np.ones((1, len(matches))), 0)
    last = np.flatnonzero(np.append(np.diff(every.scores) != 0, True)) if len(every.scores) else []
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall = right[0] / found[0], right[0] / every.objects.sum()
    return Curve(every.scores[last], precision[last], recall[last])


@dataclass(frozen=True, slots=True)
class Difference:
    """How far the second of two runs is from the first.

    Attributes:
        first: the figure of the first run.
        second: the figure of the second.
        low: 2.5th percentile of the difference, second minus first, over samples of the images.
        high: 97.5th percentile.
    """

    first: float
    second: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


def compare(
    first: Sequence[Matches], second: Sequence[Matches], thresholds: tuple[float, float], *, seed: int = 0
) -> Mapping[str, Difference]:
    """Compares two runs over the same images, by a paired bootstrap over images.

    Args:
        first: of each image.
        second: of the same images in the same order.
        thresholds: lowest score that each run reports, for precision, recall and F1.
        seed: of the samples.

    Returns:
        By name: ``AP``, ``AP50``, ``precision``, ``recall``, ``F1``.
    """
    count = len(first)
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), ROUNDS)
    weights = np.vstack([np.ones(count), draws]).astype(np.float64)
    ones, others = (
        _figures(_All(run), weights, threshold)
        for run, threshold in zip((first, second), thresholds, strict=True)
    )
    differences = {}
    for name in ones:
        apart = (others[name] - ones[name])[1:]
        apart = apart[np.isfinite(apart)]  # a sample without results has no precision
        low, high = np.percentile(apart, (2.5, 97.5)) if len(apart) else (np.nan, np.nan)
        differences[name] = Difference(float(ones[name][0]), float(others[name][0]), float(low), float(high))
    return differences


def _figures(every: "_All", weights: F64, threshold: float) -> dict[str, F64]:
    """Each figure for each weighting of the images: (R,)."""
    parts: list[dict[str, Any]] = []
    reported = int((every.scores >= threshold).sum())
    for start in range(0, len(weights), _AT_ONCE):
        some = weights[start : start + _AT_ONCE]
        found, right = every.sums(some, 0)
        objects = some @ every.objects
        last = (found[:, reported - 1], right[:, reported - 1]) if reported else (objects * 0, objects * 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            precision, recall = last[1] / last[0], last[1] / objects
        parts.append(
            {
                "AP": every.average_precision(some, range(len(OVERLAPS))),
                "AP50": every.average_precision(some, range(1)),
                "precision": precision,
                "recall": recall,
                "F1": _f1(precision, recall),
            }
        )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


class _All:
    """The results of all images, the best score first."""

    def __init__(self, matches: Sequence[Matches]) -> None:
        scores = np.concatenate([one.scores for one in matches] or [np.zeros(0)])
        order = np.argsort(-scores, kind="mergesort")
        shape = (0, len(OVERLAPS))
        self.scores: F64 = scores[order]
        self.objects = np.array([one.objects for one in matches], np.float64)
        self._image = np.repeat(np.arange(len(matches)), [len(one.scores) for one in matches])[order]
        self._right = np.concatenate([one.right for one in matches] or [np.zeros(shape, bool)])[order]
        self._ignored = np.concatenate([one.ignored for one in matches] or [np.zeros(shape, bool)])[order]

    def sums(self, weights: F64, overlap: int) -> tuple[F64, F64]:
        """Results that count and results that are right, down to each score: (R, N) for R weightings."""
        weighted = weights[:, self._image]
        found = np.cumsum(weighted * ~self._ignored[:, overlap], axis=1)
        return found, np.cumsum(weighted * self._right[:, overlap], axis=1)

    def average_precision(self, weights: F64, overlaps: Sequence[int]) -> F64:
        """COCO's average precision, the mean over some overlaps, for each weighting: (R,)."""
        objects = weights @ self.objects
        total = np.zeros(len(weights))
        for overlap in overlaps:
            found, right = self.sums(weights, overlap)
            with np.errstate(divide="ignore", invalid="ignore"):
                recall = right / objects[:, None]
                precision = right / np.maximum(found, np.spacing(1))
            best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
            best = np.hstack([best, np.zeros((len(weights), 1))])
            for row, line in enumerate(recall):
                total[row] += best[row, np.searchsorted(line, _RECALLS - 1e-12)].mean()
        return np.where(objects > 0, total / len(overlaps), np.nan)


def _f1(precision: Any, recall: Any) -> Any:  # noqa: ANN401 - numbers or arrays
    """The harmonic mean; 0 where nothing is right or nothing is found."""
    precision = np.nan_to_num(precision)
    return 2 * precision * recall / np.maximum(precision + recall, np.spacing(1))
