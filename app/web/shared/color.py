"""Track colors for the page."""

from ....pipelines.drawing.colors import color_of


def web_color(number: int) -> str:
    """The color of a track as in the drawn frames, ``#rrggbb``."""
    blue, green, red = color_of(number)
    return f"#{red:02x}{green:02x}{blue:02x}"
