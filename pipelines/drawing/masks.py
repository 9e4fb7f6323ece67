"""Drawing an instance mask: a tint and an outline."""

import cv2
import numpy as np

from ...models.types import U8
from ..types import MaskCrop
from .colors import Color

_OUTLINE_TOLERANCE_PX = 0.8


def draw_mask(image: U8, mask: MaskCrop, color: Color, line: int, opacity: float) -> None:
    """Tints a person's pixels and draws their outline; works on the crop alone.

    Args:
        image: (H, W, 3) uint8 BGR, contiguous; drawn on in place.
        mask: the person's pixels; what lies outside the image is left out.
        color: of the tint and the outline.
        line: thickness of the image's other lines, in pixels.
        opacity: of the color over the person's pixels, 0 to 1.
    """
    height, width = mask.pixels.shape
    area = image[mask.y : mask.y + height, mask.x : mask.x + width]
    pixels = np.ascontiguousarray(mask.pixels[: area.shape[0], : area.shape[1]])
    if not pixels.size:
        return
    # Filling a row and copying it is forty times faster than filling a plane pixel by pixel, and the outline
    # as a polygon three times faster than as an eroded edge.
    plane = np.empty_like(area)
    plane[0] = color
    plane[1:] = plane[0]
    cv2.copyTo(cv2.addWeighted(area, 1 - opacity, plane, opacity, 0, plane), pixels, area)
    contours, _ = cv2.findContours(pixels, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=(mask.x, mask.y))
    smooth = [cv2.approxPolyDP(contour, _OUTLINE_TOLERANCE_PX, True) for contour in contours]
    cv2.polylines(image, smooth, True, color, max(1, line - 1), cv2.LINE_AA)
