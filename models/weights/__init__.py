"""Where weights come from, how they are checked, read and kept."""

from typing import TYPE_CHECKING

from ..lazy import lazy_exports

if TYPE_CHECKING:
    from .store import Progress, WeightStore

__all__ = [
    "Progress",
    "WeightStore",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Progress": "store",
        "WeightStore": "store",
    },
)
