"""Crops around people who are expected somewhere, side by side on one small input of the network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..spec import Size
from ..types import F32, U8
from .crops import cut
from .types import View

WIDTHS = (3, 6, 10, 15)
"""Widths of canvases in fifths of their height. Each is a network compiled once more, so they are few."""

_PERSON = 0.8  # of the canvas' height that a person is high
_WIDEST = 0.8  # of the height: a wider person is scaled by width
_BESIDE = 0.06  # of the height, at least on either side of a person
_GAP = 8  # black pixels between two crops
_STEP = 4  # pixels that crops begin at multiples of, and are wide


@dataclass(frozen=True, slots=True)
class Slot:
    """One crop on a canvas.

    Attributes:
        view: how it shows the image, in its own pixels.
        left: its first column on the canvas.
        right: the one after its last.
    """

    view: View
    left: int
    right: int

    @property
    def on_canvas(self) -> View:
        """How the canvas shows the image around the person."""
        (x, y), (scale, _) = self.view.origin, self.view.scale
        return View((x - self.left / scale, y), self.view.scale)


def arrange(boxes: F32, height: int) -> tuple[list[Slot], int]:
    """A slot for each of (N, 4) boxes x1 y1 x2 y2 in image pixels, and the columns that all of them take."""
    slots: list[Slot] = []
    left = 0
    for x1, y1, x2, y2 in boxes.tolist():
        scale = _PERSON * height / max(y2 - y1, (x2 - x1) / _WIDEST, 1.0)
        wanted = (x2 - x1) * scale + 2 * _BESIDE * height
        columns = -(-int(np.ceil(wanted)) // _STEP) * _STEP
        origin = (x1 + x2 - columns / scale) / 2, (y1 + y2 - height / scale) / 2
        slots.append(Slot(View(origin, (scale, scale)), left, left + columns))
        left += columns + _GAP
    return slots, max(left - _GAP, 0)


def canvas_size(columns: int, height: int) -> Size | None:
    """(height, width) of the smallest canvas with that many columns; None if there is none."""
    return next(
        ((height, width) for share in WIDTHS if (width := _width(share, height)) >= columns),
        None,
    )


def paint(image: U8, slots: Sequence[Slot], size: Size) -> U8:
    """The (1, height, width, 3) uint8 input with what the slots show of an (H, W, 3) image, else black."""
    batch: U8 = np.zeros((1, *size, 3), np.uint8)
    for slot in slots:
        cut(image, slot.view, batch[0, :, slot.left : slot.right])
    return batch


def _width(share: int, height: int) -> int:
    return round(share * height / 5 / 32) * 32
