"""Sizes of text panels in a corner of the image; both HUDs use them."""

from typing import Final

MIN_TEXT_PX: Final = 8
"""Height in pixels below which text is unreadable; its panel is left out then."""


def fit_text_height(height: int, widest: int, room: int) -> int:
    """The text height at which a line that is ``widest`` at ``height`` fits into ``room``; in pixels."""
    return height if widest <= room else int(height * room / widest)


def steady_width(widest: int, height: int, room: int) -> int:
    """A panel's inner width, rounded up to steps so that it does not change with every digit; in pixels."""
    step = 2 * height
    return min(-(-widest // step) * step, room)
