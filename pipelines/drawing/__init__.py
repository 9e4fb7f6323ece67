"""Drawing results on images: masks, skeletons, labels, the HUD; and hiding people."""

from .anonymize import Anonymizer, pixelate
from .colors import Color, color_of
from .hud import Hud
from .labels import draw_labels
from .masks import draw_mask
from .overlay import Overlay
from .skeleton import Skeleton
from .text import Style, put_text, text_width
from .zones import draw_counts

__all__ = [
    "Anonymizer",
    "Color",
    "Hud",
    "Overlay",
    "Skeleton",
    "Style",
    "color_of",
    "draw_counts",
    "draw_labels",
    "draw_mask",
    "pixelate",
    "put_text",
    "text_width",
]
