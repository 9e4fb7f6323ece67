"""What the page's tabs share: connections, downloads, failures, colors."""

from typing import TYPE_CHECKING

from ....models.lazy import lazy_exports

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

__getattr__ = lazy_exports(
    __name__,
    {
        "Connection": "websocket",
        "Downloads": "downloads",
        "Failures": "failures",
        "web_color": "color",
    },
)
