"""``sepcam serve``: live video, visitors' cameras and video files in a browser."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .application import Service
    from .auth import Access
    from .server import ServeRequest, serve

__all__ = [
    "Access",
    "ServeRequest",
    "Service",
    "serve",
]

_MODULES: Final = {
    "Access": ".auth",
    "ServeRequest": ".server",
    "Service": ".application",
    "serve": ".server",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any exported object
    if name in _MODULES:
        return getattr(import_module(_MODULES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
