"""What is labeled and what is found, drawn for people to look at."""

from collections.abc import Sequence

import cv2
import numpy as np

from ...models.ops import coco
from ...models.training.samples import Sample, fill
from ...models.types import F32, U8, Detections
from ...pipelines.drawing.masks import draw_mask
from ...pipelines.drawing.skeleton import Skeleton
from ...pipelines.drawing.text import Style
from ...pipelines.types import MaskCrop

EXAMPLES = 16
"""Images that are shown."""

_OPACITY = 0.34  # of masks
_LONGEST = 640  # pixels that images are reduced to before anything is drawn
_LABELED, _FOUND, _IGNORED = (90, 200, 120), (40, 150, 255), (150, 150, 150)  # BGR


def spread(samples: Sequence[Sample], count: int = EXAMPLES) -> list[Sample]:
    """At most ``count`` samples that show people, evenly from first to last."""
    shown = [one for one in samples if one.people] or list(samples)
    places = np.linspace(0, len(shown) - 1, min(count, len(shown))).round().astype(int)
    return [shown[place] for place in places.tolist()]


def draw_labels(image: U8, sample: Sample) -> U8:
    """A reduced copy of a sample's (H, W, 3) image with its labels; regions that are ignored are gray."""
    drawn, scale = _reduced(image)
    skeleton, line = Skeleton(coco.SKELETON, coco.KEYPOINTS), Style.of(*drawn.shape[:2]).line
    for box in sample.ignored * scale:
        _rectangle(drawn, box, _IGNORED, cv2.FILLED)
    for person in sample.people:
        if person.outline is not None:
            outline = tuple(tuple(polygon * scale for polygon in part) for part in person.outline)
            mask = fill(outline, (drawn.shape[0], drawn.shape[1])) // 128
            draw_mask(drawn, MaskCrop(mask, 0, 0), _LABELED, line, _OPACITY)
        _rectangle(drawn, person.box * scale, _LABELED, line)
        if person.keypoints is not None:
            points = person.keypoints * np.array([scale, scale, 1], np.float32)
            points[:, 2] = points[:, 2] > 0
            skeleton.draw(drawn, points, person.box * scale, line)
    return drawn


def draw_found(image: U8, found: Detections, least: float) -> U8:
    """A reduced copy of an (H, W, 3) image with everybody who was found with at least a score."""
    drawn, scale = _reduced(image)
    skeleton, line = Skeleton(coco.SKELETON, coco.KEYPOINTS), Style.of(*drawn.shape[:2]).line
    for index in np.flatnonzero(found.scores >= least).tolist():
        box = found.boxes[index] * scale
        _rectangle(drawn, box, _FOUND, line)
        if found.keypoints is not None:
            points = found.keypoints[index] * np.array([scale, scale, 1], np.float32)
            skeleton.draw(drawn, points.astype(np.float32), box, line)
    return drawn


def _reduced(image: U8) -> tuple[U8, float]:
    scale = min(1.0, _LONGEST / max(image.shape[:2]))
    size = round(image.shape[1] * scale), round(image.shape[0] * scale)
    return np.array(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _rectangle(image: U8, box: F32, color: tuple[int, int, int], line: int) -> None:
    x1, y1, x2, y2 = box.round().astype(int).tolist()
    cv2.rectangle(image, (x1, y1), (x2, y2), color, line)
