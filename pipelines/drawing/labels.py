"""Labels: their text and their placement."""

from collections.abc import Sequence

from ...models.types import F32, U8
from ..types import Instances
from .colors import Color, ink_on
from .text import Style, put_text, text_width

Rect = tuple[int, int, int, int]
"""x1 y1 x2 y2 in pixels, end exclusive."""


def draw_labels(
    image: U8,
    found: Instances,
    rows: Sequence[int],
    colors: Sequence[Color],
    style: Style,
    taken: Sequence[Rect] = (),
) -> None:
    """Draws labels at their boxes, inside the image, without overlap where there is room.

    A label without a free spot is shortened (the score goes first); if that does not help, it goes where it
    covers the least.

    Args:
        image: (H, W, 3) uint8 BGR, drawn on in place.
        found: the labeled objects.
        rows: which of them, the most important first.
        colors: by row.
        style: sizes.
        taken: rectangles to keep clear of.
    """
    height, width = image.shape[:2]
    taken = list(taken)
    high = round(style.text * 1.15) + 2 * (style.pad // 2)
    for row in rows:
        best = None
        for text in _texts(found, row):
            wide = text_width(text, style.text) + 2 * style.pad
            if wide <= width and high <= height:
                spots = _spots(found.boxes[row], wide, high, (height, width), style.line)
                covered, rect = _freest(spots, taken)
                best = text, rect
                if not covered:
                    break
        if best is not None:
            taken.append(best[1])
            _write(image, *best, colors[row], style)


def _texts(found: Instances, row: int) -> tuple[str, str]:
    """The full and the short label."""
    name = found.names[int(found.labels[row])]
    brief = name
    if found.track_ids is not None:
        number = f"#{found.track_ids[row]}"
        brief = number if name == "person" else f"{name} {number}"
    return f"{brief} {found.scores[row]:.2f}", brief


def _spots(box: F32, wide: int, high: int, size: tuple[int, int], line: int) -> list[Rect]:
    """Spots for a label, the best first: above the box, inside its top, below it, inside its bottom.

    Where a label would cover the top of the box, a person's head, the spot below comes first.
    """
    height, width = size
    x1, y1, x2, y2 = (round(float(v)) for v in box)
    out = line // 2  # half of the box's line lies outside it
    tops = [y1 - out - high, y1 - out, y2 + out + 1, y2 + out + 1 - high]
    if 2 * wide > x2 - x1:
        tops[1], tops[2] = tops[2], tops[1]
    tops = [top for top in tops if 0 <= top <= height - high] or [min(max(y1, 0), height - high)]
    columns = [min(max(x, 0), width - wide) for x in (x1 - out, x2 + out + 1 - wide)]
    return [(x, top, x + wide, top + high) for top in tops for x in columns]


def _freest(spots: Sequence[Rect], taken: Sequence[Rect]) -> tuple[int, Rect]:
    """The first free spot, or else the one that covers the least; with the pixels that it covers."""
    least: tuple[int, Rect] | None = None
    for spot in spots:
        covered = sum(_overlap(spot, other) for other in taken)
        if least is None or covered < least[0]:
            least = covered, spot
        if not covered:
            break
    assert least is not None
    return least


def _overlap(a: Rect, b: Rect) -> int:
    """Pixels in both rectangles."""
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


def _write(image: U8, text: str, rect: Rect, color: Color, style: Style) -> None:
    x1, y1, x2, y2 = rect
    image[y1:y2, x1:x2] = color
    base = y1 + style.pad // 2 + round(style.text * 0.93)
    put_text(image, text, x1 + style.pad, base, ink_on(color), style.text)
