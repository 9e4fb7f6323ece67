"""From the network's mask logits to small masks in image pixels, one per person."""

import cv2
import numpy as np
import numpy.typing as npt

from ..types import F32, Crop
from .roi import roi_to_image

Rect = npt.NDArray[np.int64]

_GROW = 0.025  # a person may reach this share of the box beyond each of its sides
_MARGIN = 2.0  # logits by which another person has to win a pixel
_OUTSIDE = -100.0  # logit beyond the region: certainly background


def mask_crops(logits: F32, rois: F32, boxes: F32, size: tuple[int, int]) -> list[Crop]:
    """Masks of N people of one image, each as a crop around the person's box.

    A pixel is a person's where the logit is positive, inside the box grown by 2.5 % a side; except where it
    also lies inside another person's box and that one's logit is higher by 2: the bodies in a region that
    belong to somebody else. Work and memory follow the boxes' areas, never the image's.

    Args:
        logits: (N, S, S) float32, in each region's own grid.
        rois: (N, 4) float32 regions, as in ``landmarks``.
        boxes: (N, 4) float32 x1 y1 x2 y2 in image pixels.
        size: (height, width) of the image.

    Returns:
        For each person: pixels (h, w) uint8, 1 where the person is, and the crop's left and upper edge in
        image pixels, 0-based. Crops lie inside the image; a box outside it gives an empty (0, 0) one.
    """
    return place_masks(logits, roi_to_image(rois, logits.shape[-1]), boxes, size)


def place_masks(logits: F32, affines: F32, boxes: F32, size: tuple[int, int]) -> list[Crop]:
    """Masks as ``mask_crops`` makes them, of logits that lie anywhere in the image.

    Args:
        logits: (N, S, S) float32.
        affines: (N, 2, 3) float32 matrices from each one's pixels to the image's.
        boxes: (N, 4) float32 x1 y1 x2 y2 in image pixels.
        size: (height, width) of the image.
    """
    rects = _rectangles(boxes, size)
    warped = [_warp(*args) for args in zip(logits, affines, rects, strict=True)]
    pixels = [(crop > 0).view(np.uint8) for crop in warped]
    for i, j in _overlapping(rects):
        x1, y1 = np.maximum(rects[i, :2], rects[j, :2])
        x2, y2 = np.minimum(rects[i, 2:], rects[j, 2:])
        mine, theirs = ((slice(y1 - r[1], y2 - r[1]), slice(x1 - r[0], x2 - r[0])) for r in rects[[i, j]])
        lead = warped[i][mine] - warped[j][theirs]
        pixels[i][mine][lead < -_MARGIN] = 0
        pixels[j][theirs][lead > _MARGIN] = 0
    return [(crop, int(r[0]), int(r[1])) for crop, r in zip(pixels, rects, strict=True)]


def _rectangles(boxes: F32, size: tuple[int, int]) -> Rect:
    """(N, 4) int64 x1 y1 x2 y2 (end exclusive): the pixels of the grown boxes that the image has."""
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    grow = np.tile(boxes[:, 2:] - boxes[:, :2], 2) * np.array([-_GROW, -_GROW, _GROW, _GROW], np.float32)
    limit = np.array([size[1], size[0], size[1], size[0]])
    rects = np.round(boxes + grow).astype(np.int64).clip(0, limit)
    empty = (rects[:, 2:] <= rects[:, :2]).any(1)
    rects[empty] = 0
    return rects


def _warp(logits: F32, affine: F32, rect: Rect) -> F32:
    """The region's logits resampled to the rectangle's image pixels."""
    x1, y1, x2, y2 = (int(v) for v in rect)
    if x2 == x1:
        return np.zeros((0, 0), np.float32)
    shifted = affine.copy()
    shifted[:, 2] -= x1, y1
    warped = np.empty((y2 - y1, x2 - x1), np.float32)
    flags, border = cv2.INTER_LINEAR, cv2.BORDER_CONSTANT
    cv2.warpAffine(logits, shifted, (x2 - x1, y2 - y1), warped, flags, border, (_OUTSIDE,))
    return warped


def _overlapping(rects: Rect) -> Rect:
    """(P, 2) int64 pairs i < j of rectangles that share pixels."""
    low = np.maximum(rects[:, None, :2], rects[None, :, :2])
    high = np.minimum(rects[:, None, 2:], rects[None, :, 2:])
    return np.argwhere(np.triu((high > low).all(2), 1))
