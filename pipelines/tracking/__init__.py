"""Identities that stay with people and objects from frame to frame."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .base import TRACKERS, Tracker, create_tracker
    from .bytetrack import ByteTrack
    from .settings import settings_for

__all__ = [
    "TRACKERS",
    "ByteTrack",
    "Tracker",
    "create_tracker",
    "settings_for",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "ByteTrack": "bytetrack",
        "TRACKERS": "base",
        "Tracker": "base",
        "create_tracker": "base",
        "settings_for": "settings",
    },
)
