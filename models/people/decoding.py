"""From the outputs of `networks.people.PeopleMaps` to people: one look at one image.

The network's lengths are in cells of 4 x 4 pixels of its input; (x, y) lies in the cell in row int(y) and
column int(x). Nothing here needs torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..ops.boxes import box_iou
from ..types import F32, I64
from .merging import greedy
from .types import People

STRIDE = 4
"""Pixels of the network's input per cell."""

KEYPOINTS = 17

_NEIGHBORHOOD = np.ones((3, 3), np.uint8)  # a center is the highest of these cells
_DUPLICATE = 0.7  # boxes of one look that overlap by more are one person
_SMALLEST = np.float32(0.5)  # side of a box in cells: keeps a broken network's boxes positive
_NEAR = np.float32(1.8)  # cells; how much the distance to the regressed keypoint counts, as in Google's graph
_MARGIN, _LEAST_MARGIN = 0.1, 2.0  # how far beyond the box keypoints are searched: of its side; in cells


@dataclass(frozen=True, slots=True)
class Maps:
    """What the network says about one image, float32 and for each of H x W cells.

    Attributes:
        center: (H, W) probability that a person's center is there.
        heatmap: (17, H, W) probabilities that a keypoint is there.
        regress: (17, 2, H, W) y, x from a center to that person's keypoints.
        offset: (17, 2, H, W) y, x from the cell's index to the keypoint in it.
        box_scale: (2, H, W) height and width of the box with its center there.
        box_offset: (2, H, W) y, x from the cell's index to that center.
    """

    center: F32
    heatmap: F32
    regress: F32
    offset: F32
    box_scale: F32
    box_offset: F32

    @classmethod
    def of(cls, outputs: Sequence[F32], index: int = 0) -> "Maps":
        """The maps of one image of a batch, out of the network's outputs; views, not copies."""
        center, heatmap, regress, offset, box_scale, box_offset = (output[index] for output in outputs[:6])
        pairs = (KEYPOINTS, 2, *heatmap.shape[1:])
        return cls(center[0], heatmap, regress.reshape(pairs), offset.reshape(pairs), box_scale, box_offset)


def decode(maps: Maps, score_floor: float, limit: int = 100) -> People:
    """The people that the network finds in one input, in pixels of it, best center first.

    The score of a person is the center's times the root of the mean of the keypoints', that of the pose the
    center's times the mean.

    Args:
        maps: of the input.
        score_floor: the lowest center score that counts, in (0, 1); no other score is higher than that.
        limit: the most centers that are read.
    """
    rows, columns, centers = find_centers(maps.center, score_floor, limit)
    boxes = boxes_at(maps, rows, columns)
    kept = greedy(box_iou(boxes, boxes) > _DUPLICATE, centers)
    rows, columns, centers, boxes = rows[kept], columns[kept], centers[kept], boxes[kept]
    keypoints = keypoints_at(maps, rows, columns, boxes)
    mean = keypoints[..., 2].mean(1)
    keypoints[..., :2] *= STRIDE
    return People(
        boxes=boxes * np.float32(STRIDE),
        scores=centers * np.sqrt(mean),
        keypoints=keypoints,
        pose_scores=centers * mean,
        centers=centers,
        views=np.zeros(len(centers), np.int64),
    )


def find_centers(center: F32, score_floor: float, limit: int) -> tuple[I64, I64, F32]:
    """The cells that people's centers are in: the highest of their 3 x 3 neighborhood.

    Args:
        center: (H, W) float32 in [0, 1].
        score_floor: the lowest score that counts.
        limit: the most cells that are returned.

    Returns:
        (N,) rows, columns and scores, best first.
    """
    best = (center >= score_floor) & (center == cv2.dilate(center, _NEIGHBORHOOD))
    rows, columns = np.nonzero(best)
    scores = center[rows, columns]
    order = np.argsort(-scores, kind="stable")[:limit]
    return rows[order], columns[order], scores[order]


def boxes_at(maps: Maps, rows: I64, columns: I64) -> F32:
    """(N, 4) float32 x1 y1 x2 y2, in cells, of the people with their centers in N cells."""
    half = np.maximum(maps.box_scale[:, rows, columns], _SMALLEST) / 2
    center = maps.box_offset[:, rows, columns] + np.stack([rows, columns])
    top_left, bottom_right = center - half, center + half
    return np.concatenate([top_left[::-1], bottom_right[::-1]]).T.astype(np.float32)


def keypoints_at(maps: Maps, rows: I64, columns: I64, boxes: F32) -> F32:
    """The keypoints of the people with their centers in N cells.

    Each is in the cell where the heatmap, divided by the distance to where the center says that it is, is
    highest, of the cells in the person's box and a little around it.

    Args:
        maps: of the image.
        rows: (N,) of the centers.
        columns: (N,) of the centers.
        boxes: (N, 4) float32 x1 y1 x2 y2 in cells.

    Returns:
        (N, 17, 3) float32 x, y in cells, and the heatmap's score in [0, 1].
    """
    starts = maps.regress[:, :, rows, columns] + np.stack([rows, columns]).astype(np.float32)
    keypoints = np.empty((len(rows), KEYPOINTS, 3), np.float32)
    joint = np.arange(KEYPOINTS)
    windows = _windows(boxes, maps.center.shape)
    for found, start, (left, top, right, bottom) in zip(
        keypoints, np.moveaxis(starts, 2, 0), windows, strict=True
    ):
        dy = np.arange(top, bottom, dtype=np.float32) - start[:, :1]
        dx = np.arange(left, right, dtype=np.float32) - start[:, 1:]
        weights = (dy * dy)[:, :, None] + (dx * dx)[:, None]
        np.sqrt(weights, out=weights)
        weights += _NEAR
        np.divide(maps.heatmap[:, top:bottom, left:right], weights, out=weights)
        y, x = np.divmod(weights.reshape(KEYPOINTS, -1).argmax(1), right - left)
        y, x = y + top, x + left
        found[:, 0] = x + maps.offset[joint, 1, y, x]
        found[:, 1] = y + maps.offset[joint, 0, y, x]
        found[:, 2] = maps.heatmap[joint, y, x]
    return keypoints


def _windows(boxes: F32, shape: tuple[int, ...]) -> I64:
    """(N, 4) int64 left, top, right, bottom (exclusive) of the cells that keypoints are searched in."""
    height, width = shape
    size = np.array([width, height])
    margin = np.maximum(_MARGIN * (boxes[:, 2:] - boxes[:, :2]), _LEAST_MARGIN)
    low = np.floor(np.clip(boxes[:, :2] - margin, 0, size - 2)).astype(np.int64)
    high = np.ceil(boxes[:, 2:] + margin).astype(np.int64) + 1
    return np.concatenate([low, np.clip(high, low + 2, size)], 1)
