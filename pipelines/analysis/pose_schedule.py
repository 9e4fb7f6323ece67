"""Refreshes poses round-robin: people skipped in a frame keep their last pose, moved along."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...models.types import F32, I64, Poses


@dataclass(frozen=True, slots=True)
class _Last:
    """One person's last look: the box then, and a `Poses` of one."""

    box: F32
    poses: Poses


class PoseSchedule:
    """Chooses whose pose is estimated in a frame, and remembers everybody's last pose.

    Attributes:
        count: frames in which everybody's pose is estimated once; 1 estimates all in each.
        apart: whether frames with a detection look at newcomers alone, and do not count (but not two of them
            in a row). Then few frames take much longer than the others.
    """

    count: int
    apart: bool

    def __init__(self) -> None:
        self.count, self.apart = 1, False
        self._frame = 0
        self._rested = False
        self._last: dict[int, _Last] = {}

    def reset(self) -> None:
        """Forget everyone, as at a cut."""
        self._last.clear()

    def due(self, ids: I64, *, detected: bool) -> npt.NDArray[np.bool_]:
        """(N,) bool, whom of these identities to look at in the next frame; newcomers always.

        Args:
            ids: (N,) identities.
            detected: the frame had a detection.
        """
        known = np.array([number in self._last for number in ids.tolist()], np.bool_)
        self._rested = self.apart and detected and not self._rested
        if self._rested:
            return ~known
        self._frame += 1
        # By rank, not by number, so that as many are due in each frame.
        rank = np.argsort(np.argsort(ids, kind="stable"), kind="stable")
        return ~known | (rank % self.count == self._frame % self.count)

    def merge(self, ids: I64, boxes: F32, due: npt.NDArray[np.bool_], fresh: Poses) -> Poses:
        """Everybody's landmarks and masks in this frame, and the memory of them for the next.

        Args:
            ids: (N,) identities.
            boxes: (N, 4) float32 x1 y1 x2 y2, where they are now.
            due: (N,) bool, whose pose was estimated.
            fresh: what was found of those, in order.

        Returns:
            Poses of all N; regions, keypoints and so the masks of the others are moved and scaled as their
            boxes were.
        """
        if self.count > 1 or self.apart:
            order = iter(range(len(fresh)))
            parts = [
                _row(fresh, next(order)) if looked else _moved(self._last[number], box)
                for number, box, looked in zip(ids.tolist(), boxes, due.tolist(), strict=True)
            ]
            fresh = _joined(parts, fresh)
            self._last = {
                number: _Last(box, part) for number, box, part in zip(ids.tolist(), boxes, parts, strict=True)
            }
        else:
            self._last.clear()
        return fresh


def _row(poses: Poses, row: int) -> Poses:
    return poses.take(slice(row, row + 1))


def _moved(last: _Last, box: F32) -> Poses:
    """A last look, moved and scaled as the box was."""
    then, poses = last.box, last.poses
    old, new = (then[:2] + then[2:]) / 2, (box[:2] + box[2:]) / 2
    scale = float(box[3] - box[1]) / max(float(then[3] - then[1]), 1e-6)
    keypoints = poses.keypoints.copy()
    keypoints[..., :2] = (keypoints[..., :2] - old) * scale + new
    rois, next_rois = poses.rois.copy(), poses.next_rois.copy()
    for regions in (rois, next_rois):
        regions[:, :2] = (regions[:, :2] - old) * scale + new
        regions[:, 2] *= scale
    space = None if poses.space is None else poses.space * np.array([scale, 1, 1, 1], np.float32)
    return Poses(rois, keypoints, poses.presence, next_rois, poses.mask_logits, space)


def _joined(parts: list[Poses], empty: Poses) -> Poses:
    if not parts:
        return empty
    logits = [part.mask_logits for part in parts if part.mask_logits is not None]
    space = [part.space for part in parts if part.space is not None]
    return Poses(
        np.concatenate([part.rois for part in parts]),
        np.concatenate([part.keypoints for part in parts]),
        np.concatenate([part.presence for part in parts]),
        np.concatenate([part.next_rois for part in parts]),
        np.concatenate(logits) if len(logits) == len(parts) else None,
        np.concatenate(space) if len(space) == len(parts) else None,
    )
