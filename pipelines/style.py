"""Sizes, colours and text of what is drawn: they grow with the picture, so that 320x240 and 4K read alike."""

import colorsys
import functools
from dataclasses import dataclass

import cv2

from ..models.types import U8

Colour = tuple[int, int, int]  # BGR

WHITE: Colour = (255, 255, 255)
DARK: Colour = (24, 20, 16)
REGULAR, BOLD = 450, 650

_GOLDEN = 0.618033988749895  # steps of it around the colour wheel never come near an earlier colour soon


@dataclass(frozen=True, slots=True)
class Style:
    """Sizes for a picture.

    Attributes:
        line: thickness of boxes in pixels.
        text: height of letters in pixels.
        pad: space around text in pixels.
    """

    line: int
    text: int
    pad: int

    @classmethod
    def of(cls, height: int, width: int) -> "Style":
        """The sizes that suit a picture of this many pixels."""
        short = min(height, width)
        text = max(10, round(short * 0.02))
        return cls(line=max(1, round(short / 400)), text=text, pad=max(2, round(text * 0.3)))


@functools.lru_cache(maxsize=4096)
def colour_of(number: int) -> Colour:
    """The colour of a track, the same whenever it is seen; neighbouring numbers look different."""
    hue = (0.55 + number * _GOLDEN) % 1.0
    # Alternating lightness doubles the colours that can be told apart.
    red, green, blue = colorsys.hls_to_rgb(hue, (0.56, 0.66)[number % 2], 0.85)
    return round(blue * 255), round(green * 255), round(red * 255)


@functools.lru_cache(maxsize=4096)
def lighter(colour: Colour) -> Colour:
    """A tint that stands out on a surface of the colour."""
    blue, green, red = ((c + 2 * 255) // 3 for c in colour)
    return blue, green, red


@functools.lru_cache(maxsize=4096)
def ink_on(colour: Colour) -> Colour:
    """Dark or white, whichever reads better on a colour (by its luma, ITU-R BT.601)."""
    blue, green, red = colour
    return DARK if 0.114 * blue + 0.587 * green + 0.299 * red > 140 else WHITE


@functools.cache
def _font() -> cv2.FontFace:
    return cv2.FontFace("sans")


@functools.lru_cache(maxsize=4096)
def text_width(text: str, height: int, weight: int = REGULAR) -> int:
    """Pixels that a line of text takes."""
    return int(cv2.getTextSize((0, 0), text, (0, 0), _font(), height, weight)[2])


def put_text(
    image: U8, text: str, x: int, y: int, colour: Colour, height: int, weight: int = REGULAR
) -> None:
    """Writes a line of text into an (H, W, 3) uint8 BGR picture; (x, y) is the left end of its base line."""
    cv2.putText(image, text, (x, y), colour, _font(), height, weight)
