"""From a network's candidates to detections: thresholds, clipping, NMS, box voting."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..ops.boxes import nms, vote
from ..types import F32, I64, U8, Detections

Run = Callable[[U8], tuple[F32, ...]]


Size = tuple[int, int]  # (height, width) in pixels


_MAX_CANDIDATES = 1000  # bounds the time that NMS takes on a picture that is full of false boxes


_MAX_LOG_SIZE = np.float32(8)  # keeps a broken network's boxes finite; trained ones stay far below


_LOWEST = np.float32(-80)  # below, the sigmoid's exponential would overflow


_ONE = np.float32(1)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How a detector's candidates become its detections.

    Attributes:
        score_floor: the lowest score that is reported, in (0, 1).
        nms_iou: boxes of one class that overlap by more are one object.
        limit: the most objects reported in one picture.
        vote_iou: boxes of one class that overlap by as much have a say in where the best of them is; None
            takes the best as it is.
    """

    score_floor: float
    nms_iou: float
    limit: int = 100
    vote_iou: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.score_floor < 1:
            raise ValueError(f"score_floor must lie between 0 and 1, is {self.score_floor}")


def _select(
    boxes: F32, scores: F32, labels: I64, shape: tuple[int, ...], thresholds: Thresholds
) -> Detections:
    """Clips candidates to a picture of ``shape`` (height, width, ...) and suppresses duplicates."""
    height, width = shape[:2]
    boxes = np.clip(boxes, 0, np.array([width, height, width, height], np.float32))
    usable = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(1))  # some lie wholly outside
    if len(usable) > _MAX_CANDIDATES:
        usable = usable[np.argpartition(-scores[usable], _MAX_CANDIDATES)[:_MAX_CANDIDATES]]
    boxes, scores, labels = boxes[usable], scores[usable], labels[usable]
    kept = nms(boxes, scores, labels, thresholds.nms_iou, thresholds.limit)
    if thresholds.vote_iou is None:
        best = boxes[kept]
    else:
        best = vote(boxes, scores, labels, kept, thresholds.vote_iou)
    return Detections(best, scores[kept], labels[kept].astype(np.int64, copy=False))


def _sigmoid(x: F32) -> F32:
    return _ONE / (_ONE + np.exp(-np.maximum(x, _LOWEST)))


def _logit(p: float) -> float:
    return math.log(p / (1 - p))
