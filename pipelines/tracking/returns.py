"""Who was lost in the middle of the image, and may come out from behind something."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.types import F32, I64
from .assignment import assign

F64 = npt.NDArray[np.float64]

RETURN_S: Final = 20.0
"""Seconds for which somebody is remembered who was lost."""

_REACH, _SPEED = 0.5, 1.0  # heights that they may be away from where they were lost, and more each second
_SIZE = 0.6  # least ratio of the heights
_INSIDE = 0.02  # of the image's sides, that a box keeps off the border: others have left, or come in


@dataclass(frozen=True, slots=True)
class Absent:
    """N people who are not seen.

    Attributes:
        ids: (N,) int64.
        places: (N, 4) float64 center x and y, width, height, where they are expected in pixels.
        colors: (N, C) float32, see `colors.colors_of`.
        unseen_s: (N,) float64.
    """

    ids: I64
    places: F64
    colors: F32
    unseen_s: F64

    def __getitem__(self, rows: npt.NDArray[np.bool_]) -> "Absent":
        return Absent(self.ids[rows], self.places[rows], self.colors[rows], self.unseen_s[rows])

    def joined(self, others: "Absent") -> "Absent":
        """These, then the others."""
        return Absent(
            np.concatenate([self.ids, others.ids]),
            np.concatenate([self.places, others.places]),
            np.concatenate([self.colors, others.colors]) if len(self.ids) else others.colors,
            np.concatenate([self.unseen_s, others.unseen_s]),
        )

    @classmethod
    def nobody(cls) -> "Absent":
        """Nobody."""
        none = np.zeros(0)
        return cls(np.zeros(0, np.int64), np.zeros((0, 4)), np.zeros((0, 0), np.float32), none)


def returned(
    absent: Absent, places: F64, colors: F32, size: tuple[int, int], least: float
) -> tuple[I64, I64]:
    """Which of the people who begin to be followed was there before.

    Args:
        absent: N who may be back.
        places: (M, 4) float64 center x and y, width and height of those who appear.
        colors: (M, C) float32 of them.
        size: (height, width) of the image in pixels.
        least: product of the colors of somebody who is back.

    Returns:
        Rows of those who appear, and whom of the absent each is.
    """
    if not (len(places) and len(absent.ids)):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    alike = colors @ absent.colors.T
    heights = places[:, None, 3], absent.places[None, :, 3]
    taller = np.maximum(*heights)
    apart = np.hypot(*(places[:, None, i] - absent.places[None, :, i] for i in range(2))) / taller
    possible = np.logical_and.outer(_inside(places, size), _inside(absent.places, size))
    possible &= apart <= _REACH + _SPEED * absent.unseen_s
    possible &= np.minimum(*heights) >= _SIZE * taller
    return assign(np.where(possible & (alike >= least), alike, 0), least)


def _inside(places: F64, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """(N,) bool, whose boxes keep off the image's border."""
    sides = np.array([size[1], size[0]])
    half = places[:, 2:] / 2
    low, high = places[:, :2] - half, places[:, :2] + half
    room = np.concatenate([low - _INSIDE * sides, (1 - _INSIDE) * sides - high], 1)
    return room.min(1) > 0
