"""Where frames come from: files, image folders, cameras, streams."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .base import Source
    from .excerpts import Clips
    from .images import ImageSource, images_in, images_like, natural_key
    from .open import open_source, source_kind
    from .realtime import PacedSource
    from .reconnecting import ReconnectingSource
    from .v4l2 import list_cameras
    from .video import VideoSource

__all__ = [
    "Clips",
    "ImageSource",
    "PacedSource",
    "ReconnectingSource",
    "Source",
    "VideoSource",
    "images_in",
    "images_like",
    "list_cameras",
    "natural_key",
    "open_source",
    "source_kind",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Clips": "excerpts",
        "ImageSource": "images",
        "PacedSource": "realtime",
        "ReconnectingSource": "reconnecting",
        "Source": "base",
        "VideoSource": "video",
        "images_in": "images",
        "images_like": "images",
        "list_cameras": "v4l2",
        "natural_key": "images",
        "open_source": "open",
        "source_kind": "open",
    },
)
