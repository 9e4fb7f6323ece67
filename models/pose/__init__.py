"""From regions of an image to keypoints and masks: what happens before and after a pose network."""

from typing import TYPE_CHECKING

from ..lazy import lazy_exports

if TYPE_CHECKING:
    from .blazepose import BlazePose
    from .mediapipe import MediaPipePose
    from .segmentation import RegionSegmenter
    from .simcc import SimCCPose

__all__ = [
    "BlazePose",
    "MediaPipePose",
    "RegionSegmenter",
    "SimCCPose",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "BlazePose": "blazepose",
        "MediaPipePose": "mediapipe",
        "RegionSegmenter": "segmentation",
        "SimCCPose": "simcc",
    },
)
