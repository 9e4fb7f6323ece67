"""``sepcam serve``: live video, visitors' cameras and files in a browser."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

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

__getattr__ = lazy_exports(
    __name__,
    {
        "Access": "auth",
        "ServeRequest": "server",
        "Service": "application",
        "serve": "server",
    },
)
