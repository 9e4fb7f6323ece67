"""Where results go: video, JSON Lines, MOT, COCO, Parquet, images."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .base import ResultName, Sink, SinkContext
    from .coco import CocoSink
    from .fan_out import FanOut
    from .mot import MotSink
    from .outputs import Target, check, check_writable, stem_of, target
    from .registry import check_fits, names_for, open_sinks, sink_kinds
    from .serialize import rounded
    from .video import VideoSink

__all__ = [
    "CocoSink",
    "FanOut",
    "MotSink",
    "ResultName",
    "Sink",
    "SinkContext",
    "Target",
    "VideoSink",
    "check",
    "check_fits",
    "check_writable",
    "names_for",
    "open_sinks",
    "rounded",
    "sink_kinds",
    "stem_of",
    "target",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "CocoSink": "coco",
        "FanOut": "fan_out",
        "MotSink": "mot",
        "ResultName": "base",
        "Sink": "base",
        "SinkContext": "base",
        "Target": "outputs",
        "VideoSink": "video",
        "check": "outputs",
        "check_fits": "registry",
        "check_writable": "outputs",
        "names_for": "registry",
        "open_sinks": "registry",
        "rounded": "serialize",
        "sink_kinds": "registry",
        "stem_of": "outputs",
        "target": "outputs",
    },
)
