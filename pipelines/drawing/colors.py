"""Colors: one per track, which color-blind people tell apart too, and the text color that reads on each."""

import functools
import math
from typing import Final

import numpy as np

Color = tuple[int, int, int]
"""Blue, green, red, each 0 to 255."""

WHITE: Color = (255, 255, 255)
FAINT: Color = (205, 205, 205)
DARK: Color = (28, 22, 18)
LEFT: Color = (98, 186, 255)
"""Amber: the left limbs of a person (the person's own left)."""
RIGHT: Color = (255, 206, 104)
"""Sky blue: the right limbs."""

PALETTE: Final[tuple[Color, ...]] = (
    (0, 159, 230),
    (233, 180, 86),
    (115, 158, 0),
    (66, 228, 240),
    (0, 94, 213),
    (167, 121, 204),
    (178, 114, 0),
    (255, 255, 120),
    (165, 210, 135),
    (255, 135, 90),
    (180, 255, 180),
    (150, 30, 195),
)
"""Orange, sky blue, bluish green, yellow, vermilion, reddish purple and blue of M. Okabe and K. Ito, "Color
universal design", 2008; and five more, each as far as possible from those before it in OKLab, also to people
without red or green cones."""

_OKLAB_TO_LMS = (
    (1.0, 0.3963377774, 0.2158037573),
    (1.0, -0.1055613458, -0.0638541728),
    (1.0, -0.0894841775, -1.291485548),
)
_LMS_TO_RGB = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.707614701),
)


def color_of(number: int) -> Color:
    """The color of a track id; twelve ids in a row look different."""
    return PALETTE[number % len(PALETTE)]


def oklch(lightness: float, chroma: float, hue: float) -> Color:
    """A color of the OKLCH space: lightness (0 to 1), chroma (0 to 0.3) and hue (radians).

    Unlike in HSL, colors of equal lightness look equally light: B. Ottosson, "A perceptual color space for
    image processing", 2020.
    """
    lab = np.array([lightness, chroma * math.cos(hue), chroma * math.sin(hue)])
    linear = np.clip(np.array(_LMS_TO_RGB) @ (np.array(_OKLAB_TO_LMS) @ lab) ** 3, 0, 1)
    red, green, blue = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return round(blue * 255), round(green * 255), round(red * 255)


@functools.lru_cache(maxsize=4096)
def ink_on(color: Color) -> Color:
    """Dark or white, whichever reads better on a color (by its luma, ITU-R BT.601)."""
    blue, green, red = color
    return DARK if 0.114 * blue + 0.587 * green + 0.299 * red > 118 else WHITE
