"""A live session: capture, analysis, view, status, recordings, adaptive quality."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .frames import Shot
    from .session import LiveSession
    from .settings import LiveSettings
    from .status import LiveStatus

__all__ = [
    "LiveSession",
    "LiveSettings",
    "LiveStatus",
    "Shot",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "LiveSession": "session",
        "LiveSettings": "settings",
        "LiveStatus": "status",
        "Shot": "frames",
    },
)
