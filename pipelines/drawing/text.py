"""Text and sizes of drawings: they scale with the image, so that 320x240 and 4K look alike."""

import functools
import threading
from dataclasses import dataclass

import cv2

from ...models.types import U8
from .colors import Color

REGULAR, BOLD = 450, 650


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
    def of(cls, height: int, width: int) -> "Style":
        """The sizes that suit an image of this size in pixels."""
        short = min(height, width)
        text = max(10, round(short * 0.02))
        return cls(line=max(1, round(short / 400)), text=text, pad=max(2, round(text * 0.3)))


class _Face(threading.local):
    """A font per thread: OpenCV mixes up letters when several threads share one."""

    def __init__(self) -> None:
        self.font = cv2.FontFace("sans")


_FACE = _Face()


@functools.lru_cache(maxsize=4096)
def text_width(text: str, height: int, weight: int = REGULAR) -> int:
    """Width of a line of text in pixels."""
    return int(cv2.getTextSize((0, 0), text, (0, 0), _FACE.font, height, weight)[2])


def put_text(image: U8, text: str, x: int, y: int, color: Color, height: int, weight: int = REGULAR) -> None:
    """Writes a line of text into an (H, W, 3) uint8 BGR image; (x, y) is the left end of its baseline."""
    cv2.putText(image, text, (x, y), color, _FACE.font, height, weight)
