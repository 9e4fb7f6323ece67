"""SSD and SSDLite: boxes from one or two passes over the image."""

from collections.abc import Sequence

import cv2
import numpy as np

from ..ops import coco
from ..types import F32, I64, U8, Detections, Part
from .anchors import SSD_SIZE, anchors, decode
from .candidates import Run, Size, Thresholds, _logit, _select, _sigmoid

SSD_THRESHOLDS = Thresholds(score_floor=0.1, nms_iou=0.6)


# The COCO network's scores lie close together: below 0.2 it gives hundreds of boxes, and sorting them out
# takes as long as the network itself.
SSD_COCO_THRESHOLDS = Thresholds(score_floor=0.2, nms_iou=0.6)


PERSON_LABELS = ("person",)


PERSON_LOGITS: I64 = np.array([-1, 0])


TORCHVISION_SIZE: Size = (320, 320)


TORCHVISION_THRESHOLDS = Thresholds(score_floor=0.1, nms_iou=0.55)


COCO_LOGITS: I64 = np.full(91, -1)


COCO_LOGITS[list(coco.CATEGORY_IDS)] = np.arange(len(coco.NAMES))


class SSDPass:
    """One look at the picture with one input size.

    Args:
        run: the network, compiled for ``size`` and with ``ssd_heads(size)`` heads.
        size: (height, width) of its input in pixels.
        boxes: the anchors, by default ``anchors(size)``.
        least: the longer side of its smallest boxes, as a share of the picture's side.
    """

    def __init__(
        self, run: Run, size: Size = SSD_SIZE, boxes: F32 | None = None, *, least: float = 0.0
    ) -> None:
        self._run = run
        self._least = least
        self._anchors = anchors(size) if boxes is None else boxes
        self._batch: U8 = np.empty((1, *size, 3), np.uint8)

    def candidates(self, image: U8, logit_floor: float) -> tuple[F32, F32, I64]:
        """Everything above a logit: boxes as fractions of the picture, their logits, their logit's column."""
        height, width = self._batch.shape[1:3]
        cv2.resize(image, (width, height), dst=self._batch[0])
        encodings, logits = (output[0] for output in self._run(self._batch))
        foreground = logits[:, 1:]
        found, column = np.divmod(np.flatnonzero(foreground >= logit_floor), foreground.shape[1])
        boxes, scores = decode(encodings[found], self._anchors[found]), foreground[found, column]
        if self._least:
            large = (boxes[:, 2:] - boxes[:, :2]).max(1, initial=0) > self._least
            return boxes[large], scores[large], column[large] + 1
        return boxes, scores, column + 1


class SSDDetector:
    """SSD and SSDLite as a `types.Detector`.

    Args:
        name: the name it has in the registry.
        passes: one at 300 x 300; and where small objects matter a second one with a larger input, beside
            which the first gives large boxes only. Their boxes are merged by NMS.
        labels: names of the classes.
        logit_labels: (C,) int64, for each of the network's logits the index into ``labels``, or -1.
        thresholds: which candidates are reported.
    """

    parts: frozenset[Part] = frozenset()

    def __init__(
        self,
        name: str,
        passes: Sequence[SSDPass],
        labels: Sequence[str] = PERSON_LABELS,
        logit_labels: I64 = PERSON_LOGITS,
        thresholds: Thresholds = SSD_THRESHOLDS,
    ) -> None:
        self.name = name
        self.labels = labels
        self._passes = passes
        self._logit_labels = logit_labels
        self._thresholds = thresholds
        self._logit_floor = _logit(thresholds.score_floor)

    def detect(self, image: U8) -> Detections:
        """Objects in an (H, W, 3) uint8 BGR image, best first."""
        found = [one.candidates(image, self._logit_floor) for one in self._passes]
        boxes, logits, columns = (np.concatenate(parts) for parts in zip(*found, strict=True))
        labels = self._logit_labels[columns]
        if (labels < 0).any():  # COCO's ids have gaps, and the network a logit for each
            known = labels >= 0
            boxes, logits, labels = boxes[known], logits[known], labels[known]
        height, width = image.shape[:2]
        boxes = boxes * np.array([width, height, width, height], np.float32)
        return _select(boxes, _sigmoid(logits), labels, image.shape, self._thresholds)
