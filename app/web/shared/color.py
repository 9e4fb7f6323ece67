"""Colors for the page."""

from ....pipelines.drawing.colors import Color, color_of


def web_color(number: int) -> str:
    """The color of a track id as in the drawn frames, ``#rrggbb``."""
    return to_css(color_of(number))


def to_css(color: Color) -> str:
    """A BGR color as ``#rrggbb``."""
    blue, green, red = color
    return f"#{red:02x}{green:02x}{blue:02x}"
