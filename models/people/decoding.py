"""From the outputs of `networks.people.PeopleMaps` to people: one look at one image.

The network's lengths are in cells of 4 x 4 pixels of its input; (x, y) lies in the cell in row int(y) and
column int(x). Nothing here needs torch.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from ..ops.boxes import iou as box_iou
from ..types import F32, I64
from .maps import KEYPOINTS, Cells, Maps
from .merging import greedy
from .types import People

STRIDE = 4
"""Pixels of the network's input per cell."""

_NEIGHBORHOOD = np.ones((3, 3), np.uint8)  # a center is the highest of these cells
_DUPLICATE = 0.7  # boxes of one look that overlap by more are one person
_SMALLEST = np.float32(0.5)  # side of a box in cells: keeps a broken network's boxes positive
_JOINT = np.arange(KEYPOINTS)

NEAR = np.float32(1.8)
"""Cells that are added to the distance to the regressed keypoint, as in Google's graph."""

MARGIN, LEAST_MARGIN = 0.1, 2.0
"""How far beyond the box keypoints are searched: of its side, and at least, in cells."""


Span = tuple[int, int]
"""The first column of cells and the one after the last of a part of an input that stands for itself."""


def decode(maps: Maps, score_floor: float, limit: int = 100, spans: Sequence[Span] = ()) -> People:
    """The people that the network finds in one input, in pixels of it, best center first.

    The score of a person is the center's times the root of the mean of the keypoints', that of the pose the
    center's times the mean.

    Args:
        maps: of the input.
        score_floor: the lowest center score that counts, in (0, 1); no other score is higher than that.
        limit: the most centers that are read in each span.
        spans: apart from each other, in order; nobody is in two of them. None is all of the input.

    Returns:
        People whose ``views`` are the indices of their spans.
    """
    spans = spans or ((0, maps.center.shape[1]),)
    rows, columns, centers, places = find_centers(maps.center, score_floor, limit, spans)
    cells = maps.read(rows, columns)
    boxes = boxes_at(cells, rows, columns)
    same = (box_iou(boxes, boxes) > _DUPLICATE) & (places[:, None] == places)
    kept = greedy(same, centers)
    centers, boxes, places = centers[kept], boxes[kept], places[kept]
    starts = cells.regress[kept] + np.stack([rows, columns], 1)[kept, None].astype(np.float32)
    keypoints = keypoints_at(maps, starts, boxes, np.array(spans)[places])
    mean = keypoints[..., 2].mean(1)
    keypoints[..., :2] *= STRIDE
    return People(
        boxes=boxes * np.float32(STRIDE),
        scores=centers * np.sqrt(mean),
        keypoints=keypoints,
        pose_scores=centers * mean,
        centers=centers,
        views=places,
    )


def find_centers(
    center: F32, score_floor: float, limit: int, spans: Sequence[Span]
) -> tuple[I64, I64, F32, I64]:
    """The cells that people's centers are in: the highest of their 3 x 3 neighborhood.

    Args:
        center: (H, W) float32 in [0, 1].
        score_floor: the lowest score that counts.
        limit: the most cells that are returned of each span.
        spans: see `decode`.

    Returns:
        (N,) rows, columns, scores, and indices of spans; best first.
    """
    best = (center >= score_floor) & (center == cv2.dilate(center, _NEIGHBORHOOD))
    rows, columns = np.nonzero(best)
    scores = center[rows, columns]
    order = np.argsort(-scores, kind="stable")
    rows, columns, scores = rows[order], columns[order], scores[order]
    begins, ends = np.array(spans).T
    places = np.searchsorted(begins, columns, side="right") - 1
    inside = (places >= 0) & (columns < ends[places])
    if len(spans) == 1 or len(rows) <= limit:
        kept = np.flatnonzero(inside)[:limit]
    else:
        kept = np.sort(
            np.concatenate([np.flatnonzero(inside & (places == i))[:limit] for i in range(len(spans))])
        )
    return rows[kept], columns[kept], scores[kept], places[kept]


def boxes_at(cells: Cells, rows: I64, columns: I64) -> F32:
    """(N, 4) float32 x1 y1 x2 y2, in cells, of the people with their centers in N cells."""
    half = np.maximum(cells.size, _SMALLEST) / 2
    center = cells.center + np.stack([rows, columns], 1)
    return np.concatenate([(center - half)[:, ::-1], (center + half)[:, ::-1]], 1).astype(np.float32)


def keypoints_at(maps: Maps, starts: F32, boxes: F32, spans: I64) -> F32:
    """The keypoints of N people.

    Each is in the cell where the heatmap, divided by the distance to where the center says that it is, is
    highest, of the cells in the person's box and a little around it.

    Args:
        maps: of the image.
        starts: (N, 17, 2) float32 y, x in cells, where the centers say that the keypoints are.
        boxes: (N, 4) float32 x1 y1 x2 y2 in cells.
        spans: (N, 2) int64, the first column that each is looked for in and the one after the last.

    Returns:
        (N, 17, 3) float32 x, y in cells, and the heatmap's score in [0, 1].
    """
    count = len(boxes)
    places = np.empty((2, count, KEYPOINTS), np.int64)
    for index, (left, top, right, bottom) in enumerate(_windows(boxes, maps.center.shape[0], spans).tolist()):
        start = starts[index]
        dy = np.arange(top, bottom, dtype=np.float32) - start[:, :1]
        dx = np.arange(left, right, dtype=np.float32) - start[:, 1:]
        weights = (dy * dy)[:, :, None] + (dx * dx)[:, None]
        np.sqrt(weights, out=weights)
        weights += NEAR
        np.divide(maps.heatmap[:, top:bottom, left:right], weights, out=weights)
        y, x = np.divmod(weights.reshape(KEYPOINTS, -1).argmax(1), right - left)
        places[0, index], places[1, index] = y + top, x + left
    rows, columns = places
    offset = maps.read(rows.ravel(), columns.ravel()).offset.reshape(count, KEYPOINTS, KEYPOINTS, 2)
    keypoints = np.empty((count, KEYPOINTS, 3), np.float32)
    keypoints[..., :2] = offset[:, _JOINT, _JOINT, ::-1]
    keypoints[..., 0] += columns
    keypoints[..., 1] += rows
    keypoints[..., 2] = maps.heatmap[_JOINT, rows, columns]
    return keypoints


def _windows(boxes: F32, height: int, spans: I64) -> I64:
    """(N, 4) int64 left, top, right, bottom (exclusive) of the cells that keypoints are searched in."""
    first = np.stack([spans[:, 0], np.zeros(len(spans), np.int64)], 1)
    end = np.stack([spans[:, 1], np.full(len(spans), height)], 1)
    margin = np.maximum(MARGIN * (boxes[:, 2:] - boxes[:, :2]), LEAST_MARGIN)
    low = np.floor(np.clip(boxes[:, :2] - margin, first, end - 2)).astype(np.int64)
    high = np.ceil(boxes[:, 2:] + margin).astype(np.int64) + 1
    return np.concatenate([low, np.clip(high, low + 2, end)], 1)
