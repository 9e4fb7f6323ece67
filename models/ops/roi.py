"""Regions of interest and landmarks: where to look for each person, and what the network's answer means.

A region (ROI) is a square (center x, center y, side, angle) in image pixels; the angle in radians clockwise,
0 upright. Pixels are 0-based; pixel i of an n-pixel crop lies at i / n of the region's side. All this as in
MediaPipe's pose landmark graph, whose network is used: https://arxiv.org/abs/2006.10204.
"""

import cv2
import numpy as np

from ..types import F32, U8
from .logistic import sigmoid

POINTS = 39
"""The network's landmarks: 33 of the body, 2 that give the next region, 4 unused."""

ROI_SCALE = 1.25
"""How much larger than the person a region is."""

_STAND = 2.2  # height to width of a whole standing person's box
_SLIM = 3.2  # the same where only the width may be cut
_CUT = 0.005  # a box that comes this near the border (share of the image's side) is cut by it


def roi_from_boxes(boxes: F32, size: tuple[int, int]) -> F32:
    """Regions that hold the whole person behind each detected box.

    Boxes too short for a standing person are extended downwards (hidden legs), or upwards where only the
    image's upper border cuts them; boxes too slim and cut at one side are extended beyond that side.

    Args:
        boxes: (N, 4) float32 x1 y1 x2 y2 in image pixels.
        size: (height, width) of the image.

    Returns:
        (N, 4) float32 regions, upright.
    """
    x1, y1, x2, y2 = np.asarray(boxes, np.float32).reshape(-1, 4).T.copy()
    width, height = x2 - x1, y2 - y1
    margin_y, margin_x = np.maximum(np.multiply(size, _CUT), 2.0)
    left, right = x1 <= margin_x, x2 >= size[1] - margin_x
    top, bottom = y1 <= margin_y, y2 >= size[0] - margin_y

    short = (height >= 0.8 * width) & (height < _STAND * width)
    upwards = short & top & ~bottom
    y1 = np.where(upwards, y2 - _STAND * width, y1)
    y2 = np.where(short & ~upwards, y1 + _STAND * width, y2)

    slim = width < height / _SLIM
    x1 = np.where(slim & left & ~right, x2 - height / _SLIM, x1)
    x2 = np.where(slim & right & ~left, x1 + height / _SLIM, x2)

    side = ROI_SCALE * np.maximum(np.maximum(x2 - x1, y2 - y1), 1.0)
    return np.stack([(x1 + x2) / 2, (y1 + y2) / 2, side, np.zeros_like(side)], 1).astype(np.float32)


def roi_from_landmarks(center: F32, rim: F32) -> F32:
    """Regions around people whose center and one point on their enclosing circle, above the head, are known.

    Args:
        center: (N, 2) float32 x, y in image pixels (landmark 33 of BlazePose).
        rim: (N, 2) float32 x, y (landmark 34).

    Returns:
        (N, 4) float32 regions, turned so that the person stands upright in them.
    """
    dx, dy = (rim - center).T
    side = np.maximum(2 * ROI_SCALE * np.hypot(dx, dy), 1.0)
    return np.stack([center[:, 0], center[:, 1], side, np.arctan2(dx, -dy)], 1).astype(np.float32)


def roi_to_image(rois: F32, size: int) -> F32:
    """(N, 2, 3) float32 affine matrices from the ``size`` x ``size`` crop of each region to the image."""
    x, y, side, angle = np.asarray(rois, np.float64).reshape(-1, 4).T
    cos, sin = np.cos(angle) * side / size, np.sin(angle) * side / size
    half = size / 2
    rows = [cos, -sin, x - (cos - sin) * half, sin, cos, y - (sin + cos) * half]
    return np.stack(rows, 1).reshape(-1, 2, 3).astype(np.float32)


def project(points: F32, rois: F32, size: int) -> F32:
    """Image pixels of points given in pixels of their region's crop.

    Args:
        points: (N, K, 2) float32 x, y in the ``size`` x ``size`` crop.
        rois: (N, 4) float32 regions.
        size: side of the crop in pixels.

    Returns:
        (N, K, 2) float32 x, y in image pixels.
    """
    affine = roi_to_image(rois, size)
    return points @ affine[:, :, :2].transpose(0, 2, 1) + affine[:, None, :, 2]


def overlap(a: F32, b: F32) -> F32:
    """(N,) float32 IoU of the regions a[i] and b[i], both (N, 4), as if they were upright."""
    inner = np.minimum(a[:, :2] + a[:, 2:3] / 2, b[:, :2] + b[:, 2:3] / 2)
    inner = inner - np.maximum(a[:, :2] - a[:, 2:3] / 2, b[:, :2] - b[:, 2:3] / 2)
    shared = np.maximum(inner, 0).prod(1)
    return (shared / np.maximum(a[:, 2] ** 2 + b[:, 2] ** 2 - shared, 1e-9)).astype(np.float32)


def sample(image: U8, rois: F32, out: U8) -> None:
    """Cut the regions out of an image, bilinearly; beyond its border its edge pixels are repeated.

    Args:
        image: (H, W, 3) uint8.
        rois: (N, 4) float32 regions.
        out: (N, S, S, 3) uint8, filled in place, channels in the image's order.
    """
    size = out.shape[1]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for crop, affine in zip(out, roi_to_image(rois, size), strict=True):
        cv2.warpAffine(image, affine, (size, size), crop, flags, cv2.BORDER_REPLICATE)


def refine(points: F32, heatmaps: F32) -> F32:
    """Move points to the centroid of the 7 x 7 heatmap window around them, where it is confident (>= 0.5).

    MediaPipe's RefineLandmarksFromHeatmapCalculator, for all points of all people at once.

    Args:
        points: (N, K, 2) float32 x, y in [0, 1] of the crop.
        heatmaps: (N, S, S, C) float32 logits, C >= K.

    Returns:
        (N, K, 2) float32 x, y in [0, 1]; unconfident points and those outside the map stay.
    """
    n, k = points.shape[:2]
    size = heatmaps.shape[1]
    offsets = np.arange(-3, 4)
    center = (points * size).astype(np.int64)  # towards zero, as MediaPipe does
    window = center[..., None] + offsets  # (N, K, xy, 7)
    valid = (window >= 0) & (window < size)
    column, row = np.moveaxis(window.clip(0, size - 1), 2, 0)
    person = np.arange(n)[:, None, None, None]
    point = np.arange(k)[None, :, None, None]
    weight = sigmoid(heatmaps[person, row[..., :, None], column[..., None, :], point])
    weight *= valid[:, :, 1, :, None] & valid[:, :, 0, None, :]
    sure = (weight.max((2, 3)) >= 0.5) & ((center >= 0) & (center < size)).all(2)
    total = np.maximum(weight.sum((2, 3)), 1e-9)
    x = (weight.sum(2) * column).sum(2) / total / size
    y = (weight.sum(3) * row).sum(2) / total / size
    return np.where(sure[..., None], np.stack([x, y], -1), points).astype(np.float32)
