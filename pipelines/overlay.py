"""Pure drawing: what was found in a frame, onto its picture. Touches only the pixels of what is drawn."""

from collections.abc import Sequence

import cv2
import numpy as np

from ..models.types import F32, U8
from .frames import FrameResult, Instances, MaskCrop
from .hud import Hud
from .style import REGULAR, WHITE, Colour, Style, colour_of, ink_on, lighter, put_text, text_width

JOINT_FLOOR = 0.5
"""Least score of a keypoint that is drawn."""

_FILL = 0.42  # share of the colour in a person's mask
_SHIFT = 4  # fractional bits of the coordinates that OpenCV draws with, so that skeletons move smoothly
Rect = tuple[int, int, int, int]  # x1 y1 x2 y2, end exclusive


class Overlay:
    """Draws boxes, labels, masks, skeletons and a read-out.

    Args:
        skeleton: pairs of keypoint indices that are joined, as the pose network gives them.
        hud: the read-out in the corner, or None for none.
    """

    def __init__(self, skeleton: Sequence[tuple[int, int]] = (), hud: Hud | None = None) -> None:
        self._bones = np.array(skeleton, np.int64).reshape(-1, 2)
        self._hud = hud

    def draw(self, image: U8, result: FrameResult) -> None:
        """Draws a result into an (H, W, 3) uint8 BGR picture, in place.

        Args:
            image: the frame's picture or one of its size; contiguous.
            result: what was found in it. A track has its colour by its identity; without identities an object
                has one by its class.
        """
        found = result.instances
        style = Style.of(*image.shape[:2])
        colours = _colours(found)
        # The nearest person, whose box ends lowest, is drawn last and so on top.
        order = np.argsort(found.boxes[:, 3], kind="stable").tolist()
        if found.masks is not None:
            for row in order:
                mask = found.masks[row]
                if mask is not None:
                    _draw_mask(image, mask, colours[row], style.line)
        for row in order:
            _draw_box(image, found.boxes[row], colours[row], style.line)
            if found.keypoints is not None:
                self._draw_skeleton(image, found.keypoints[row], found.boxes[row], colours[row], style)
        _draw_labels(image, found, order, colours, style)
        if self._hud is not None:
            self._hud.draw(image, result)

    def _draw_skeleton(self, image: U8, points: F32, box: F32, colour: Colour, style: Style) -> None:
        height, width = image.shape[:2]
        inside = (points[:, :2] >= 0).all(1) & (points[:, 0] < width) & (points[:, 1] < height)
        seen = inside & (points[:, 2] >= JOINT_FLOOR)
        bones = self._bones[seen[self._bones].all(1)]
        if not len(bones):
            return
        # Thin lines for small people; bones shorter than the line is thick would only be blots.
        thickness = int(np.clip(round(float(box[3] - box[1]) / 120), 1, 2 * style.line))
        ends = points[bones, :2]
        long = np.abs(ends[:, 0] - ends[:, 1]).max(1) > 1.5 * thickness
        if not long.any():
            return
        segments = np.round(ends[long] * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(image, list(segments), False, lighter(colour), thickness, cv2.LINE_AA, _SHIFT)
        radius = round((0.6 + thickness * 0.75) * (1 << _SHIFT))
        for x, y in np.unique(segments.reshape(-1, 2), axis=0).tolist():
            cv2.circle(image, (x, y), radius, WHITE, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _colours(found: Instances) -> list[Colour]:
    numbers = found.labels if found.track_ids is None else found.track_ids
    return [colour_of(number) for number in numbers.tolist()]


def _draw_mask(image: U8, mask: MaskCrop, colour: Colour, line: int) -> None:
    """Tints the person's pixels and draws their outline, on the crop alone."""
    height, width = mask.pixels.shape
    area = image[mask.y : mask.y + height, mask.x : mask.x + width]
    height, width = area.shape[:2]
    if not height or not width:
        return
    pixels = mask.pixels[:height, :width]
    plane = np.empty_like(area)
    plane[:] = colour
    cv2.copyTo(cv2.addWeighted(area, 1 - _FILL, plane, _FILL, 0), pixels, area)
    kernel = np.ones((3, 3), np.uint8)
    inner = cv2.erode(pixels, kernel, iterations=line, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    cv2.copyTo(plane, cv2.subtract(pixels, inner), area)


def _draw_box(image: U8, box: F32, colour: Colour, line: int) -> None:
    x1, y1, x2, y2 = (int(v) for v in np.round(box))
    cv2.rectangle(image, (x1, y1), (x2, y2), colour, line)


def _draw_labels(
    image: U8, found: Instances, order: Sequence[int], colours: Sequence[Colour], style: Style
) -> None:
    """Labels at their boxes, inside the picture, and clear of those already placed where there is room."""
    height, width = image.shape[:2]
    taken: list[Rect] = []
    for row in reversed(order):
        text = _label(found, row)
        wide = text_width(text, style.text, REGULAR) + 2 * style.pad
        high = round(style.text * 1.15) + 2 * (style.pad // 2)
        if wide > width or high > height:
            continue
        rect = _place(found.boxes[row], wide, high, width, height, taken)
        taken.append(rect)
        x1, y1, x2, y2 = rect
        image[y1:y2, x1:x2] = colours[row]
        base = y1 + style.pad // 2 + round(style.text * 0.93)
        put_text(image, text, x1 + style.pad, base, ink_on(colours[row]), style.text)


def _place(box: F32, wide: int, high: int, width: int, height: int, taken: Sequence[Rect]) -> Rect:
    """Above the box, else inside its top, below it, or inside its bottom; else above, over another one."""
    x1, y1, _, y2 = (int(v) for v in np.round(box))
    x = min(max(x1, 0), width - wide)
    spots = [
        (x, top, x + wide, top + high)
        for top in (y1 - high, y1, y2, y2 - high)
        if top >= 0 and top + high <= height
    ]
    if not spots:
        top = min(max(y1, 0), height - high)
        spots = [(x, top, x + wide, top + high)]
    return next((s for s in spots if not any(_meet(s, other) for other in taken)), spots[0])


def _meet(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _label(found: Instances, row: int) -> str:
    name = found.names[int(found.labels[row])]
    score = f"{found.scores[row]:.2f}"
    if found.track_ids is None:
        return f"{name} {score}"
    number = f"#{found.track_ids[row]}"
    return f"{number} {score}" if name == "person" else f"{name} {number} {score}"
