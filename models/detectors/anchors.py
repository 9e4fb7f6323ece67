"""Anchors of the SSD detectors, and boxes decoded relative to them."""

import math

import numpy as np
import numpy.typing as npt

from ..errors import SepcamError
from ..spec import Size
from ..types import F32
from .candidates import MAX_LOG_SIZE

SSD_SIZE: Size = (300, 300)


def ssd_heads(size: Size) -> int:
    """How many heads an SSD has at an input size: all 6 at 300 x 300, the 2 finest on larger images.

    Raises:
        SepcamError: If a side is not 300 plus a multiple of 32. Others would be padded in a pattern that the
            network was not trained with.
    """
    if any(side < 300 or (side - 300) % 32 for side in size):
        raise SepcamError(
            f"input size {size[0]}x{size[1]} does not fit: use 300 plus multiples of 32, e.g. 588x780"
        )
    return 6 if size == SSD_SIZE else 2


def anchors(size: Size = SSD_SIZE) -> F32:
    """The boxes that an SSD's encodings are relative to.

    Six grids of halving resolution; the anchors of a cell differ in scale and aspect ratio. On inputs larger
    than 300 x 300 they keep the size in pixels that they have there. Source: Liu et al. 2016, section 2.2,
    with the scales of the TensorFlow Object Detection API's ``ssd_anchor_generator``.

    Args:
        size: (height, width) of the network's input in pixels.

    Returns:
        (A, 4) float32 cy, cx, h, w as fractions of the input; head by head, row by row, cell by cell.

    Raises:
        SepcamError: See `ssd_heads`.
    """
    count = ssd_heads(size)
    scales = [*np.linspace(0.2, 0.95, 6), 1.0]
    pixels = np.array([SSD_SIZE[0] / size[0], SSD_SIZE[1] / size[1]])
    heads = []
    for head in range(count):
        if head == 0:
            scale, ratio = np.array([0.1, 0.2, 0.2]), np.array([1, 2, 0.5])
        else:
            between = math.sqrt(scales[head] * scales[head + 1])
            scale, ratio = np.array([scales[head]] * 5 + [between]), np.array([1, 2, 0.5, 3, 0.3333, 1])
        stride = 16 << head
        rows, columns = (-(-side // stride) for side in size)
        sides = np.stack([scale / np.sqrt(ratio), scale * np.sqrt(ratio)], 1) * pixels
        heads.append(_on_grid(rows, columns, sides))
    return np.concatenate(heads).astype(np.float32)


def torchvision_anchors() -> F32:
    """The boxes that the encodings of torchvision's SSDLite at 320 x 320 are relative to.

    Those of torchvision's ``DefaultBoxGenerator`` with aspect ratios 1, 2, 3 and scales 0.2 to 0.95.

    Returns:
        (3234, 4) float32 cy, cx, h, w as fractions of the input; head by head, row by row, cell by cell.
    """
    scales = [*np.linspace(0.2, 0.95, 6), 1.0]
    heads = []
    for head, side in enumerate((20, 10, 5, 3, 2, 1)):
        scale, between = scales[head], math.sqrt(scales[head] * scales[head + 1])
        sides = [(scale, scale), (between, between)]
        for ratio in (2, 3):
            long, short = scale * math.sqrt(ratio), scale / math.sqrt(ratio)
            sides += [(short, long), (long, short)]
        heads.append(_on_grid(side, side, np.minimum(sides, 1)))
    return np.concatenate(heads).astype(np.float32)


def _on_grid(rows: int, columns: int, sides: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(rows * columns * K, 4) cy, cx, h, w: boxes of each of the (K, 2) sides at the center of every cell."""
    cells = np.indices((rows, columns)).reshape(2, -1, 1).transpose(1, 2, 0)
    centers = np.broadcast_to((cells + 0.5) / (rows, columns), (rows * columns, len(sides), 2))
    return np.concatenate([centers, np.broadcast_to(sides, centers.shape)], 2).reshape(-1, 4)


def decode(encodings: F32, anchors: F32) -> F32:
    """Boxes from an SSD's encodings (Faster R-CNN's box coder with scales 10, 10, 5, 5).

    Args:
        encodings: (N, 4) float32 ty, tx, th, tw.
        anchors: (N, 4) float32 cy, cx, h, w.

    Returns:
        (N, 4) float32 x1 y1 x2 y2 in the anchors' unit.
    """
    sides = anchors[:, :1:-1]
    center = encodings[:, 1::-1] / 10 * sides + anchors[:, 1::-1]
    half = np.exp(np.minimum(encodings[:, :1:-1] / 5, MAX_LOG_SIZE)) * sides / 2
    return np.concatenate([center - half, center + half], 1, dtype=np.float32)
