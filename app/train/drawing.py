"""What is labeled and what is found, drawn for people to look at."""

from collections.abc import Sequence

import cv2
import numpy as np

from ...models.ops import coco
from ...models.training.samples import Sample, fill
from ...models.types import F32, U8, Detections
from ...pipelines.drawing.colors import WHITE
from ...pipelines.drawing.masks import draw_mask
from ...pipelines.drawing.skeleton import Skeleton
from ...pipelines.drawing.text import Style, put_text, text_width
from ...pipelines.types import MaskCrop

EXAMPLES = 16
"""Images that are shown."""

_OPACITY = 0.34  # of masks
_LONGEST = 640  # pixels that images are reduced to before anything is drawn
_LABELED, _FOUND, _IGNORED = (90, 200, 120), (40, 150, 255), (150, 150, 150)  # BGR
_STRIPES = 12  # pixels from one to the next in a region that is ignored
_CAPTION, _LOWEST_CAPTION = 0.035, 12  # height of its text, by the longer side of the image; pixels, at least


def spread(samples: Sequence[Sample], count: int = EXAMPLES) -> list[Sample]:
    """At most ``count`` samples that show people, evenly from first to last."""
    shown = [one for one in samples if one.people] or list(samples)
    places = np.linspace(0, len(shown) - 1, min(count, len(shown))).round().astype(int)
    return [shown[place] for place in places.tolist()]


def draw_labels(image: U8, sample: Sample) -> U8:
    """A reduced copy of a sample's (H, W, 3) image with its labels; regions that are ignored are hatched."""
    drawn, scale = _reduced(image)
    skeleton, line = Skeleton(coco.SKELETON, coco.KEYPOINTS), Style.of(*drawn.shape[:2]).line
    for box in sample.ignored * scale:
        _hatch(drawn, box, line)
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
        if found.masks is not None:
            whole = MaskCrop(*found.masks[index]).to_full(*image.shape[:2]).astype(np.uint8)
            mask = cv2.resize(whole, drawn.shape[1::-1], interpolation=cv2.INTER_NEAREST)
            draw_mask(drawn, MaskCrop(np.asarray(mask, np.uint8), 0, 0), _FOUND, line, _OPACITY)
        _rectangle(drawn, box, _FOUND, line)
        if found.keypoints is not None:
            points = found.keypoints[index] * np.array([scale, scale, 1], np.float32)
            skeleton.draw(drawn, points.astype(np.float32), box, line)
    return drawn


def captioned(image: U8, text: str) -> U8:
    """An (H, W, 3) image above a line of text, of which the end is shown if it is too long."""
    height = max(round(_CAPTION * max(image.shape[:2])), _LOWEST_CAPTION)
    strip = np.zeros((round(1.6 * height), image.shape[1], 3), np.uint8)
    shown, left = text, 0
    while text_width(shown, height) > image.shape[1] and left < len(text):
        left += 1
        shown = f"…{text[left:]}"
    put_text(strip, shown, 0, round(1.2 * height), WHITE, height)
    return np.concatenate([image, strip])


def _reduced(image: U8) -> tuple[U8, float]:
    scale = min(1.0, _LONGEST / max(image.shape[:2]))
    size = max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1)
    return np.array(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _hatch(image: U8, box: F32, line: int) -> None:
    """Slanting lines over a box."""
    x1, y1 = box[:2].clip(0).round().astype(int)
    x2, y2 = box[2:].round().astype(int)
    area = np.ascontiguousarray(image[y1:y2, x1:x2])
    height, width = area.shape[:2]
    for start in range(0, width + height, _STRIPES):
        cv2.line(area, (start, 0), (start - height, height), _IGNORED, line, cv2.LINE_AA)
    image[y1:y2, x1:x2] = area
    _rectangle(image, box, _IGNORED, line)


def _rectangle(image: U8, box: F32, color: tuple[int, int, int], line: int) -> None:
    x1, y1, x2, y2 = box.round().astype(int).tolist()
    cv2.rectangle(image, (x1, y1), (x2, y2), color, line)
