"""How many are missed and how many results are false, by the size and the occlusion of people."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.types import F32
from .error_gallery import Judgement

SIZES: Final = ("small", "medium", "large")
"""Boxes under 32 x 32 pixels, under 96 x 96, and larger ones, as COCO has it of areas."""

OCCLUSIONS: Final = ("clear", "partly hidden", "mostly hidden")
"""At most 10 % of a box behind the boxes of people nearer, up to half, and more."""

_AREAS = (32**2, 96**2)
_SHARES = (0.1, 0.5)
_ROWS = 8  # a person's box is looked at in so many rows and columns


class ErrorCounts:
    """Counts people, misses and false results over images, at one threshold."""

    def __init__(self) -> None:
        self._counts = {
            by: {group: {"people": 0, "missed": 0, "false": 0} for group in groups}
            for by, groups in (("size", SIZES), ("occlusion", OCCLUSIONS))
        }

    def add(self, boxes: F32, truth: F32, judged: Judgement) -> None:
        """Adds an image.

        Args:
            boxes: (N, 4) float32 x1 y1 x2 y2, what was found.
            truth: (M, 4) float32, the people.
            judged: which of them are right, and met.
        """
        for by, of in (("size", sizes), ("occlusion", occlusions)):
            groups = SIZES if by == "size" else OCCLUSIONS
            for number, met in zip(of(truth).tolist(), judged.met.tolist(), strict=True):
                counts = self._counts[by][groups[number]]
                counts["people"] += 1
                counts["missed"] += not met
            for number, false in zip(of(boxes).tolist(), judged.false.tolist(), strict=True):
                self._counts[by][groups[number]]["false"] += false

    def to_json(self) -> Mapping[str, Mapping[str, Mapping[str, int]]]:
        """By ``size`` and ``occlusion``, then by group: ``people``, ``missed``, ``false``."""
        return self._counts


def sizes(boxes: F32) -> npt.NDArray[np.int64]:
    """(N,) which of ``SIZES`` each box has."""
    sides = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).astype(np.float64)
    return np.digitize(sides.prod(1), _AREAS)


def occlusions(boxes: F32) -> npt.NDArray[np.int64]:
    """(N,) which of ``OCCLUSIONS`` each box has, behind those that end lower and so are nearer."""
    steps = (np.arange(_ROWS) + 0.5) / _ROWS
    hidden = np.zeros(len(boxes))
    for row, (x1, y1, x2, y2) in enumerate(boxes.astype(np.float64).tolist()):
        nearer = boxes[boxes[:, 3] > y2]
        x, y = x1 + steps * (x2 - x1), y1 + steps * (y2 - y1)
        wide = (nearer[:, :1] <= x) & (x < nearer[:, 2:3])
        high = (nearer[:, 1:2] <= y) & (y < nearer[:, 3:])
        hidden[row] = (high[:, :, None] & wide[:, None]).any(0).mean() if len(nearer) else 0.0
    return np.digitize(hidden, _SHARES)
