"""The page's camera tab: a visitor's own camera."""

from typing import TYPE_CHECKING

from ....models.lazy import lazy_exports

if TYPE_CHECKING:
    from .routes import Cameras
    from .session import CameraSession

__all__ = [
    "CameraSession",
    "Cameras",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "CameraSession": "session",
        "Cameras": "routes",
    },
)
