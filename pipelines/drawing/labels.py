"""Labels: their text and their placement."""

from collections.abc import Collection, Sequence

from ...models.types import F32, U8
from ..types import Instances
from .colors import Color
from .options import Layer
from .panel import Rect, overlap
from .text import Style, label


def draw_labels(
    image: U8,
    found: Instances,
    rows: Sequence[int],
    colors: Sequence[Color],
    style: Style,
    layers: Collection[Layer],
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
        layers: which of ``labels``, ``ids`` and ``conf`` to write.
        taken: rectangles to keep clear of.
    """
    height, width = image.shape[:2]
    taken = list(taken)
    high = style.label
    for row in rows:
        best: tuple[U8, Rect] | None = None
        for text in label_texts(found, row, layers):
            drawn = label(text, colors[row], style)
            wide = drawn.shape[1]
            if wide <= width and high <= height:
                spots = _spots(found.boxes[row], wide, high, (height, width), style.line)
                covered, rect = _freest(spots, taken)
                best = drawn, rect
                if not covered:
                    break
        if best is not None:
            drawn, (x1, y1, x2, y2) = best
            taken.append(best[1])
            image[y1:y2, x1:x2] = drawn


def label_texts(found: Instances, row: int, layers: Collection[Layer]) -> list[str]:
    """The full label, and a shorter one; none where nothing is to be written.

    The name of somebody with an identity, "person", is left out.
    """
    name = found.names[int(found.labels[row])]
    number = f"#{found.track_ids[row]}" if found.track_ids is not None and "ids" in layers else ""
    words = [name] if "labels" in layers and not (number and name == "person") else []
    words += [number] if number else []
    score = [f"{found.scores[row]:.2f}"] if "conf" in layers else []
    texts = [" ".join(words + score), " ".join(words)]
    return [text for text in dict.fromkeys(texts) if text]


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
        covered = sum(overlap(spot, other) for other in taken)
        if least is None or covered < least[0]:
            least = covered, spot
        if not covered:
            break
    assert least is not None
    return least
