"""Panels of text in a corner of the image: their sizes, and the corner that is the emptiest."""

from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.types import F32
from ..types import Instances

Rect = tuple[int, int, int, int]
"""x1 y1 x2 y2 in pixels, end exclusive."""

MIN_TEXT_PX: Final = 8
"""Height in pixels below which text is unreadable; its panel is left out then."""

_HEAD = 0.3  # of a person's box, from the top
_MEMORY = 0.95  # of how full a corner was, from frame to frame
_FULLER = 0.1  # of a panel that may be covered before a corner that was emptier of late is better


def fit_text_height(height: int, widest: int, room: int) -> int:
    """The text height at which a line that is ``widest`` at ``height`` fits into ``room``; in pixels."""
    return height if widest <= room else int(height * room / widest)


def steady_width(widest: int, height: int, room: int) -> int:
    """A panel's inner width, rounded up to steps so that it does not change with every digit; in pixels."""
    step = 2 * height
    return min(-(-widest // step) * step, room)


def overlap(a: Rect, b: Rect) -> int:
    """Pixels in both rectangles."""
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


class Corner:
    """Keeps a panel in the corner of the frames of one run that is the emptiest, and away from heads.

    It stays where it is until it would cover a head there, or other corners have been emptier for a while.
    """

    def __init__(self) -> None:
        self._fullness = np.zeros(4)
        self._at: int | None = None

    def place(
        self, panel: tuple[int, int], size: tuple[int, int], found: Instances, pad: int
    ) -> tuple[Rect, bool]:
        """Where a panel goes in a frame.

        Args:
            panel: (height, width) in pixels.
            size: (height, width) of the image in pixels.
            found: what is in the image.
            pad: distance from the edges of the image in pixels.

        Returns:
            The place, and whether it covers a head there.
        """
        (high, wide), (height, width) = panel, size
        x, y = max(0, width - pad - wide), max(0, height - pad - high)
        spots = [(left, top, left + wide, top + high) for top in (pad, y) for left in (pad, x)]
        heads = _covered(spots, _heads(found))
        bodies = _covered(spots, found.boxes) / max(1, high * wide)
        first = self._at is None
        self._fullness = bodies if first else _MEMORY * self._fullness + (1 - _MEMORY) * bodies
        best = min(range(4), key=lambda i: (heads[i], self._fullness[i]))
        at = best if self._at is None else self._at
        if heads[at] > heads[best] or self._fullness[at] > self._fullness[best] + _FULLER:
            at = best
        self._at = at
        return spots[at], bool(heads[at])


def _heads(found: Instances) -> F32:
    """(N, 4) float32 x1 y1 x2 y2, where the heads of people are."""
    boxes = found.boxes[found.people]
    high = boxes[:, 3] - boxes[:, 1]
    # A box wider than a standing person's shows the upper body only.
    head = np.maximum(_HEAD * high, np.minimum(0.8 * (boxes[:, 2] - boxes[:, 0]), high))
    heads = boxes.copy()
    heads[:, 3] = boxes[:, 1] + head
    return heads


def _covered(spots: list[Rect], boxes: F32) -> npt.NDArray[np.float64]:
    """Pixels of each of M places that N boxes cover, all boxes together: (M,)."""
    places = np.array(spots, np.float64)[:, None]
    others = np.nan_to_num(boxes).astype(np.float64)[None]
    sides = np.minimum(places[..., 2:], others[..., 2:]) - np.maximum(places[..., :2], others[..., :2])
    return np.clip(sides, 0, None).prod(-1).sum(1)
