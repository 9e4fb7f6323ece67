"""What people are told apart by when boxes don't: the colors of their clothes."""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from ...models.ops.boxes import iou
from ...models.types import F32, I64, U8, Detections

_PARTS = ((0.18, 0.5), (0.5, 0.9))  # of a box's height: a jacket, and trousers
_ACROSS = (0.25, 0.75)  # of its width
_ROWS, _COLUMNS = 16, 12  # pixels sampled of each part, however large it is
_GRAY = 40  # saturation up to which a pixel has no hue
_HUES, _VALUES, _GRAYS = 16, 4, 8
_BINS = _HUES * _VALUES + _GRAYS
_CODE = np.float32(1 / (len(_PARTS) * _ROWS * _COLUMNS))

_PRIOR_PAIRS, _MOST_PAIRS = 30, 3000  # pairs of strangers that the first guess counts for, and all others
_PRIOR_MEAN, _PRIOR_SPREAD = 0.45, 0.17  # mean and standard deviation, on PETS09-S2L1
_RARE = 1.5  # standard deviations above the mean,
_LEAST_APART = 0.05  # and at least this much

COLORS: Final = len(_PARTS) * _BINS
"""Values that describe somebody's colors."""


def with_colors(found: Detections, image: U8, least: float) -> Detections:
    """Detections of an (H, W, 3) uint8 BGR image with the colors of those who score at least ``least``.

    The others, who are hidden or not there, have zeros.
    """
    rows = np.flatnonzero(found.scores >= least)
    colors = np.zeros((len(found), COLORS), np.float32)
    colors[rows] = colors_of(image, found.boxes[rows])
    return replace(found, colors=colors)


def colors_of(image: U8, boxes: F32) -> F32:
    """How much of each color the upper and the lower half of everybody's clothes have.

    Args:
        image: (H, W, 3) uint8 BGR.
        boxes: (N, 4) float32 x1 y1 x2 y2 in its pixels, N >= 0.

    Returns:
        (N, `COLORS`) float32, roots of two histograms' shares: unit vectors, whose product is Bhattacharyya's
        coefficient, 1 for the same colors and 0 for none in common.
    """
    count = len(boxes)
    if not count:
        return np.zeros((0, COLORS), np.float32)
    height, width = image.shape[:2]
    sides = boxes[:, 2:] - boxes[:, :2]
    down = np.stack([_between(low, high, _ROWS) for low, high in _PARTS])  # (2, rows)
    y = boxes[:, 1, None, None] + down * sides[:, 1, None, None]
    x = boxes[:, 0, None] + _between(*_ACROSS, _COLUMNS) * sides[:, 0, None]
    rows = y.astype(np.int64).clip(0, height - 1)[..., None]  # (N, 2, rows, 1)
    columns = x.astype(np.int64).clip(0, width - 1)[:, None, None]  # (N, 1, 1, columns)
    pixels = image[rows, columns].reshape(-1, _COLUMNS, 3)
    hsv = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV), np.uint8)
    codes = _codes(hsv).reshape(count * len(_PARTS), -1)
    codes += _BINS * np.arange(len(codes))[:, None]
    shares = np.bincount(codes.ravel(), minlength=len(codes) * _BINS).reshape(count, COLORS)
    return np.sqrt(shares.astype(np.float32) * _CODE)


class Strangers:
    """How alike people are who are not the same: in gray images and in uniforms, much.

    Learned from everybody who is seen at the same time and apart.
    """

    def __init__(self) -> None:
        """Begin with what people in color film are like."""
        self._pairs = _PRIOR_PAIRS
        self._mean, self._square = _PRIOR_MEAN, _PRIOR_MEAN**2 + _PRIOR_SPREAD**2

    def learn(self, boxes: F32, colors: F32) -> None:
        """Take in one image: (N, 4) float32 boxes, and their (N, `COLORS`) colors."""
        if len(boxes) < 2:
            return
        one, other = np.nonzero(np.triu(iou(boxes, boxes) <= 0, 1))
        if not len(one):
            return
        alike = (colors[one] * colors[other]).sum(1)
        self._pairs = min(self._pairs + len(alike), _MOST_PAIRS)
        share = len(alike) / self._pairs
        self._mean += share * (float(alike.mean()) - self._mean)
        self._square += share * (float((alike**2).mean()) - self._square)

    @property
    def usual(self) -> float:
        """The mean product of two strangers' colors."""
        return self._mean

    @property
    def rare(self) -> float:
        """A product of colors that few pairs of strangers reach; above 1 where colors tell nobody apart."""
        spread = max(self._square - self._mean**2, 0.0) ** 0.5
        return self._mean + max(_RARE * spread, _LEAST_APART)


def _between(low: float, high: float, count: int) -> F32:
    """The middles of ``count`` equal steps."""
    return (low + (high - low) * (np.arange(count) + 0.5) / count).astype(np.float32)


def _codes(hsv: U8) -> I64:
    """The bin of each pixel of an (H, W, 3) image in OpenCV's HSV."""
    hue, saturation, value = (hsv[..., i].astype(np.int64) for i in range(3))
    colored = hue * _HUES // 180 * _VALUES + value * _VALUES // 256
    return np.where(saturation > _GRAY, colored, _HUES * _VALUES + value * _GRAYS // 256)
