"""How frames flow: sources, analysis, drawing, sinks. Knows no command line."""

from typing import TYPE_CHECKING

from ..models.lazy import lazy_exports

if TYPE_CHECKING:
    from .pipeline import Pipeline
    from .sources.open import open_source

__all__ = ["Pipeline", "open_source"]

__getattr__ = lazy_exports(__name__, {"Pipeline": "pipeline", "open_source": "sources.open"})
