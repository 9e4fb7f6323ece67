"""What the terminal shows and sends: messages, progress, signals, images."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .images import image_grid, image_url, save_image
    from .signals import terminable

__all__ = [
    "image_grid",
    "image_url",
    "save_image",
    "terminable",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "image_grid": "images",
        "image_url": "images",
        "save_image": "images",
        "terminable": "signals",
    },
)
