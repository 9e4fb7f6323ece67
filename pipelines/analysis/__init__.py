"""The analysis of one frame: when to detect, where to look for poses, and what was found."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .analyzer import Analyzer
    from .detection_schedule import DetectionSchedule
    from .options import AnalysisOptions
    from .pose_schedule import PoseSchedule
    from .smoothing import LandmarkFilter

__all__ = [
    "AnalysisOptions",
    "Analyzer",
    "DetectionSchedule",
    "LandmarkFilter",
    "PoseSchedule",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "AnalysisOptions": "options",
        "Analyzer": "analyzer",
        "DetectionSchedule": "detection_schedule",
        "LandmarkFilter": "smoothing",
        "PoseSchedule": "pose_schedule",
    },
)
