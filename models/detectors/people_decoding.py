"""From the outputs of `networks.people.People` to people: boxes, keypoints and scores.

The network's lengths are in cells of 4 x 4 pixels of its input; (x, y) lies in the cell in row int(y) and
column int(x). Nothing here needs torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..ops.boxes import nms
from ..types import F32, I64

STRIDE = 4
"""Pixels of the network's input per cell."""

KEYPOINTS = 17

_NEIGHBORHOOD = np.ones((3, 3), np.uint8)  # a center is the highest of these cells
_SMALLEST = 0.5  # side of a box in cells: keeps a broken network's boxes positive
_NEAR = np.float32(1.8)  # cells; how much the distance to the regressed keypoint counts


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
        pairs = (KEYPOINTS, 2, *center.shape[1:])
        return cls(center[0], heatmap, regress.reshape(pairs), offset.reshape(pairs), box_scale, box_offset)


@dataclass(frozen=True, slots=True)
class People:
    """N people, best first, in pixels of the network's input.

    Attributes:
        boxes: (N, 4) float32 x1 y1 x2 y2, which may reach beyond the image.
        scores: (N,) float32 in [0, 1], that there is a person.
        keypoints: (N, 17, 3) float32 x, y and score in [0, 1].
    """

    boxes: F32
    scores: F32
    keypoints: F32

    def __len__(self) -> int:
        return len(self.boxes)


def decode(maps: Maps, *, score_floor: float, nms_iou: float, limit: int) -> People:
    """The people that the network finds in one image.

    Args:
        maps: of the image.
        score_floor: the lowest score that is reported, in (0, 1).
        nms_iou: boxes that overlap by more are one person.
        limit: the most people reported.
    """
    rows, columns, scores = peaks(maps.center, score_floor)
    boxes = boxes_at(maps, rows, columns)
    kept = nms(boxes, scores, np.zeros(len(boxes), np.int64), nms_iou, limit)
    keypoints = keypoints_at(maps, rows[kept], columns[kept])
    keypoints[..., :2] *= STRIDE
    return People(boxes[kept] * np.float32(STRIDE), scores[kept], keypoints)


def peaks(center: F32, score_floor: float, limit: int = 1000) -> tuple[I64, I64, F32]:
    """The cells that people's centers are in: the highest of their 3 x 3 neighborhood.

    Args:
        center: (H, W) float32 in [0, 1].
        score_floor: the lowest score that counts, in (0, 1).
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
    """(N, 4) float32 x1 y1 x2 y2 of the people with their centers in N cells, in cells."""
    half = np.maximum(maps.box_scale[:, rows, columns], _SMALLEST) / 2
    center = maps.box_offset[:, rows, columns] + np.stack([rows, columns])
    corners = np.concatenate([center - half, center + half])
    return corners[[1, 0, 3, 2]].T.astype(np.float32)


def keypoints_at(maps: Maps, rows: I64, columns: I64) -> F32:
    """The keypoints of the people with their centers in N cells.

    Each is at the cell where the heatmap, divided by the distance to where the center says it is, is highest.

    Returns:
        (N, 17, 3) float32 x, y in cells, and the heatmap's score in [0, 1].
    """
    height, width = maps.center.shape
    keypoints = np.empty((len(rows), KEYPOINTS, 3), np.float32)
    if not len(rows):
        return keypoints
    row, column = np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32)
    joint = np.arange(KEYPOINTS)
    weights = np.empty_like(maps.heatmap)
    starts = maps.regress[:, :, rows, columns] + np.stack([rows, columns]).astype(np.float32)
    for person, start in enumerate(np.moveaxis(starts, 2, 0)):
        dy, dx = row - start[:, :1], column - start[:, 1:]
        np.add((dy * dy)[:, :, None], (dx * dx)[:, None, :], out=weights)
        np.sqrt(weights, out=weights)
        weights += _NEAR
        np.divide(maps.heatmap, weights, out=weights)
        y, x = np.divmod(weights.reshape(KEYPOINTS, -1).argmax(1), width)
        keypoints[person, :, 0] = x + maps.offset[joint, 1, y, x]
        keypoints[person, :, 1] = y + maps.offset[joint, 0, y, x]
        keypoints[person, :, 2] = maps.heatmap[joint, y, x]
    return keypoints
