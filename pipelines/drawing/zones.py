"""Drawing zones, lines and their counts."""

from collections.abc import Sequence

import cv2
import numpy as np

from ...models.types import U8
from ..events import ZoneCount
from .colors import WHITE, Color
from .panel import Rect, overlap
from .text import Style, put_text, text_width

_COLOR: Color = (60, 200, 255)


def draw_counts(image: U8, counts: Sequence[ZoneCount], scale: float = 1.0) -> list[Rect]:
    """Draws lines and zones with their counts into an (H, W, 3) uint8 BGR image, in place.

    Args:
        image: drawn on in place.
        counts: what is drawn.
        scale: of lines and text, as a multiple of the sizes that suit the image.

    Returns:
        Where the counts are written.
    """
    height, width = image.shape[:2]
    style = Style.of(height, width, scale)
    high = round(style.text * 1.1)
    written: list[Rect] = []
    for count in counts:
        points = np.array(count.points).round().astype(np.int32)
        cv2.polylines(image, [points], not count.is_line, _bgr(count.color), 2 * style.line, cv2.LINE_AA)
        text = str(count)
        wide = text_width(text, style.text)
        at = points[:2].mean(0)  # the middle of a line, because its ends may lie under the HUD
        x = int(np.clip(at[0] + style.pad, style.pad, max(style.pad, width - wide - style.pad)))
        y = int(np.clip(at[1] - style.pad, style.text + style.pad, height - style.pad))
        step = high + 2 * style.pad
        place = x - style.pad, max(0, y - high), x + wide + style.pad, y + style.pad
        # A line and a zone may have the same middle.
        while any(overlap(place, other) for other in written) and y + step < height:
            y += step
            place = place[0], y - high, place[2], y + style.pad
        written.append(place)
        area = image[place[1] : place[3], place[0] : place[2]]
        area //= 3
        put_text(image, text, x, y, WHITE, style.text)
    return written


def _bgr(color: str) -> Color:
    """The color of ``#rrggbb``; the usual one of ""."""
    if not color:
        return _COLOR
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return blue, green, red
