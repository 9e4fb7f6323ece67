"""Both forms of a network side by side in one image."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ...models.types import U8, ConvKind
from .colors import DARK, WHITE, Color
from .text import BOLD, Style, put_text, text_width

SIDES: Final[Mapping[ConvKind, Color]] = {"separable": (143, 131, 0), "standard": (27, 89, 208)}
"""The two sides, left to right, and the background of their captions, BGR."""

_GAP = 6


def beside(images: Mapping[ConvKind, U8], captions: Mapping[ConvKind, str]) -> U8:
    """The images of both backbones side by side, each under its caption; all (H, W, 3) uint8 BGR."""
    left, right = (_captioned(images[kind], captions[kind], color) for kind, color in SIDES.items())
    between = np.full((left.shape[0], _GAP, 3), DARK, np.uint8)
    return np.concatenate([left, between, right], axis=1)


def _captioned(image: U8, caption: str, color: Color) -> U8:
    height, width = image.shape[:2]
    size = round(Style.of(height, width).text * 1.6)
    size = min(size, int(size * (width - 16) / max(text_width(caption, size, BOLD), 1)))
    bar = np.empty((2 * round(size * 0.9), width, 3), np.uint8)
    bar[:] = color
    put_text(bar, caption, 8, round(size * 1.22), WHITE, size, BOLD)
    return np.concatenate([bar, image])
