"""Steady skeletons in files: keypoints smoothed over the frames before and after, so that nothing lags."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np

from ...models.types import F32, I64
from ..types import FrameResult, Instances, Smoothing

REACH_S: Final = MappingProxyType({"off": 0.0, "light": 0.16, "strong": 0.3})
"""Seconds before and after a frame that its landmarks are smoothed over."""

MOST_FRAMES: Final = 8
"""Frames before and after, at most; this many images wait in memory."""

_LINE, _CURVE = 1.0, 3.0  # noise deviations between them: up to which the line, from which the curve
_SMALL = 1e-9


class TwoSidedFilter:
    """Takes the tremble out of landmarks at rest, and keeps the speed of those that move.

    A local regression over time (Cleveland 1979, tricube weights): through each landmark's places around a
    frame go a line and a parabola. Where the two differ by no more than the landmark's own noise explains,
    it rests or moves evenly, and the line's value is taken, which trembles least; where they differ by more,
    the parabola's, which keeps peaks. People are joined by identity. Boxes are smoothed alike; scores and
    masks stay.

    Frames wait until those after them are there: results come late, and in order.
    """

    def __init__(self, strength: Smoothing) -> None:
        """Begin with an empty window."""
        self._reach_s = REACH_S[strength]
        self._window: deque[tuple[float, Instances]] = deque()  # times, and what was found; without images
        self._waiting: deque[FrameResult] = deque()  # those at the end of the window

    def push(self, result: FrameResult) -> Iterator[FrameResult]:
        """Add the next frame.

        Yields:
            The frames that are complete by now, oldest first; their ``instances`` alone have changed.
        """
        self._window.append((result.frame.time_s, result.instances))
        self._waiting.append(result)
        while self._waiting:
            later = len(self._waiting) - 1
            ahead_s = result.frame.time_s - self._waiting[0].frame.time_s
            if later < MOST_FRAMES and 0 <= ahead_s < self._reach_s:
                return
            yield self._next()

    def flush(self) -> Iterator[FrameResult]:
        """The frames that still wait, after the last one."""
        while self._waiting:
            yield self._next()

    def _next(self) -> FrameResult:
        place = len(self._window) - len(self._waiting)
        result = self._waiting.popleft()
        nearby = list(self._window)[max(0, place - MOST_FRAMES) : place + MOST_FRAMES + 1]
        times = np.array([time_s for time_s, _ in nearby]) - result.frame.time_s
        close = np.abs(times) < self._reach_s
        near = [found for (_, found), is_close in zip(nearby, close, strict=True) if is_close]
        smooth = _smoothed(result.instances, near, times[close] / self._reach_s)
        while len(self._window) > len(self._waiting) + MOST_FRAMES:
            self._window.popleft()
        return replace(result, instances=smooth)


def _smoothed(found: Instances, near: list[Instances], times: np.ndarray) -> Instances:
    """The instances of a frame, smoothed over those of ``near`` at ``times``, in reaches from -1 to 1."""
    if found.keypoints is None or found.track_ids is None or len(near) < 3:
        return found
    keypoints, boxes = found.keypoints.copy(), found.boxes.copy()
    places = [{} if one.track_ids is None else _rows(one.track_ids) for one in near]
    together: dict[tuple[int, ...], list[int]] = {}
    for row, number in enumerate(found.track_ids.tolist()):
        seen = tuple(index for index, rows in enumerate(places) if number in rows)
        if len(seen) >= 3 and (keypoints[row, :, 2] > 0).any():
            together.setdefault(seen, []).append(row)
    for seen, rows in together.items():  # those who are seen in the same frames, at once
        numbers = found.track_ids[rows].tolist()
        points = np.empty((len(seen), len(rows), keypoints.shape[1] + 2, 2), np.float32)
        valid = np.ones(points.shape[:3], np.bool_)
        for at, index in enumerate(seen):
            where, other = [places[index][number] for number in numbers], near[index]
            assert other.keypoints is not None
            points[at, :, :-2] = other.keypoints[where, :, :2]
            points[at, :, -2:] = other.boxes[where].reshape(-1, 2, 2)
            valid[at, :, :-2] = other.keypoints[where, :, 2] > 0
        points, valid = points.reshape(len(seen), -1, 2), valid.reshape(len(seen), -1)
        steady = _at_zero(times[list(seen)], points, valid).reshape(len(rows), -1, 2)
        shown = keypoints[rows, :, 2] > 0
        keypoints[rows, :, :2] = np.where(shown[..., None], steady[:, :-2], keypoints[rows, :, :2])
        boxes[rows] = steady[:, -2:].reshape(-1, 4)
    height, width = found.size
    boxes = boxes.clip(0, np.array([width, height, width, height], np.float32))
    return replace(found, keypoints=keypoints, boxes=boxes)


def _rows(ids: I64) -> dict[int, int]:
    return {number: row for row, number in enumerate(ids.tolist())}


def _at_zero(times: np.ndarray, points: F32, valid: np.ndarray) -> F32:
    """The smoothed places at time 0.

    Args:
        times: (N,) from -1 to 1.
        points: (N, P, 2).
        valid: (N, P), which points count.

    Returns:
        (P, 2) float32; the point itself where fewer than three count.
    """
    now = int(np.abs(times).argmin())
    # (P, N); where all count, (1, N) and what follows from it stand for all.
    weights = (1 - np.abs(times) ** 3) ** 3 * (np.ones((1, len(times))) if valid.all() else valid.T)
    powers = np.vander(times, 3, increasing=True)  # (N, 3)
    line, curve = (_at_zero_by(powers[:, : degree + 1], weights) for degree in (1, 2))
    values = points.transpose(1, 0, 2).astype(np.float64)  # (P, N, 2)
    by_line, by_curve = ((share[:, None] @ values)[:, 0] for share in (line, curve))
    counted = valid.sum(0)
    noise = _noise(powers, weights, values, counted) * np.sqrt(((line - curve) ** 2).sum(1))[:, None]
    apart = np.abs(by_curve - by_line) / (noise + _SMALL)
    share = ((apart - _LINE) / (_CURVE - _LINE)).clip(0, 1)
    smooth = by_line + share * (by_curve - by_line)
    return np.where((counted >= 3)[:, None] & valid[now][:, None], smooth, points[now]).astype(np.float32)


def _at_zero_by(powers: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(P, N): with what each value counts in the polynomial's value at time 0."""
    weighted = powers.T[None] * weights[:, None]  # (P, degree + 1, N)
    normal = weighted @ powers + _SMALL * np.eye(powers.shape[1])
    return np.linalg.solve(normal, weighted)[:, 0]


def _noise(powers: np.ndarray, weights: np.ndarray, values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """(P, 2): the standard deviation of the values around their parabola."""
    weighted = powers.T[None] * weights[:, None]
    normal = weighted @ powers + _SMALL * np.eye(3)
    left = values - powers @ np.linalg.solve(normal, weighted @ values)
    total = weights.sum(1)[:, None] + _SMALL
    mean = (weights[..., None] * left**2).sum(1) / total
    return np.sqrt(mean * (counted / np.maximum(counted - 3, 1))[:, None])
