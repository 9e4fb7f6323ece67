"""The networks themselves, as torch modules: one file each."""

from typing import TYPE_CHECKING

from ..lazy import lazy_exports

if TYPE_CHECKING:
    from .mobilenet import MobileNetV1
    from .people import People
    from .rtmpose import RTMPose
    from .selfie_segmentation import SelfieSegmentation
    from .ssd import SSDLitePerson, SSDMobileNetV1
    from .ssdlite_torchvision import SSDLiteMobileNetV3
    from .yolox import YOLOXNano

__all__ = [
    "MobileNetV1",
    "People",
    "RTMPose",
    "SSDLiteMobileNetV3",
    "SSDLitePerson",
    "SSDMobileNetV1",
    "SelfieSegmentation",
    "YOLOXNano",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "MobileNetV1": "mobilenet",
        "People": "people",
        "RTMPose": "rtmpose",
        "SSDLiteMobileNetV3": "ssdlite_torchvision",
        "SSDLitePerson": "ssd",
        "SSDMobileNetV1": "ssd",
        "SelfieSegmentation": "selfie_segmentation",
        "YOLOXNano": "yolox",
    },
)
