"""What the network says about an input: maps of all of it, and of single cells what only they are asked for.

The keypoints that a center tells of, the sides of its box and the places within cells are wanted of a few
dozen cells among thousands. Their heads run on patches of 3 x 3 features around those alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..types import F32, I64, U8

KEYPOINTS = 17
FEATURES = 24
PATCHES = 40
"""Cells that one input of the heads holds: the keypoints of two people, or the centers of most images."""

CELL_CHANNELS = 4 * KEYPOINTS + 4
"""Values that the heads give of a cell."""

_AROUND = np.arange(-1, 2)


@dataclass(frozen=True, slots=True)
class Cells:
    """What the network says of N cells, float32, in cells and y before x.

    Attributes:
        regress: (N, 17, 2) from the cell's index to the keypoints of the person whose center is in it.
        offset: (N, 17, 2) from the cell's index to each kind of keypoint that is in it.
        size: (N, 2) height and width of the box with its center there.
        center: (N, 2) from the cell's index to that center.
    """

    regress: F32
    offset: F32
    size: F32
    center: F32

    @classmethod
    def of(cls, values: F32) -> "Cells":
        """Out of the (N, 72) outputs of `networks.people.PeopleCells`."""
        pairs = values.reshape(len(values), CELL_CHANNELS // 2, 2)
        return cls(pairs[:, :KEYPOINTS], pairs[:, KEYPOINTS:-2], pairs[:, -2], pairs[:, -1])


@dataclass(frozen=True, slots=True)
class Maps:
    """What the network says about one input of H x W cells.

    Attributes:
        center: (H, W) float32, the probability that a person's center is there.
        heatmap: (17, H, W) float32, the probabilities that a keypoint is there.
        features: (H, W, 24) float32 that the heads read.
        read: what it says of the cells in (N,) rows and (N,) columns, N >= 0.
    """

    center: F32
    heatmap: F32
    features: F32
    read: Callable[[I64, I64], Cells]


LookAt = Callable[[U8], Sequence[Maps]]
"""Gives the maps of each image in a (B, H, W, 3) uint8 BGR batch; the next call overwrites them."""


class MapsRunner:
    """`LookAt` out of its two networks.

    Args:
        grid: `networks.people.PeopleGrid`, ready to run.
        cells: `networks.people.PeopleCells`, ready for (B, 40, 3, 3, 24) float32; any number of runners of
            one thread share it.
    """

    def __init__(self, grid: Callable[[U8], Sequence[F32]], cells: Callable[[F32], Sequence[F32]]) -> None:
        self._grid, self._cells = grid, cells

    def __call__(self, batch: U8) -> Sequence[Maps]:
        """The maps of a batch, see ``LookAt``."""
        centers, heatmaps, features = self._grid(batch)
        return [self._maps(*parts) for parts in zip(centers, heatmaps, features, strict=True)]

    def _maps(self, center: F32, heatmap: F32, features: F32) -> Maps:
        return Maps(center[0], heatmap, features, lambda rows, columns: self._read(features, rows, columns))

    def _read(self, features: F32, rows: I64, columns: I64) -> Cells:
        count = len(rows)
        if not count:
            return Cells.of(np.zeros((0, CELL_CHANNELS), np.float32))
        patches = np.zeros((-(-count // PATCHES) * PATCHES, 3, 3, FEATURES), np.float32)
        patches[:count] = patches_at(features, rows, columns)
        (values,) = self._cells(patches.reshape(-1, PATCHES, 3, 3, FEATURES))
        return Cells.of(values.reshape(-1, CELL_CHANNELS)[:count])


def patches_at(features: F32, rows: I64, columns: I64) -> F32:
    """(N, 3, 3, 24) float32, the features around N cells; zeros beyond the (H, W, 24) of them."""
    height, width = features.shape[:2]
    y, x = rows[:, None] + _AROUND, columns[:, None] + _AROUND
    patches = features[y.clip(0, height - 1)[:, :, None], x.clip(0, width - 1)[:, None]]
    if rows.min() < 1 or columns.min() < 1 or rows.max() > height - 2 or columns.max() > width - 2:
        inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None]
        patches[~inside] = 0
    return patches
