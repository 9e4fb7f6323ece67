"""Files on disk: their types by name, and text files written line by line."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .text import TextFile

__all__ = [
    "TextFile",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "TextFile": "text",
    },
)
