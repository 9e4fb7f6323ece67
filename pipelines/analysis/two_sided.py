"""Steady skeletons in files: keypoints smoothed over the frames before and after, so that nothing lags."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.types import F32
from ..types import FrameResult, Instances, Smoothing

REACH_S: Final = MappingProxyType({"off": 0.0, "light": 0.16, "strong": 0.3})
"""Seconds before and after a frame that its landmarks are smoothed over."""

MOST_FRAMES: Final = 8
"""Frames before and after, at most; this many images wait in memory."""

_LINE, _CURVE = 1.0, 3.0  # noise deviations between them: up to which the line, from which the curve
_JUMP = 0.25  # of the box's width: a step that is off by more from the usual one is no movement
_SMALL = 1e-9


class TwoSidedFilter:
    """Takes the tremble out of landmarks at rest, and keeps the speed of those that move.

    A local regression over time (Cleveland 1979, tricube weights): through each landmark's places around a
    frame go a line and a parabola. Where the two differ by no more than the landmark's own noise explains,
    it rests or moves evenly, and the line's value is taken, which trembles least; where they differ by more,
    the parabola's, which keeps peaks. Nothing is smoothed across a jump, as of a camera that is knocked.
    People are joined by identity. Boxes are smoothed alike; scores and masks stay.

    Frames wait until those after them are there: results come late, and in order.
    """

    def __init__(self, strength: Smoothing) -> None:
        """Begin with an empty window."""
        self._reach_s = REACH_S[strength]
        self._window: deque[tuple[float, _Places]] = deque()  # by time; without images
        self._waiting: deque[FrameResult] = deque()  # those at the end of the window

    def push(self, result: FrameResult) -> Iterator[FrameResult]:
        """Add the next frame.

        Yields:
            The frames that are complete by now, oldest first; their ``instances`` alone have changed.
        """
        self._window.append((result.frame.time_s, _Places.of(result.instances)))
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
        near = [places for (_, places), is_close in zip(nearby, close.tolist(), strict=True) if is_close]
        smooth = _smoothed(result.instances, near, times[close] / self._reach_s)
        while len(self._window) > len(self._waiting) + MOST_FRAMES:
            self._window.popleft()
        return replace(result, instances=smooth)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where everybody with an identity is in one frame.

    Attributes:
        rows: of the identities.
        points: (N, K + 2, 2) float32, x, y of the keypoints and of the box's corners.
        valid: (N, K + 2) bool, which of them are known.
    """

    rows: dict[int, int]
    points: F32
    valid: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, found: Instances) -> "_Places":
        """Those of a frame; nobody's where there are no identities or keypoints."""
        if found.track_ids is None or found.keypoints is None:
            return cls({}, np.zeros((0, 2, 2), np.float32), np.zeros((0, 2), np.bool_))
        points = np.concatenate([found.keypoints[..., :2], found.boxes.reshape(-1, 2, 2)], 1)
        valid = np.ones(points.shape[:2], np.bool_)
        valid[:, :-2] = found.keypoints[..., 2] > 0
        return cls({number: row for row, number in enumerate(found.track_ids.tolist())}, points, valid)


def _smoothed(found: Instances, near: list[_Places], times: np.ndarray) -> Instances:
    """The instances of a frame, smoothed over those of ``near`` at ``times``, in reaches from -1 to 1."""
    if found.keypoints is None or found.track_ids is None or len(near) < 3:
        return found
    keypoints, boxes = found.keypoints.copy(), found.boxes.copy()
    now = int(np.abs(times).argmin())
    together: dict[tuple[int, ...], list[int]] = {}
    posed = np.any(keypoints[..., 2] > 0, axis=1).tolist()
    for row, number in enumerate(found.track_ids.tolist()):
        seen = _without_jumps(near, number, now)
        if len(seen) >= 3 and posed[row]:
            together.setdefault(seen, []).append(row)
    for seen, rows in together.items():  # those who are seen in the same frames, at once
        numbers = found.track_ids[rows].tolist()
        where = [(near[index], [near[index].rows[number] for number in numbers]) for index in seen]
        points = np.stack([places.points[at] for places, at in where]).reshape(len(seen), -1, 2)
        valid = np.stack([places.valid[at] for places, at in where]).reshape(len(seen), -1)
        steady = _at_zero(times[list(seen)], points, valid).reshape(len(rows), -1, 2)
        shown = keypoints[rows, :, 2] > 0
        keypoints[rows, :, :2] = np.where(shown[..., None], steady[:, :-2], keypoints[rows, :, :2])
        boxes[rows] = steady[:, -2:].reshape(-1, 4)
    height, width = found.size
    boxes = boxes.clip(0, np.array([width, height, width, height], np.float32))
    return replace(found, keypoints=keypoints, boxes=boxes)


def _without_jumps(near: list[_Places], number: int, now: int) -> tuple[int, ...]:
    """The frames around ``now`` in which somebody is, up to where they jump."""
    seen = [index for index, places in enumerate(near) if number in places.rows]
    if len(seen) < 3:
        return tuple(seen)
    corners = np.array([near[index].points[near[index].rows[number], -2:] for index in seen])
    steps = np.diff(corners.mean(1), axis=0)
    width = np.median(corners[:, 1, 0] - corners[:, 0, 0])
    jumps = np.hypot(*(steps - np.median(steps, axis=0)).T) > _JUMP * width
    if not jumps.any():
        return tuple(seen)
    stretch = np.concatenate([[0], np.cumsum(jumps)])
    return tuple(np.array(seen)[stretch == stretch[seen.index(now)]].tolist())


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
    weighted = powers.T[None] * weights[:, None]  # (P, 3, N)
    normal = weighted @ powers + _SMALL * np.eye(3)
    # With what each value counts in the line's and the parabola's value at time 0, (P, N).
    line = np.linalg.solve(weighted[:, :2] @ powers[:, :2] + _SMALL * np.eye(2), weighted[:, :2])[:, 0]
    curve = np.linalg.solve(normal, weighted)[:, 0]
    values = points.transpose(1, 0, 2).astype(np.float64)  # (P, N, 2)
    by_line, by_curve = ((share[:, None] @ values)[:, 0] for share in (line, curve))
    counted = valid.sum(0)
    # The standard deviation of the values around their parabola.
    left = values - powers @ np.linalg.solve(normal, weighted @ values)
    mean = (weights[..., None] * left**2).sum(1) / (weights.sum(1)[:, None] + _SMALL)
    spread = np.sqrt(mean * (counted / np.maximum(counted - 3, 1))[:, None])
    noise = spread * np.sqrt(((line - curve) ** 2).sum(1))[:, None]
    apart = np.abs(by_curve - by_line) / (noise + _SMALL)
    share = ((apart - _LINE) / (_CURVE - _LINE)).clip(0, 1)
    smooth = by_line + share * (by_curve - by_line)
    return np.where((counted >= 3)[:, None] & valid[now][:, None], smooth, points[now]).astype(np.float32)
