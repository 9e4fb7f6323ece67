"""Around the mask head of `networks.people`: what it is given of each person, and where its masks lie.

Coordinates are in cells of 4 x 4 pixels of the network's input, as in `people_decoding`. Nothing here needs
torch.
"""

import cv2
import numpy as np

from ..types import F32

GRID = 40
"""Side of the head's input."""

FEATURES, KEYPOINTS = 24, 17
CHANNELS = FEATURES + KEYPOINTS + 2

_GROW = np.float32(1.15)  # how much larger than the box the area is that the head looks at
_LEAST = np.float32(1)  # half a side of that area in cells, at least
_SIGMA = 0.12  # of a keypoint's Gaussian, in halves of the area's side
_OCTAVES = np.float32(4)  # by which log2 of the halved sides is divided
_TICKS: F32 = np.linspace(1 / GRID - 1, 1 - 1 / GRID, GRID, dtype=np.float32)  # centers of the grid's cells, from -1 to 1


def areas(boxes: F32) -> tuple[F32, F32]:
    """Centers and halved sides, (N, 2) float32 x, y each, of what the head looks at for (N, 4) boxes."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.maximum((boxes[:, 2:] - boxes[:, :2]) / 2 * _GROW, _LEAST)
    return center.astype(np.float32), half.astype(np.float32)


def mask_inputs(features: F32, boxes: F32, keypoints: F32) -> F32:
    """What the mask head is given.

    Args:
        features: (H, W, 24) float32 of the image.
        boxes: (N, 4) float32 x1 y1 x2 y2.
        keypoints: (N, 17, 3) float32 x, y and score.

    Returns:
        (N, 40, 40, 43) float32: the features on a grid over the person's area, zeros beyond the image; a
        Gaussian at each of the person's keypoints, times its score; and the area's size.
    """
    inputs = np.empty((len(boxes), GRID, GRID, CHANNELS), np.float32)
    center, half = areas(boxes)
    for out, affine in zip(inputs, grid_affines(boxes, GRID), strict=True):
        # Rounds positions to 1/32 of a cell, and takes a third of the time of exact interpolation in numpy.
        sampled = cv2.warpAffine(
            features, affine, (GRID, GRID), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        out[..., :FEATURES] = sampled
    joints = (keypoints[..., :2] - center[:, None]) / half[:, None]
    distance = joints[:, None] - _TICKS[:, None, None]  # (N, 40, 17, xy)
    bell = np.exp(distance * distance * np.float32(-0.5 / _SIGMA**2))
    bell[..., 1] *= keypoints[:, None, :, 2].clip(0, 1)
    np.multiply(bell[:, :, None, :, 1], bell[:, None, :, :, 0], out=inputs[..., FEATURES:-2])
    inputs[..., -2:] = (np.log2(half) / _OCTAVES)[:, None, None]
    return inputs


def grid_affines(boxes: F32, size: int) -> F32:
    """(N, 2, 3) float32 affine matrices from a ``size`` x ``size`` grid over each person's area to cells.

    Both count from pixel centers, as OpenCV does: the grid's (0, 0) is the middle of its first pixel.
    """
    center, half = areas(boxes)
    step = 2 * half / size
    affines = np.zeros((len(boxes), 2, 3), np.float32)
    affines[:, 0, 0], affines[:, 1, 1] = step.T
    affines[:, :, 2] = center - half + step / 2 - np.float32(0.5)
    return affines
