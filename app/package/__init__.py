"""Tracking, pose and instance masks for webcam and video: ``from sepcam import Pipeline, open_source``.

This folder is the package ``sepcam`` itself; pyproject.toml places ``app``, ``assets``, ``models`` and
``pipelines`` inside it. Names are imported when they are first used, so ``import sepcam`` is quick.
"""

# pyright: reportMissingImports=false
# (sepcam.* resolves through the links that `make setup` makes; without them, editors know no types here.)

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sepcam.models.errors import SepcamError
    from sepcam.models.runtime.options import RuntimeOptions
    from sepcam.pipelines.analysis.options import AnalysisOptions
    from sepcam.pipelines.drawing.options import DrawOptions
    from sepcam.pipelines.model import Model, People, load
    from sepcam.pipelines.pipeline import Pipeline
    from sepcam.pipelines.results import Results, read_results
    from sepcam.pipelines.sources.open import open_source
    from sepcam.pipelines.types import Frame, FrameResult, Instances
    from sepcam.pipelines.writer import Writer

    __version__: str

__all__ = [
    "AnalysisOptions",
    "DrawOptions",
    "Frame",
    "FrameResult",
    "Instances",
    "Model",
    "People",
    "Pipeline",
    "Results",
    "RuntimeOptions",
    "SepcamError",
    "Writer",
    "__version__",
    "load",
    "open_source",
    "read_results",
]

_MODULES = {
    "AnalysisOptions": "sepcam.pipelines.analysis.options",
    "DrawOptions": "sepcam.pipelines.drawing.options",
    "Model": "sepcam.pipelines.model",
    "People": "sepcam.pipelines.model",
    "Results": "sepcam.pipelines.results",
    "Writer": "sepcam.pipelines.writer",
    "load": "sepcam.pipelines.model",
    "read_results": "sepcam.pipelines.results",
    "Frame": "sepcam.pipelines.types",
    "FrameResult": "sepcam.pipelines.types",
    "Instances": "sepcam.pipelines.types",
    "Pipeline": "sepcam.pipelines.pipeline",
    "RuntimeOptions": "sepcam.models.runtime.options",
    "SepcamError": "sepcam.models.errors",
    "open_source": "sepcam.pipelines.sources.open",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any exported object
    if name == "__version__":
        from importlib import metadata

        return metadata.version("sepcam")
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
