"""The page's camera tab: a visitor's own camera."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .routes import Cameras
    from .session import CameraSession

__all__ = [
    "CameraSession",
    "Cameras",
]

_MODULES: Final = {
    "CameraSession": ".session",
    "Cameras": ".routes",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any exported object
    if name in _MODULES:
        return getattr(import_module(_MODULES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
