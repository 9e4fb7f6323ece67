"""Geometry of boxes, regions, masks and letterboxes, and COCO's names, in numpy."""

from typing import TYPE_CHECKING

from ..lazy import lazy_exports

if TYPE_CHECKING:
    from .boxes import iou, nms, vote
    from .coco import keypoint_order
    from .letterbox import Letterbox
    from .logistic import logit, sigmoid
    from .masks import mask_crops, place_masks
    from .roi import overlap, project, refine, roi_from_boxes, roi_from_landmarks, roi_to_image, sample

__all__ = [
    "Letterbox",
    "iou",
    "keypoint_order",
    "logit",
    "mask_crops",
    "nms",
    "overlap",
    "place_masks",
    "project",
    "refine",
    "roi_from_boxes",
    "roi_from_landmarks",
    "roi_to_image",
    "sample",
    "sigmoid",
    "vote",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Letterbox": "letterbox",
        "iou": "boxes",
        "keypoint_order": "coco",
        "logit": "logistic",
        "mask_crops": "masks",
        "nms": "boxes",
        "overlap": "roi",
        "place_masks": "masks",
        "project": "roi",
        "refine": "roi",
        "roi_from_boxes": "roi",
        "roi_from_landmarks": "roi",
        "roi_to_image": "roi",
        "sample": "roi",
        "sigmoid": "logistic",
        "vote": "boxes",
    },
)
