"""The read-out in the corner: what is running, how fast, and on whom."""

import cv2
import numpy as np

from ..models.types import U8
from .frames import FrameResult
from .style import BOLD, REGULAR, WHITE, Style, put_text, text_width

_SHADE = 0.38  # share of the picture that shows through the panel
_FAINT = (200, 200, 200)
_SHARE = 0.3  # most of the picture's height that the panel may take
_SMALLEST = 8  # pixels; smaller letters cannot be read


class Hud:
    """Draws a small panel in the upper left corner.

    Args:
        caption: what runs, e.g. ``yolox-nano · separable``.
    """

    def __init__(self, caption: str) -> None:
        self._caption = caption

    def draw(self, image: U8, result: FrameResult) -> None:
        """Draws the panel for a result into an (H, W, 3) uint8 BGR picture, in place.

        Lines that find no room are left out, the last ones first; letters shrink to fit the width.
        """
        height, width = image.shape[:2]
        style = Style.of(height, width)
        lines = _lines(self._caption, result)
        longest = max(text_width(text, style.text, weight) for text, weight in lines)
        room = width - 6 * style.pad
        text = style.text if longest <= room else int(style.text * room / longest)
        step = round(text * 1.5)
        lines = lines[: max(1, int((height * _SHARE - 2 * style.pad) // max(step, 1)))]
        if text < _SMALLEST or step + 4 * style.pad > height:
            return
        widest = max(text_width(line, text, weight) for line, weight in lines)
        x = y = style.pad
        _shade(image[y : y + len(lines) * step + 2 * style.pad, x : x + widest + 4 * style.pad])
        for number, (line, weight) in enumerate(lines):
            base = y + style.pad + number * step + round(text * 1.1)
            put_text(image, line, x + 2 * style.pad, base, _FAINT if number else WHITE, text, weight)


def _lines(caption: str, result: FrameResult) -> list[tuple[str, int]]:
    """Text and weight of each line, the most important first."""
    people = int(result.instances.people.sum())
    count = f"{people} person" if people == 1 else f"{people} people"
    lines = []
    meter = result.meter
    if meter is not None:
        speed = "... FPS" if meter.processing_fps is None else f"{meter.processing_fps:.1f} FPS"
        source = "" if meter.source_fps is None else f"  source {meter.source_fps:.4g}"
        lines.append((speed + source, BOLD))
    lines.append((f"{count}  {caption}".rstrip(), REGULAR))
    stages = (meter.stage_ms if meter is not None else None) or result.stage_ms
    if stages:
        lines.append(("  ".join(f"{name} {ms:.1f}" for name, ms in stages.items()) + " ms", REGULAR))
    return lines


def _shade(area: U8) -> None:
    """Darkens a part of a picture in place."""
    cv2.convertScaleAbs(area, area, alpha=_SHADE)
    assert area.dtype == np.uint8
