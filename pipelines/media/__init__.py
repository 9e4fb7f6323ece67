"""Facts of media files: containers, timestamps, sound, and decoded frames as images."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .concat import concatenate
    from .containers import clock_start, frame_rate, open_video, stream_length
    from .frame_conversion import FrameConverter, fitted, orientation
    from .limits import OpenLimits
    from .timestamps import FrameClock
    from .video_writer import VideoWriter

__all__ = [
    "FrameClock",
    "FrameConverter",
    "OpenLimits",
    "VideoWriter",
    "clock_start",
    "concatenate",
    "fitted",
    "frame_rate",
    "open_video",
    "orientation",
    "stream_length",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "FrameClock": "timestamps",
        "FrameConverter": "frame_conversion",
        "OpenLimits": "limits",
        "VideoWriter": "video_writer",
        "clock_start": "containers",
        "concatenate": "concat",
        "fitted": "frame_conversion",
        "frame_rate": "containers",
        "open_video": "containers",
        "orientation": "frame_conversion",
        "stream_length": "containers",
    },
)
