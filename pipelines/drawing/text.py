"""Text and sizes of drawings: they scale with the image, so that 320x240 and 4K look alike."""

import functools
from dataclasses import dataclass

import numpy as np

from ...models.types import U8
from ..fonts.strips import BOLD, REGULAR, strip
from .colors import Color, ink_on

__all__ = ["BOLD", "REGULAR", "Style", "label", "put_text", "text_width"]


@dataclass(frozen=True, slots=True)
class Style:
    """Sizes of drawings for one image size.

    Attributes:
        line: thickness of boxes in pixels.
        text: height of text in pixels.
        pad: space around text in pixels.
    """

    line: int
    text: int
    pad: int

    @classmethod
    def of(cls, height: int, width: int, scale: float = 1.0) -> "Style":
        """The sizes that suit an image of this size in pixels, or a multiple of them."""
        short = min(height, width) * scale
        text = max(11, round(short * 0.02))
        return cls(line=max(1, round(short / 400)), text=text, pad=max(2, round(text * 0.3)))

    @property
    def label(self) -> int:
        """Height of a label in pixels."""
        return round(self.text * 1.15) + 2 * (self.pad // 2)


def text_width(text: str, height: int, weight: int = REGULAR) -> int:
    """Width of a line of text in pixels."""
    return strip(text, height, weight).width


def put_text(image: U8, text: str, x: int, y: int, color: Color, height: int, weight: int = REGULAR) -> None:
    """Writes a line of text into an (H, W, 3) uint8 BGR image, in place; what lies outside is left out.

    Args:
        image: drawn on in place.
        text: in any script.
        x: column of the left end of the baseline.
        y: row of the baseline.
        color: of the letters.
        height: of the line in pixels.
        weight: ``REGULAR`` or ``BOLD``.
    """
    line = strip(text, height, weight)
    left, top = x + line.x, y + line.y
    area = image[
        max(0, top) : max(0, top + line.mask.shape[0]), max(0, left) : max(0, left + line.mask.shape[1])
    ]
    mask = line.mask[max(0, -top) :, max(0, -left) :][: area.shape[0], : area.shape[1], None].astype(
        np.uint16
    )
    if mask.size:
        area[:] = (area * (255 - mask) + mask * np.array(color, np.uint16) + 127) // 255


@functools.lru_cache(maxsize=2048)
def label(text: str, color: Color, style: Style) -> U8:
    """A label as an image, (``style.label``, w, 3) uint8 BGR: text on a color; not to be changed."""
    wide = text_width(text, style.text) + 2 * style.pad
    image = np.empty((style.label, wide, 3), np.uint8)
    image[:] = color
    put_text(image, text, style.pad, style.pad // 2 + round(style.text * 0.9), ink_on(color), style.text)
    return image
