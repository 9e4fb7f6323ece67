"""From a network's candidates to detections: clipping, NMS, box voting."""

from collections.abc import Callable

import numpy as np

from ..ops.boxes import nms, vote
from ..spec import Thresholds
from ..types import F32, I64, U8, Detections

Run = Callable[[U8], tuple[F32, ...]]
"""Maps a (1, H, W, 3) uint8 BGR batch to the network's float32 outputs, such as a `runtime.Runner`."""

MAX_LOG_SIZE = np.float32(8)
"""Upper limit of the logarithm of a box's size: keeps the boxes of a broken network finite."""

_MAX_CANDIDATES = 1000  # bounds the time that NMS takes on an image full of false boxes


def select(
    boxes: F32, scores: F32, labels: I64, shape: tuple[int, ...], thresholds: Thresholds
) -> Detections:
    """Clips candidates to the image and suppresses duplicates.

    Args:
        boxes: (N, 4) float32 x1 y1 x2 y2 in image pixels.
        scores: (N,) float32 in (0, 1].
        labels: (N,) int64.
        shape: (height, width, ...) of the image.
        thresholds: for NMS and box voting; the score floor is not applied.
    """
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
