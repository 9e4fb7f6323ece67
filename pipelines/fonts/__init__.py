"""Text of any script as images: fonts that have its letters, and the order of right-to-left text."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .strips import Strip, strip

__all__ = ["Strip", "strip"]

__getattr__ = lazy_exports(__name__, {"Strip": "strips", "strip": "strips"})
