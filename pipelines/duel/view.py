"""The image of a duel: both sides above, the figures below. The same is shown live and saved as a card."""

from collections.abc import Mapping, Sequence
from typing import Final

import cv2
import numpy as np

from ...models.types import U8, ConvKind
from ..drawing.beside import beside
from ..drawing.colors import DARK, FAINT, WHITE, oklch
from ..drawing.text import BOLD, REGULAR, put_text, text_width
from .result import KINDS, DuelResult, table

_LARGEST: Final = 640, 560
"""Width and height in pixels that one side has at most."""

_LEAST_WIDTH: Final = 320
_MARGIN, _UNIT = 18, 17  # pixels around and of the text below the sides
_STEP = 1.55  # from line to line, in units
_LINES = 7  # a headline of almost two, a table of three, the agreement, and two notes
_HEADLINE = 1.7  # height of its text, in units
_COLORS: Final = {"separable": oklch(0.83, 0.1, 3.4), "standard": oklch(0.8, 0.12, 0.9)}


def side_image(image: U8) -> U8:
    """An (H, W, 3) uint8 BGR image at the size that it has in the view of a duel."""
    height, width = image.shape[:2]
    scale = min(_LARGEST[0] / width, _LARGEST[1] / height)
    size = max(_LEAST_WIDTH, round(width * scale)), max(2, round(height * scale))
    if size == (width, height):
        return image
    scaled = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return np.asarray(scaled, np.uint8)


def duel_image(
    images: Mapping[ConvKind, U8],
    captions: Mapping[ConvKind, str],
    result: DuelResult | None,
    notes: Sequence[str],
) -> U8:
    """Both sides, and below them the figures.

    Args:
        images: of both sides, equally large, see `side_image`.
        captions: what is written above each.
        result: what was measured so far, or None.
        notes: two lines: what the figures mean, and what is going on.

    Returns:
        (H, W, 3) uint8 BGR. Its size depends on that of ``images`` alone.
    """
    above = beside(images, captions)
    below = np.empty((round((_LINES + 1) * _STEP * _UNIT) + 2 * _MARGIN, above.shape[1], 3), np.uint8)
    below[:] = DARK
    y = _MARGIN + round(_HEADLINE * _UNIT)
    if result is not None:
        _line(below, result.headline, y, round(_HEADLINE * _UNIT), BOLD)
        _table(below, table(result), y + round(1.3 * _STEP * _UNIT))
        _line(below, result.agreement, y + round(4.4 * _STEP * _UNIT))
    for number, note in enumerate(notes):
        _line(below, note, y + round((5.4 + number) * _STEP * _UNIT))
    return np.concatenate([above, below])


def _table(area: U8, rows: Sequence[Sequence[str]], y: int) -> None:
    """Columns as wide as their cells need; smaller text where the image is narrow."""
    unit = _UNIT
    while True:
        widths = [max(text_width(cell, unit, BOLD) for cell in column) for column in zip(*rows, strict=True)]
        if sum(widths) + unit * len(widths) + 2 * _MARGIN <= area.shape[1] or unit <= 8:
            break
        unit -= 1
    gap = min(3 * unit, (area.shape[1] - 2 * _MARGIN - sum(widths)) // max(1, len(widths) - 1))
    for number, row in enumerate(rows):
        x = _MARGIN
        color = FAINT if number == 0 else _COLORS[KINDS[number - 1]]
        for cell, width in zip(row, widths, strict=True):
            base = y + round(number * _STEP * _UNIT)
            put_text(area, cell, x, base, color, unit, REGULAR if number == 0 else BOLD)
            x += width + gap


def _line(area: U8, text: str, y: int, unit: int = _UNIT, weight: int = REGULAR) -> None:
    """A line of text, smaller where it would not fit."""
    room = area.shape[1] - 2 * _MARGIN
    wide = text_width(text, unit, weight)
    if wide > room:
        unit = max(8, int(unit * room / wide))
    put_text(area, text, _MARGIN, y, FAINT if weight == REGULAR else WHITE, unit, weight)
