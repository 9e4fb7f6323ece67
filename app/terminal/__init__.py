"""What the terminal shows and sends: messages, progress, signals, contact sheets."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .contact_sheet import image_grid, save_image
    from .signals import terminable

__all__ = [
    "image_grid",
    "save_image",
    "terminable",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "image_grid": "contact_sheet",
        "save_image": "contact_sheet",
        "terminable": "signals",
    },
)
