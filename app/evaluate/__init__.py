"""``sepcam evaluate``: accuracy on annotated images and video."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .datasets import MotData
    from .image_data import ImageData
    from .setups import Setup

__all__ = [
    "ImageData",
    "MotData",
    "Setup",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "ImageData": "image_data",
        "MotData": "datasets",
        "Setup": "setups",
    },
)
