"""Crops for the second look: where they lie, and how they are cut out."""

import math

import cv2
import numpy as np

from ..types import F32, U8
from .types import View

ROWS = 192
COLUMNS = (96, 160, 256)
"""Height and widths of the crops in pixels. Each width is a network compiled once more, so they are few."""

_PERSON = 160.0  # pixels that a person is high in the crop; its best sizes are 60 to 250
_WIDE = 0.8  # of the width, which the scale goes by where this is more than the height
_BESIDE = 16.0  # pixels at least on either side of the person, unless the crop is the widest


def crop_around(box: F32) -> tuple[View, tuple[int, int]]:
    """The crop with a person of about 160 pixels height in its middle.

    Args:
        box: (4,) float32 x1 y1 x2 y2 in image pixels.

    Returns:
        The view, and its (height, width) in pixels.
    """
    x1, y1, x2, y2 = box.tolist()
    scale = _PERSON / max(y2 - y1, _WIDE * (x2 - x1), 1.0)
    wanted = (x2 - x1) * scale + 2 * _BESIDE
    columns = next((width for width in COLUMNS if width >= wanted), COLUMNS[-1])
    origin = (x1 + x2 - columns / scale) / 2, (y1 + y2 - ROWS / scale) / 2
    return View(origin, (scale, scale)), (ROWS, columns)


def cut(image: U8, view: View, out: U8) -> None:
    """Fill ``out``, (h, w, 3) uint8, with what the view shows of an (H, W, 3) image; black beyond it."""
    (rows, columns), (height, width) = out.shape[:2], image.shape[:2]
    (x, y), (scale, _) = view.origin, view.scale
    left, top = max(math.floor(x), 0), max(math.floor(y), 0)
    right = min(math.ceil(x + columns / scale) + 1, width)
    bottom = min(math.ceil(y + rows / scale) + 1, height)
    if right <= left or bottom <= top:
        out[:] = 0
        return
    part, step = image[top:bottom, left:right], scale
    # Bilinear sampling alone would skip pixels. Averages of 2 x 2 are several times as fast as those of other
    # areas, if the sides are even.
    while step <= 0.5 and min(part.shape[:2]) > 1:
        width, height = part.shape[1] // 2, part.shape[0] // 2
        part = cv2.resize(part[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
        step *= 2
    shift = step / 2 - 0.5
    affine = np.array([[step, 0, (left - x) * scale + shift], [0, step, (top - y) * scale + shift]])
    cv2.warpAffine(part, affine, (columns, rows), out, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT, (0, 0, 0))
