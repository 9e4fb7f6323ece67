"""The page's live tab: frames, switches, recordings, people."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .jpeg_stream import JpegStream
    from .people import PeopleList
    from .routes import Live, router

__all__ = [
    "JpegStream",
    "Live",
    "PeopleList",
    "router",
]

_MODULES: Final = {
    "JpegStream": ".jpeg_stream",
    "Live": ".routes",
    "PeopleList": ".people",
    "router": ".routes",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any exported object
    if name in _MODULES:
        return getattr(import_module(_MODULES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
