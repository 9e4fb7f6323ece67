"""From an image to boxes: what happens before and after a detection network."""

from typing import TYPE_CHECKING

from ..lazy import lazy_exports

if TYPE_CHECKING:
    from .candidates import Run
    from .fitted import FittedDetector, fitted_size
    from .ssd import SSDDetector, SSDPass
    from .ultralytics import UltralyticsDetector
    from .yolox import YOLOXDetector

__all__ = [
    "FittedDetector",
    "Run",
    "SSDDetector",
    "SSDPass",
    "UltralyticsDetector",
    "YOLOXDetector",
    "fitted_size",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "FittedDetector": "fitted",
        "Run": "candidates",
        "SSDDetector": "ssd",
        "SSDPass": "ssd",
        "UltralyticsDetector": "ultralytics",
        "YOLOXDetector": "yolox",
        "fitted_size": "fitted",
    },
)
