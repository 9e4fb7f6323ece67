"""The objects of a frame as compact JSON: boxes, keypoints, outlines of masks."""

from typing import Any

import cv2
import numpy as np

from ....pipelines.drawing.options import DrawOptions
from ....pipelines.drawing.skeleton import MIN_JOINT_SCORE, Skeleton
from ....pipelines.sinks.serialize import rounded
from ....pipelines.types import FrameResult, MaskCrop
from ..shared.color import to_css, web_color

_TOLERANCE_PX = 1.0  # of an outline
_MIN_AREA_PX = 12.0  # smaller specks of a mask are left out


def to_json(result: FrameResult, drawing: DrawOptions) -> list[dict[str, Any]]:
    """The objects of a frame, in pixels: box ``[x1, y1, x2, y2]``, keypoints ``[x, y, score]``, polygons.

    Args:
        result: what was found.
        drawing: says what the color of an object means.
    """
    found = result.instances
    boxes = rounded(found.boxes, 1)
    people = found.people
    objects: list[dict[str, Any]] = []
    for row, label in enumerate(found.labels.tolist()):
        track_id = None if found.track_ids is None else int(found.track_ids[row])
        number = label if track_id is None or drawing.color_by == "class" else track_id
        item: dict[str, Any] = {
            "id": track_id,
            "label": found.names[label],
            "score": round(float(found.scores[row]), 2),
            "color": web_color(number),
            "box": boxes[row],
        }
        if found.keypoints is not None and people[row]:
            places = rounded(found.keypoints[row, :, :2], 1)
            scores = rounded(found.keypoints[row, :, 2], 2)
            item["keypoints"] = [[*place, score] for place, score in zip(places, scores, strict=True)]
        mask = None if found.masks is None else found.masks[row]
        if mask is not None:
            item["outline"] = outline(mask)
        objects.append(item)
    return objects


def style_to_json(skeleton: Skeleton, drawing: DrawOptions) -> dict[str, Any]:
    """How to draw objects.

    Returns:
        ``layers``, see `DrawOptions`; ``bones`` ``[keypoint, keypoint, color]``, where the color is None for
        that of the object; ``min_joint_score``, ``mask_opacity``.
    """
    by_side = drawing.color_by == "side"
    return {
        "layers": drawing.layers,
        "bones": [[a, b, to_css(color) if by_side else None] for a, b, color in skeleton.bones],
        "min_joint_score": MIN_JOINT_SCORE,
        "mask_opacity": drawing.mask_opacity,
    }


def outline(mask: MaskCrop) -> list[list[list[int]]]:
    """The edge of a mask as polygons of ``[x, y]`` in pixels; holes are polygons inside others."""
    pixels = np.ascontiguousarray(mask.pixels)
    contours, _ = cv2.findContours(pixels, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=(mask.x, mask.y))
    return [
        cv2.approxPolyDP(contour, _TOLERANCE_PX, True)[:, 0].tolist()
        for contour in contours
        if cv2.contourArea(contour) >= _MIN_AREA_PX
    ]
