"""The image files of a data set, and what is annotated in each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...models.errors import SepcamError
from ..files.file_types import IMAGE_SUFFIXES
from ..sources.images import natural_key
from ..sources.read_image import UnreadableImageError, image_size
from .coco import read_coco
from .matching import ImageMatcher
from .types import AnnotatedImage, Annotations, Size
from .yolo import TO_MEASURE, read_yolo


@dataclass(frozen=True, slots=True)
class AnnotatedFiles:
    """A data set and where its images are.

    Attributes:
        annotations: all of it.
        folder: of the images.
        images: the annotated images that the folder has, by their files.
        missing: those that it lacks, by where they should be.
    """

    annotations: Annotations
    folder: Path
    images: Mapping[Path, AnnotatedImage]
    missing: Mapping[Path, AnnotatedImage]


def read_annotated(
    annotations: Path, folder: Path | None, splits: Sequence[str] = TO_MEASURE
) -> AnnotatedFiles:
    """Reads annotations and finds their images.

    Args:
        annotations: a COCO file; a YOLO ``data.yaml``, or a folder of YOLO's text files.
        folder: of the images, with their folders. May be None for a ``data.yaml`` that names them.
        splits: parts of a ``data.yaml``; the first that it has is read.

    Raises:
        WrongAnnotationsError: If single annotations are wrong.
        SepcamError: If a file cannot be read or is otherwise wrong, or no image of the folder is annotated.
    """
    if annotations.is_dir() or annotations.suffix.lower() in (".yaml", ".yml"):
        split = read_yolo(annotations, folder, _size_of, splits)
        truth = split.annotations
        places = {split.files[image.id]: image for image in truth.images}
        files = {path: image for path, image in places.items() if image.size is not None}
        folder = annotations.parent if folder is None else folder
    else:
        if folder is None:
            raise SepcamError(f"{annotations} does not say where its images are: give --images FOLDER")
        truth = read_coco(annotations)
        files = ImageMatcher(truth).match_all(folder, _images_below(folder))
        places = {folder / image.file_name: image for image in truth.images}
    if not files:
        raise SepcamError(f"{annotations} annotates no image of {folder}")
    there = {image.id for image in files.values()}
    missing = {path: image for path, image in places.items() if image.id not in there}
    return AnnotatedFiles(truth, folder, files, missing)


def sized(path: Path, image: AnnotatedImage) -> AnnotatedImage:
    """The image with its size, which must be that of the file.

    Raises:
        SepcamError: If it is not, or the file cannot be read.
    """
    size = _size_of(path)
    if image.size is not None and image.size != size:
        turned = image.size == size[::-1]
        raise SepcamError(
            f"{path} is {size[0]}x{size[1]}, but image {image.id} ({image.file_name}) of the annotations is "
            f"{image.size[0]}x{image.size[1]}: give the images that were annotated"
            + (" (EXIF data may turn it: annotate it as it is seen, or remove the data)" if turned else "")
        )
    return replace(image, size=size)


def _size_of(path: Path) -> Size:
    try:
        return image_size(path)
    except UnreadableImageError as error:
        raise SepcamError(f"{path} {error}") from error


def _images_below(folder: Path) -> Sequence[Path]:
    if not folder.is_dir():
        raise SepcamError(f"{folder} is not a folder of images")
    return sorted(
        (path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()),
        key=natural_key,
    )
