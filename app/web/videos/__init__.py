"""The page's video tab: uploaded files."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .jobs import VideoJob, VideoJobs
    from .routes import Uploads, router

__all__ = [
    "Uploads",
    "VideoJob",
    "VideoJobs",
    "router",
]

_MODULES: Final = {
    "Uploads": ".routes",
    "VideoJob": ".jobs",
    "VideoJobs": ".jobs",
    "router": ".routes",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any exported object
    if name in _MODULES:
        return getattr(import_module(_MODULES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
