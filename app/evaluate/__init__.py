"""``sepcam evaluate``: accuracy on annotated images and video."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .datasets import CocoData, MotData
    from .setups import Setup

__all__ = [
    "CocoData",
    "MotData",
    "Setup",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "CocoData": "datasets",
        "MotData": "datasets",
        "Setup": "setups",
    },
)
