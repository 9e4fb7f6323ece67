"""What the labels of a batch say about each cell of the network's outputs, and what they leave open.

All lengths are in cells of 4 x 4 pixels; (x, y) lies in the cell in row int(y) and column int(x).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ..people.decoding import STRIDE
from ..people.masks import MASK_SIZE, mask_affines
from ..people.types import People, View
from ..types import F32, I64, U8
from .examples import Example

JOINTS = 17

_CENTER_SIGMA = (0.6, 1.5)  # of a center's Gaussian, in cells
_SIGMAS = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
_JOINT_SIGMA = (0.55, 1.1)  # of a keypoint's, in cells
_SUPPORT = 3  # sigmas beyond which a Gaussian is 0
_GROW = 0.1  # how far beyond a person's box an unlabeled keypoint may be, of its side
_MASK_SIDE = 16.0  # pixels below which a person's mask teaches nothing
_MASK_JITTER = 0.05  # how far the sides of a box may be from those that will be found, of its size
_IDENTITY = View((0.0, 0.0), (1.0, 1.0))

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Targets:
    """What the labels of B inputs of H x W cells say; N people, K labeled keypoints, M masks.

    Attributes:
        images: (B, S, S, 3) uint8 BGR.
        center: (B, 1, H, W) float32 in [0, 1], Gaussians at the centers of people.
        center_known: (B, 1, H, W) bool, where the labels say whether there is a center.
        heatmap: (B, 17, H, W) float32, Gaussians at keypoints.
        heatmap_known: (B, 17, H, W) bool, where the labels say whether there is such a keypoint.
        people: (N, 3) int64, input, row and column of each person's center.
        boxes: (N, 4) float32 x1 y1 x2 y2 in cells.
        keypoints: (N, 17, 3) float32 x, y in cells, and 1 where labeled, else 0.
        joints: (K, 4) int64, input, kind, row and column of each labeled keypoint.
        offsets: (K, 2) float32 y, x of those within their cells.
        mask_boxes: (N, 4) float32 x1 y1 x2 y2 in pixels, as somebody's box might be found.
        masks: (N, 80, 80) uint8 on those boxes, as `people.masks` lays them; 255 inside.
        masked: (N,) bool, whether the mask is labeled.
    """

    images: U8
    center: F32
    center_known: Bools
    heatmap: F32
    heatmap_known: Bools
    people: I64
    boxes: F32
    keypoints: F32
    joints: I64
    offsets: F32
    mask_boxes: F32
    masks: U8
    masked: Bools


def targets_of(examples: Sequence[Example], rng: np.random.Generator) -> Targets:
    """The targets of examples of one size.

    Args:
        examples: one or more.
        rng: moves the boxes that masks are cut out by.
    """
    cells = len(examples[0].image) // STRIDE
    shape = (len(examples), JOINTS, cells, cells)
    heatmap, known = np.zeros(shape, np.float32), np.ones(shape, np.bool_)
    center, center_known = np.zeros_like(heatmap[:, :1]), np.ones_like(known[:, :1])
    people: list[tuple[int, int, int]] = []
    joints: list[tuple[int, int, int, int]] = []
    offsets: list[tuple[float, float]] = []
    for index, example in enumerate(examples):
        keypoints = example.keypoints / np.array([STRIDE, STRIDE, 1], np.float32)
        boxes = example.boxes / np.float32(STRIDE)
        _forget(example, boxes, keypoints, center_known[index, 0], known[index])
        for box, points in zip(boxes, keypoints, strict=True):
            x, y = ((box[:2] + box[2:]) / 2).tolist()
            row, column = min(int(y), cells - 1), min(int(x), cells - 1)
            people.append((index, row, column))
            width, height = (box[2:] - box[:2]).tolist()
            _paint(
                center[index, 0],
                center_known[index, 0],
                row,
                column,
                _clip(min(width, height) / 12, _CENTER_SIGMA),
            )
            reach = np.sqrt(0.53 * width * height) / 10 * 4
            for joint in np.flatnonzero(points[:, 2]).tolist():
                px, py = points[joint, :2].tolist()
                row, column = min(int(py), cells - 1), min(int(px), cells - 1)
                joints.append((index, joint, row, column))
                offsets.append((py - row, px - column))
                sigma = _clip(reach * float(_SIGMAS[joint]), _JOINT_SIGMA)
                _paint(heatmap[index, joint], known[index, joint], row, column, sigma)
    keypoints = np.concatenate([example.keypoints for example in examples])
    keypoints = keypoints / np.array([STRIDE, STRIDE, 1], np.float32)
    keypoints[..., 2] = keypoints[..., 2] > 0
    boxes = np.concatenate([example.boxes for example in examples])
    mask_boxes = _jittered(boxes, rng)
    outlines = [mask for example in examples for mask in example.masks]
    sides = (boxes[:, 2:] - boxes[:, :2]).min(1, initial=np.inf)
    masked = np.array([mask is not None for mask in outlines], np.bool_) & (sides >= _MASK_SIDE)
    return Targets(
        np.stack([example.image for example in examples]),
        center,
        center_known,
        heatmap,
        known,
        np.array(people, np.int64).reshape(-1, 3),
        (boxes / STRIDE).astype(np.float32),
        keypoints.astype(np.float32),
        np.array(joints, np.int64).reshape(-1, 4),
        np.array(offsets, np.float32).reshape(-1, 2),
        mask_boxes,
        _cut(outlines, mask_boxes),
        masked,
    )


def as_people(boxes: F32, keypoints: F32) -> People:
    """(N, 4) boxes and (N, 17, 3) keypoints, in pixels of an input, as what the mask head is given."""
    ones = np.ones(len(boxes), np.float32)
    return People(boxes, ones, keypoints, ones, ones, np.zeros(len(boxes), np.int64))


def _forget(example: Example, boxes: F32, keypoints: F32, center: Bools, joints: Bools) -> None:
    """Clears what is known where the labels say nothing; (H, W) and (17, H, W), in place."""
    if not example.complete:
        center[:], joints[:] = False, False
        return
    for region in example.ignored / STRIDE:
        rows, columns = _window(region, center.shape)
        center[rows, columns] = False
        joints[:, rows, columns] = False
    for box, points in zip(boxes, keypoints, strict=True):
        margin = _GROW * (box[2:] - box[:2])
        rows, columns = _window(np.concatenate([box[:2] - margin, box[2:] + margin]), center.shape)
        joints[points[:, 2] == 0, rows, columns] = False


def _paint(plane: F32, known: Bools, row: int, column: int, sigma: float) -> None:
    """Adds a Gaussian whose peak is 1 in a cell, and says that what is around it is known."""
    reach = int(np.ceil(_SUPPORT * sigma))
    rows = slice(max(row - reach, 0), row + reach + 1)
    columns = slice(max(column - reach, 0), column + reach + 1)
    part = plane[rows, columns]
    y = np.arange(rows.start, rows.start + part.shape[0]) - row
    x = np.arange(columns.start, columns.start + part.shape[1]) - column
    bell = np.exp((y[:, None] ** 2 + x[None] ** 2) / (-2 * sigma * sigma))
    np.maximum(part, bell.astype(np.float32), out=part)
    known[rows, columns] = True


def _window(box: F32, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of the cells that a box x1 y1 x2 y2 touches."""
    x1, y1 = np.maximum(np.floor(box[:2]), 0).astype(int).tolist()
    x2, y2 = np.minimum(np.ceil(box[2:]), shape[::-1]).astype(int).tolist()
    return slice(y1, max(y2, y1)), slice(x1, max(x2, x1))


def _jittered(boxes: F32, rng: np.random.Generator) -> F32:
    size = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return (boxes + rng.uniform(-_MASK_JITTER, _MASK_JITTER, boxes.shape) * size).astype(np.float32)


def _cut(masks: Sequence[U8 | None], boxes: F32) -> U8:
    """(N, 80, 80) uint8, each person's mask on the area that the mask head looks at."""
    affines = mask_affines(as_people(boxes, np.zeros((len(boxes), JOINTS, 3), np.float32)), _IDENTITY)
    out = np.zeros((len(boxes), MASK_SIZE, MASK_SIZE), np.uint8)
    for one, mask, affine in zip(out, masks, affines, strict=True):
        if mask is not None:
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            cv2.warpAffine(mask, affine, (MASK_SIZE, MASK_SIZE), one, flags)
    return out


def _clip(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])
