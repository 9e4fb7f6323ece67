"""People of files from their first frame on: a new identity reaches back to the frames that led to it."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from ...models.ops.boxes import iou
from ...models.types import F32
from ..types import FrameResult, Instances, MaskCrop

WAIT: Final = 2
"""Frames that a result waits for those after it."""

_LEAST_IOU: Final = 0.3
"""Of the boxes of somebody in two frames, one after the other."""


class FirstSight:
    """Gives people their identity where they were seen first.

    A tracker confirms an identity in the second frame or later; what was found before is ``tentative``. In a
    source of one frame everybody has an identity.
    Whoever has an identity in a frame and none in the one before gets it there too, if there was a tentative
    object of the same class in the same place. Frames wait until those after them are there.
    """

    def __init__(self) -> None:
        """Begin with no frames."""
        self._waiting: deque[FrameResult] = deque()
        self._count = 0

    def push(self, result: FrameResult) -> Iterator[FrameResult]:
        """Add the next frame.

        Yields:
            The frames that are complete by now, oldest first.
        """
        self._waiting.append(result)
        self._count += 1
        for place in range(len(self._waiting) - 1, 0, -1):
            earlier, later = self._waiting[place - 1], self._waiting[place]
            self._waiting[place - 1] = _completed(earlier, later)
        while len(self._waiting) > WAIT:
            yield self._waiting.popleft()

    def flush(self) -> Iterator[FrameResult]:
        """The frames that still wait, after the last one."""
        if self._count == 1:
            self._waiting[0] = _alone(self._waiting[0])
        while self._waiting:
            yield self._waiting.popleft()


def _alone(only: FrameResult) -> FrameResult:
    """The only frame of a source, which no later one confirms: everybody in it has an identity, from 1."""
    tentative, known = only.tentative, only.instances
    if tentative is None or known.track_ids is None:
        return only
    rows = list(range(len(tentative)))
    ids = [number + 1 for number in rows]
    return replace(only, instances=_with(known, tentative, rows, ids), tentative=None)


def _completed(earlier: FrameResult, later: FrameResult) -> FrameResult:
    """The earlier frame with those whose identity begins in the later one."""
    tentative, known, found = earlier.tentative, earlier.instances, later.instances
    if tentative is None or not len(tentative) or known.track_ids is None or found.track_ids is None:
        return earlier
    seen = np.ones(len(found), np.bool_) if found.coasted is None else ~found.coasted
    new = np.flatnonzero(seen & ~np.isin(found.track_ids, known.track_ids))
    overlaps = iou(tentative.boxes, found.boxes) * (tentative.labels[:, None] == found.labels)
    rows, ids = [], []
    for row in new.tolist():
        best = int(overlaps[:, row].argmax())
        if overlaps[best, row] >= _LEAST_IOU:
            rows.append(best)
            ids.append(int(found.track_ids[row]))
            overlaps[best] = 0
    if not rows:
        return earlier
    left = np.setdiff1d(np.arange(len(tentative)), rows)
    return replace(
        earlier, instances=_with(known, tentative, rows, ids), tentative=_chosen(tentative, left.tolist())
    )


def _with(known: Instances, tentative: Instances, rows: list[int], ids: list[int]) -> Instances:
    """The instances of a frame and some of its tentative ones, with these identities."""
    assert known.track_ids is not None
    more = _chosen(tentative, rows)
    masks = None if known.masks is None else [*known.masks, *(more.masks or [None] * len(rows))]
    coasted = known.coasted
    return replace(
        known,
        boxes=np.concatenate([known.boxes, more.boxes]),
        scores=np.concatenate([known.scores, more.scores]),
        labels=np.concatenate([known.labels, more.labels]),
        track_ids=np.concatenate([known.track_ids, np.array(ids, np.int64)]),
        keypoints=_joined(known.keypoints, more.keypoints, len(rows)),
        presence=_joined(known.presence, more.presence, len(rows)),
        pose_scores=_joined(known.pose_scores, more.pose_scores, len(rows)),
        space=_joined(known.space, more.space, len(rows)),
        masks=masks,
        coasted=None if coasted is None else np.append(coasted, np.zeros(len(rows), np.bool_)),
    )


def _chosen(found: Instances, rows: list[int]) -> Instances:
    """Some of the objects of a frame."""
    masks: list[MaskCrop | None] | None = None if found.masks is None else [found.masks[row] for row in rows]
    place = np.array(rows, np.int64)
    return replace(
        found,
        boxes=found.boxes[place],
        scores=found.scores[place],
        labels=found.labels[place],
        keypoints=None if found.keypoints is None else found.keypoints[place],
        pose_scores=None if found.pose_scores is None else found.pose_scores[place],
        space=None if found.space is None else found.space[place],
        masks=masks,
    )


def _joined(known: F32 | None, more: F32 | None, count: int) -> F32 | None:
    """Values of all objects; zeros for those that have none."""
    if known is None:
        return None
    return np.concatenate([known, np.zeros((count, *known.shape[1:]), np.float32) if more is None else more])
