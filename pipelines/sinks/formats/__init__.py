"""The kinds of results: video, images, JSON Lines, CSV, Parquet, MOT, COCO, YOLO, crops, a contact sheet.

Every module that has a constant ``KIND`` is one; see `registry`.
"""

from typing import TYPE_CHECKING

from ....models.lazy import lazy_exports

if TYPE_CHECKING:
    from .coco import CocoSink
    from .mot import MotSink
    from .video import VideoSink

__all__ = ["CocoSink", "MotSink", "VideoSink"]

__getattr__ = lazy_exports(__name__, {"CocoSink": "coco", "MotSink": "mot", "VideoSink": "video"})
