"""Boxes moved along with keypoints, for frames without a detection."""

import numpy as np
import numpy.typing as npt

from ...models.types import F32, I64


class BoxPropagation:
    """Moves boxes from one detection to the next: they move and grow as the landmarks in them do."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[F32, F32]] = {}

    def reset(self) -> None:
        """Forget everyone, as at a cut."""
        self._last.clear()

    def set(self, ids: I64, boxes: F32, keypoints: F32) -> None:
        """Begin again at a detection, and forget everyone else.

        Args:
            ids: (N,) identities.
            boxes: (N, 4) float32 x1 y1 x2 y2, as they were detected.
            keypoints: (N, K, 3) float32, the landmarks of the same frame.
        """
        rows = zip(ids.tolist(), boxes, keypoints[..., :2], strict=True)
        self._last = {number: (box, points) for number, box, points in rows}

    def keep(self, ids: I64) -> None:
        """Forget everyone but these (N,) identities: the others' landmarks were lost on the way."""
        self._last = {number: self._last[number] for number in ids.tolist() if number in self._last}

    def have(self, ids: I64) -> npt.NDArray[np.bool_]:
        """(N,) bool, which of these (N,) identities can be propagated."""
        return np.array([number in self._last for number in ids.tolist()], np.bool_)

    def propagate(self, ids: I64, boxes: F32, keypoints: F32) -> F32:
        """Boxes in this frame.

        Args:
            ids: (N,) identities.
            boxes: (N, 4) float32, where those are who have no box to propagate.
            keypoints: (N, K, 3) float32, the landmarks of this frame.

        Returns:
            (N, 4) float32 x1 y1 x2 y2.
        """
        moved = boxes.copy()
        rows = [i for i, number in enumerate(ids.tolist()) if number in self._last]
        if rows:
            then, points = (
                np.stack(part) for part in zip(*(self._last[int(ids[i])] for i in rows), strict=True)
            )
            moved[rows] = _moved(then, points, keypoints[rows, :, :2])
        return moved


def _moved(boxes: F32, then: F32, now: F32) -> F32:
    """(N, 4) boxes, moved as (N, K, 2) points on average do, grown as their spread does."""
    old, new = then.mean(1, keepdims=True), now.mean(1, keepdims=True)
    # Points that all lie in one place say nothing of the size, so spreads count as a pixel at least.
    spread_then, spread_now = (
        np.maximum(((points - center) ** 2).sum((1, 2)), 1.0) for points, center in ((then, old), (now, new))
    )
    grown = np.sqrt(spread_now / spread_then)
    corners = (boxes.reshape(-1, 2, 2) - old) * grown[:, None, None] + new
    return corners.reshape(-1, 4).astype(np.float32)
