"""How far two analyses of the same frame are apart."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..types import Instances, MaskCrop


@dataclass(frozen=True, slots=True)
class Difference:
    """The largest difference between two sets of predictions.

    Attributes:
        same_objects: whether both have as many objects, of the same classes and with the same identities.
        boxes_px: largest difference of a box coordinate in pixels.
        keypoints_px: largest difference of a keypoint coordinate in pixels.
        mask_iou: smallest IoU of two masks of one object; 1 where there are none.
    """

    same_objects: bool = True
    boxes_px: float = 0.0
    keypoints_px: float = 0.0
    mask_iou: float = 1.0


def difference(one: Instances, other: Instances) -> Difference:
    """Compares what was found in one frame by two networks.

    Objects are matched by their identities, or by their order where there are none. What only one of the two
    has is not measured, but then they are not the ``same_objects``.
    """
    pairs = _pairs(one, other)
    rows, others = pairs[:, 0], pairs[:, 1]
    same = len(one) == len(other) == len(pairs) and bool(np.all(one.labels[rows] == other.labels[others]))
    keypoints = 0.0
    if one.keypoints is not None and other.keypoints is not None:
        keypoints = _largest(one.keypoints[rows, :, :2] - other.keypoints[others, :, :2])
    overlap = 1.0
    if one.masks is not None and other.masks is not None:
        ious = (iou_of_masks(one.masks[i], other.masks[j]) for i, j in pairs.tolist())
        overlap = min(ious, default=1.0)
    return Difference(same, _largest(one.boxes[rows] - other.boxes[others]), keypoints, overlap)


def largest(differences: Iterable[Difference]) -> Difference:
    """The largest of several differences, each part by itself."""
    worst = Difference()
    for one in differences:
        worst = Difference(
            worst.same_objects and one.same_objects,
            max(worst.boxes_px, one.boxes_px),
            max(worst.keypoints_px, one.keypoints_px),
            min(worst.mask_iou, one.mask_iou),
        )
    return worst


def _pairs(one: Instances, other: Instances) -> np.ndarray:
    """(M, 2) int, rows of the same object in both."""
    if one.track_ids is None or other.track_ids is None:
        return np.repeat(np.arange(min(len(one), len(other)))[:, None], 2, axis=1)
    _, rows, others = np.intersect1d(one.track_ids, other.track_ids, return_indices=True)
    return np.stack([rows, others], axis=1)


def _largest(values: np.ndarray) -> float:
    return float(np.abs(values).max(initial=0.0))


def iou_of_masks(one: MaskCrop | None, other: MaskCrop | None) -> float:
    """IoU of two masks; 1 where both are empty or missing."""
    if one is None or other is None:
        return 1.0 if one is other else 0.0
    left, top = max(one.x, other.x), max(one.y, other.y)
    right = min(one.x + one.pixels.shape[1], other.x + other.pixels.shape[1])
    bottom = min(one.y + one.pixels.shape[0], other.y + other.pixels.shape[0])
    both = 0
    if right > left and bottom > top:
        both = int(
            np.count_nonzero(
                _window(one, left, top, right, bottom) & _window(other, left, top, right, bottom)
            )
        )
    union = one.area + other.area - both
    return both / union if union else 1.0


def _window(mask: MaskCrop, left: int, top: int, right: int, bottom: int) -> np.ndarray:
    return mask.pixels[top - mask.y : bottom - mask.y, left - mask.x : right - mask.x]
