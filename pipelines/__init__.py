"""How frames flow: sources, analysis, drawing, sinks. Knows no command line."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .pipeline import Pipeline
    from .sources.open import open_source

__all__ = ["Pipeline", "open_source"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is exported
    # Imported when first asked for: together they take a second, for which `sepcam --help` need not wait.
    if name == "Pipeline":
        from .pipeline import Pipeline

        return Pipeline
    if name == "open_source":
        from .sources.open import open_source

        return open_source
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
