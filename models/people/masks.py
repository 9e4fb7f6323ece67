"""Around the mask head of `networks.people`: what it is given of each person, and where its masks lie."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from ..types import F32
from .decoding import STRIDE
from .maps import FEATURES, KEYPOINTS
from .types import People, Seen, View, mapped

GRID = 40
"""Side of the head's input."""

MASK_SIZE = 2 * GRID
"""Side of its masks."""

MASK_BATCH = 16
"""People whose masks it computes at once: bounds the memory of its inputs."""

F64 = npt.NDArray[np.float64]

CHANNELS = FEATURES + KEYPOINTS + 2

GROW = np.float32(1.15)
"""How much larger than the box the area is that the head looks at."""

LEAST = np.float32(1)
"""Half a side of that area in cells, at least."""

SIGMA = 0.12
"""Of a keypoint's Gaussian, in halves of the area's side."""

OCTAVES = np.float32(4)
"""By which log2 of the halved sides is divided."""

_CELLS = np.float32(1 / STRIDE)  # per pixel
_TICKS: F32 = np.linspace(1 / GRID - 1, 1 - 1 / GRID, GRID, dtype=np.float32)  # the grid, from -1 to 1


def heads_of(people: People, seen: Sequence[Seen]) -> tuple[F32, F32]:
    """What the mask head is given of people in an image, and where its masks lie.

    Args:
        people: N in pixels of the image.
        seen: what shows each of them.

    Returns:
        (N, 40, 40, 43) float32, see `mask_inputs`, and (N, 2, 3) float32, see `mask_affines`.
    """
    scale = np.array([one.view.scale for one in seen]).reshape(-1, 1, 2)
    origin = np.array([one.view.origin for one in seen]).reshape(-1, 1, 2)
    shown = mapped(people, scale, -origin * scale)
    inputs = _inputs([one.features for one in seen], shown)
    return inputs, _placed(shown, origin[:, 0], scale[:, 0])


def mask_inputs(features: F32, people: People) -> F32:
    """What the mask head is given of each person in one input of the network.

    That is the features on a grid over the person's area, zeros beyond the input; a Gaussian at each of the
    person's keypoints, times its score; and the area's width and height.

    Args:
        features: (H, W, 24) float32 of the input.
        people: N in pixels of the input.

    Returns:
        (N, 40, 40, 43) float32.
    """
    return _inputs([features] * len(people), people)


def _inputs(planes: Sequence[F32], people: People) -> F32:
    """See `mask_inputs`; of each person the features of the input that shows them."""
    out = np.empty((len(people), GRID, GRID, CHANNELS), np.float32)
    center, half = _areas(people.boxes * _CELLS)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for grid, features, affine in zip(out, planes, _affines(center, half, GRID), strict=True):
        # Rounds positions to 1/32 of a cell, and takes a third of the time of exact interpolation in numpy.
        grid[..., :FEATURES] = cv2.warpAffine(features, affine, (GRID, GRID), flags=flags)
    joints = (people.keypoints[..., :2] * _CELLS - center[:, None]) / half[:, None]
    distance = joints[:, None] - _TICKS[:, None, None]  # (N, 40, 17, xy)
    bell = np.exp(distance * distance * np.float32(-0.5 / SIGMA**2))
    bell[..., 1] *= people.keypoints[:, None, :, 2].clip(0, 1)
    np.multiply(bell[:, :, None, :, 1], bell[:, None, :, :, 0], out=out[..., FEATURES:-2])
    out[..., -2:] = (np.log2(half) / OCTAVES)[:, None, None]
    return out


def mask_affines(people: People, view: View) -> F32:
    """Where the masks of people lie in the image.

    Args:
        people: N in pixels of a view's input, as ``mask_inputs`` got them.
        view: the one.

    Returns:
        (N, 2, 3) float32 affine matrices from each mask's 80 x 80 pixels to those of the image.
    """
    return _placed(people, np.array(view.origin), np.array(view.scale))


def _placed(people: People, origin: F64, scale: F64) -> F32:
    """See `mask_affines`; for views with these (N, 2) or (2,) origins and scales."""
    center, half = _areas(people.boxes * _CELLS)
    cell = (STRIDE / scale).astype(np.float32)  # sides in image pixels
    return _affines(center * cell + origin.astype(np.float32), half * cell, MASK_SIZE)


def _areas(boxes: F32) -> tuple[F32, F32]:
    """Centers and halved sides, (N, 2) x, y each, of what the head looks at for (N, 4) boxes in cells."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.maximum((boxes[:, 2:] - boxes[:, :2]) / 2 * GROW, LEAST)
    return center.astype(np.float32), half.astype(np.float32)


def _affines(center: F32, half: F32, size: int) -> F32:
    """(N, 2, 3) from the pixels of a grid over each area to those of a plane; (0, 0) is a pixel's middle."""
    step = 2 * half / size
    affines = np.zeros((len(center), 2, 3), np.float32)
    affines[:, 0, 0], affines[:, 1, 1] = step.T
    affines[:, :, 2] = center - half + step / 2 - np.float32(0.5)
    return affines
