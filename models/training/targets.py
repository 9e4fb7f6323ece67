"""What the labels of a batch say about each cell of the network's outputs, and what they leave open.

All lengths are in cells of 4 x 4 pixels; (x, y) lies in the cell in row int(y) and column int(x).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ..ops.coco import SIGMAS
from ..people.decoding import STRIDE
from ..people.masks import MASK_SIZE, mask_affines
from ..people.types import People, View
from ..types import F32, I64, U8
from .examples import Example

JOINTS = 17

BODY = 0.53
"""How much of a person's box the body fills: COCO's keypoint similarity needs its area."""

JOINT_SCALES = np.array(SIGMAS, np.float32) / 500
"""By kind of keypoint, the scale of COCO's keypoint similarity, of the root of the body's area."""

_CENTER_SPREAD, _CENTER_SIGMA = 0.1, (0.7, 1.3)  # of a center's Gaussian: of the box's shorter side; in cells
_JOINT_SPREAD, _JOINT_SIGMA = 0.35, (0.75, 1.3)  # of a keypoint's: of the scale of similarity; in cells
_SUPPORT = 4  # sigmas beyond which a Gaussian is 0
_LABELED = 0.05  # of a center's Gaussian, from which the labels say what is there
_POSED = 4  # labeled keypoints from which the teacher's mask of a person is a target
_MASK_SIDE = 16.0  # pixels below which a person's mask teaches nothing
_MASK_JITTER = 0.05  # how far the sides of a box may be from those that will be found, of its size
_IDENTITY = View((0.0, 0.0), (1.0, 1.0))

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Targets:
    """What the labels of B inputs of H x W cells say: of N people, K labeled keypoints and M masks.

    Attributes:
        images: (B, S, S, 3) uint8 BGR.
        center: (B, 1, H, W) float32 in [0, 1], Gaussians at the centers of people, 1 in the center's cell.
        center_known: (B, 1, H, W) bool, where the labels say whether there is a center.
        heatmap: (B, 17, H, W) float32 in [0, 1], Gaussians at labeled keypoints.
        people: (N, 3) int64, input, row and column of each person's center.
        boxes: (N, 4) float32 x1 y1 x2 y2 in cells.
        keypoints: (N, 17, 3) float32 x, y in cells, and 1 where labeled, else 0.
        posed: (P,) int64, which of the people have labeled keypoints.
        joints: (K, 4) int64, input, kind, row and column of each labeled keypoint.
        offsets: (K, 2) float32 y, x of those within their cells.
        drawn: (M,) int64, the people whose masks are compared.
        mask_boxes: (M, 4) float32 x1 y1 x2 y2 in cells, as somebody's box might be found.
        masks: (M, 80, 80) uint8 on those boxes, as `people.masks` lays them; 255 inside.
        masked: (M,) bool, whether the mask is labeled.
    """

    images: U8
    center: F32
    center_known: Bools
    heatmap: F32
    people: I64
    boxes: F32
    keypoints: F32
    posed: I64
    joints: I64
    offsets: F32
    drawn: I64
    mask_boxes: F32
    masks: U8
    masked: Bools


def targets_of(examples: Sequence[Example], rng: np.random.Generator, most_masks: int) -> Targets:
    """The targets of examples of one size.

    Args:
        examples: one or more.
        rng: chooses whose masks are compared, and moves the boxes that those are cut out by.
        most_masks: people whose masks are compared, at most.
    """
    cells = len(examples[0].image) // STRIDE
    index = np.repeat(np.arange(len(examples)), [len(one.boxes) for one in examples])
    in_pixels = np.concatenate([one.boxes for one in examples])
    boxes = in_pixels / np.float32(STRIDE)
    keypoints = np.concatenate([one.keypoints for one in examples])
    keypoints[..., :2] /= STRIDE
    keypoints[..., 2] = keypoints[..., 2] > 0
    middle: F32 = boxes.reshape(-1, 2, 2).mean(1)
    center, known = _center(examples, index, middle, boxes, cells)
    person, joint = np.nonzero(keypoints[..., 2])
    places = keypoints[person, joint, :2]
    joint_cells = _cells(places, cells)
    outlines = [mask for example in examples for mask in example.masks]
    drawn = _drawn(outlines, keypoints, rng, most_masks)
    found = _jittered(in_pixels[drawn], rng)
    chosen = [outlines[number] for number in drawn.tolist()]
    sides = (in_pixels[drawn, 2:] - in_pixels[drawn, :2]).min(1, initial=np.inf)
    return Targets(
        images=np.stack([example.image for example in examples]),
        center=center,
        center_known=known,
        heatmap=_heatmap(index[person], joint, places, _scales(boxes)[person, joint], (len(examples), cells)),
        people=np.concatenate([index[:, None], _cells(middle, cells)], 1),
        boxes=boxes,
        keypoints=keypoints,
        posed=np.flatnonzero(keypoints[..., 2].any(1)),
        joints=np.concatenate([np.stack([index[person], joint], 1), joint_cells], 1),
        offsets=(places[:, ::-1] - joint_cells).astype(np.float32),
        drawn=drawn,
        mask_boxes=found / np.float32(STRIDE),
        masks=_cut(chosen, found),
        masked=np.array([mask is not None for mask in chosen], np.bool_) & (sides >= _MASK_SIDE),
    )


def _center(
    examples: Sequence[Example], index: I64, middle: F32, boxes: F32, cells: int
) -> tuple[F32, Bools]:
    """`Targets.center` and `Targets.center_known`."""
    center = np.zeros((len(examples), 1, cells, cells), np.float32)
    known = np.ones_like(center, np.bool_)
    for plane, example in zip(known[:, 0], examples, strict=True):
        plane[:] = example.complete
        for region in example.ignored / STRIDE:
            x1, y1 = np.maximum(np.floor(region[:2]), 0).astype(int)
            x2, y2 = np.ceil(region[2:]).astype(int)
            plane[y1:y2, x1:x2] = False
    sigmas = np.clip(_CENTER_SPREAD * (boxes[:, 2:] - boxes[:, :2]).min(1, initial=np.inf), *_CENTER_SIGMA)
    for number, place, sigma in zip(index.tolist(), middle.tolist(), sigmas.tolist(), strict=True):
        _paint(center[number, 0], place, sigma, peaked=True)
    return center, known | (center > _LABELED)


def _heatmap(index: I64, joint: I64, places: F32, scales: F32, shape: tuple[int, int]) -> F32:
    """`Targets.heatmap` of ``shape`` inputs and cells, from the places of labeled keypoints."""
    inputs, cells = shape
    heatmap = np.zeros((inputs, JOINTS, cells, cells), np.float32)
    sigmas = np.clip(_JOINT_SPREAD * scales, *_JOINT_SIGMA)
    lists = (one.tolist() for one in (index, joint, places, sigmas))
    for number, kind, place, sigma in zip(*lists, strict=True):
        _paint(heatmap[number, kind], place, sigma)
    return heatmap


def _scales(boxes: F32) -> F32:
    """(N, 17) float32, the scale in cells of the similarity of each keypoint of people with these boxes."""
    return np.sqrt(BODY * (boxes[:, 2:] - boxes[:, :2]).prod(1))[:, None] * JOINT_SCALES


def _paint(plane: F32, place: Sequence[float], sigma: float, *, peaked: bool = False) -> None:
    """Adds a Gaussian at x, y; if ``peaked``, scaled so that it is 1 in the cell that it is highest in."""
    x, y = (value - 0.5 for value in place)
    reach = _SUPPORT * sigma
    rows, columns = (
        np.arange(max(int(at - reach), 0), min(int(at + reach) + 2, side))
        for at, side in zip((y, x), plane.shape, strict=True)
    )
    bell = np.exp(((rows[:, None] - y) ** 2 + (columns - x) ** 2) / (-2 * sigma * sigma))
    if peaked:
        bell /= bell.max()
    part = plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    np.maximum(part, bell.astype(np.float32), out=part)


def _cells(places: F32, cells: int) -> I64:
    """(N, 2) int64 rows and columns of the cells that (N, 2) x, y lie in."""
    return places[:, ::-1].astype(np.int64).clip(0, cells - 1)


def _drawn(outlines: Sequence[U8 | None], keypoints: F32, rng: np.random.Generator, most: int) -> I64:
    """`Targets.drawn`: people with masks, and those of whom the teacher's is worth something."""
    outlined = np.array([mask is not None for mask in outlines], np.bool_)
    able = np.flatnonzero(outlined | (keypoints[..., 2].sum(1) >= _POSED))
    return np.sort(rng.permutation(able)[:most])


def _jittered(boxes: F32, rng: np.random.Generator) -> F32:
    size = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return (boxes + rng.uniform(-_MASK_JITTER, _MASK_JITTER, boxes.shape) * size).astype(np.float32)


def _cut(masks: Sequence[U8 | None], boxes: F32) -> U8:
    """(M, 80, 80) uint8, each person's mask on the area that the mask head looks at for boxes in pixels."""
    ones = np.ones(len(boxes), np.float32)
    keypoints = np.zeros((len(boxes), JOINTS, 3), np.float32)
    people = People(boxes, ones, keypoints, ones, ones, np.zeros(len(boxes), np.int64))
    out = np.zeros((len(boxes), MASK_SIZE, MASK_SIZE), np.uint8)
    for one, mask, affine in zip(out, masks, mask_affines(people, _IDENTITY), strict=True):
        if mask is not None:
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            cv2.warpAffine(mask, affine, (MASK_SIZE, MASK_SIZE), one, flags)
    return out
