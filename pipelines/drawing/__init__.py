"""Drawing results on images: masks, skeletons, labels, the HUD; and hiding people."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .anonymize import Anonymizer, pixelate
    from .colors import Color, color_of
    from .hud import Hud
    from .labels import draw_labels
    from .masks import draw_mask
    from .options import DrawOptions
    from .overlay import Overlay
    from .skeleton import Skeleton
    from .text import Style, put_text, text_width
    from .trails import Trails
    from .zones import draw_counts

__all__ = [
    "Anonymizer",
    "Color",
    "DrawOptions",
    "Hud",
    "Overlay",
    "Skeleton",
    "Style",
    "Trails",
    "color_of",
    "draw_counts",
    "draw_labels",
    "draw_mask",
    "pixelate",
    "put_text",
    "text_width",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Anonymizer": "anonymize",
        "Color": "colors",
        "DrawOptions": "options",
        "Hud": "hud",
        "Overlay": "overlay",
        "Skeleton": "skeleton",
        "Style": "text",
        "Trails": "trails",
        "color_of": "colors",
        "draw_counts": "zones",
        "draw_labels": "labels",
        "draw_mask": "masks",
        "pixelate": "anonymize",
        "put_text": "text",
        "text_width": "text",
    },
)
