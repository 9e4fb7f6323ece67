"""What the page's tabs share: connections, downloads, failures, colors."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .color import web_color
    from .downloads import Downloads
    from .failures import Failures
    from .websocket import Connection

__all__ = [
    "Connection",
    "Downloads",
    "Failures",
    "web_color",
]

_MODULES: Final = {
    "Connection": ".websocket",
    "Downloads": ".downloads",
    "Failures": ".failures",
    "web_color": ".color",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any exported object
    if name in _MODULES:
        return getattr(import_module(_MODULES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
