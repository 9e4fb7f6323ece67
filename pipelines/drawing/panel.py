"""How text panels in a corner of the picture find their size; both read-outs keep to it."""

from typing import Final

SMALLEST: Final = 8
"""Pixels; smaller letters cannot be read, and are left out with their panel."""


def fitted_letters(letters: int, widest: int, room: int) -> int:
    """The height of letters whose widest line, so wide at full height, is to fit; all in pixels."""
    return letters if widest <= room else int(letters * room / widest)


def steady_width(widest: int, letters: int, room: int) -> int:
    """A panel's inner width in whole steps, so that it does not tremble with every digit; all in pixels."""
    step = 2 * letters
    return min(-(-widest // step) * step, room)
