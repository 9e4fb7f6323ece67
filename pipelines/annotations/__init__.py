"""Annotations of images: COCO files and YOLO folders, and which files they mean."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .coco import read_coco
    from .files import AnnotatedFiles, read_annotated
    from .matching import ImageMatcher
    from .types import AnnotatedImage, AnnotatedObject, Annotations, WrongAnnotationsError
    from .yolo import YoloSplit, read_yolo

__all__ = [
    "AnnotatedFiles",
    "AnnotatedImage",
    "AnnotatedObject",
    "Annotations",
    "ImageMatcher",
    "WrongAnnotationsError",
    "YoloSplit",
    "read_annotated",
    "read_coco",
    "read_yolo",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "AnnotatedFiles": "files",
        "AnnotatedImage": "types",
        "AnnotatedObject": "types",
        "Annotations": "types",
        "ImageMatcher": "matching",
        "WrongAnnotationsError": "types",
        "YoloSplit": "yolo",
        "read_annotated": "files",
        "read_coco": "coco",
        "read_yolo": "yolo",
    },
)
