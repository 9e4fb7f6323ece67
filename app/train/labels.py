"""From annotations to what training reads; each that is wrong is named, with its file and id."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.errors import SepcamError
from ...models.ops import coco
from ...models.training.samples import Outline, Person, Sample
from ...models.types import F32
from ...pipelines.annotations.coco import as_rle
from ...pipelines.annotations.types import AnnotatedImage, AnnotatedObject, Annotations

_NAMES: Final = frozenset(("person", "people", "persons", "pedestrian", "human"))
_BEYOND: Final = 0.05  # fraction of a side by which labels may reach beyond the image
_LARGE: Final = 1e30
_LEAST_POINTS: Final = 3
_FINER: Final = 4
_PERSON: Final = "1"
_VALUES: Final = 3 * len(coco.KEYPOINTS)


class LabelError(SepcamError):
    """What is wrong with an annotation: the end of a sentence that begins with its name."""


def people_category(annotations: Annotations) -> frozenset[str]:
    """The ids of the categories that are people: by name, or the only one that there is.

    Raises:
        SepcamError: If none is.
    """
    found = {key for key, name in annotations.categories.items() if name.strip().casefold() in _NAMES}
    if not found and len(annotations.categories) == 1:
        found = set(annotations.categories)
    if not found:
        there = ", ".join(map(repr, annotations.categories.values())) or "none at all"
        raise SepcamError(f"{annotations.source} has no category 'person' (it has {there})")
    return frozenset(found)


def sample_of(
    path: Path, image: AnnotatedImage, people: frozenset[str], *, partial: bool
) -> tuple[Sample | None, list[str]]:
    """The sample of an image, and what is wrong with its annotations: a line for each.

    Args:
        path: the file.
        image: what is annotated in it; it has its size.
        people: ids of the categories that are people.
        partial: whether people in it may be unlabeled, whatever the annotations say.

    Returns:
        The sample, None if something is wrong.
    """
    assert image.size is not None  # as `sized` gives it
    size = image.size[1], image.size[0]
    found: list[Person] = []
    ignored: list[F32] = []
    problems: list[str] = []
    for one in image.objects:
        if one.category not in people:
            continue
        try:
            if one.crowd:
                ignored.append(_box(one, size))
            else:
                found.append(_person(one, size))
        except LabelError as error:
            problems.append(f"{one.name} ({image.file_name}): {error}")
    complete = not (partial or image.partial)
    regions = np.array(ignored, np.float32).reshape(-1, 4)
    return (None if problems else Sample(path, size, tuple(found), regions, complete)), problems


def people_alone(image: AnnotatedImage, people: frozenset[str]) -> AnnotatedImage:
    """The image with its people alone, in the category that `truth_of` gives them."""
    objects = (replace(one, category=_PERSON) for one in image.objects if one.category in people)
    return replace(image, objects=tuple(objects))


def truth_of(source: Path, images: Sequence[AnnotatedImage]) -> Annotations:
    """Images of `people_alone` as one data set to measure on, with the one category ``person``."""
    return Annotations(source, tuple(images), {_PERSON: "person"}, {_PERSON: int(_PERSON)})


def _person(one: AnnotatedObject, size: tuple[int, int]) -> Person:
    box = _box(one, size)
    return Person(box, _keypoints(one.keypoints, box, size), _outline(one.segmentation, box, size))


def _box(one: AnnotatedObject, size: tuple[int, int]) -> F32:
    x, y, width, height = one.box
    text = ", ".join(f"{value:g}" for value in one.box)
    if width <= 0 or height <= 0:
        raise LabelError(f"the box {text} has no area")
    limits = np.array([size[1], size[0], size[1], size[0]], np.float32)
    box = _array([x, y, x + width, y + height])
    clipped = box.clip(0, limits)
    if (clipped[2:] <= clipped[:2]).any():
        raise LabelError(f"the box {text} lies outside the image of {size[1]}x{size[0]} pixels")
    if (np.abs(box - clipped) > 0.25 * limits).any():
        raise LabelError(
            f"the box {text} reaches far beyond the image of {size[1]}x{size[0]} pixels; COCO's boxes are "
            "x, y, width, height, not two corners"
        )
    return clipped


def _keypoints(values: Sequence[float] | None, box: F32, size: tuple[int, int]) -> F32 | None:
    if not values:
        return None
    if len(values) != _VALUES:
        raise LabelError(f"it has {len(values) / 3:g} keypoints, the network has COCO's 17")
    keypoints = _array(values).reshape(-1, 3)
    if not np.isin(keypoints[:, 2], (0, 1, 2)).all():
        raise LabelError("the visibility of a keypoint is not 0, 1 or 2")
    labeled = keypoints[:, 2] > 0
    keypoints[~labeled] = 0
    if not labeled.any():
        return None
    places = keypoints[labeled, :2]
    outside = _outside(places, size)
    if outside.any():
        at = np.flatnonzero(labeled)[outside.argmax()]
        x, y = keypoints[at, :2]
        raise LabelError(f"its keypoint {coco.KEYPOINTS[at]} at {x:g}, {y:g} lies outside the image")
    grow = (box[2:] - box[:2]) / 2
    if not ((places >= box[:2] - grow) & (places <= box[2:] + grow)).all(1).any():
        raise LabelError("none of its keypoints lies near its box")
    return keypoints


def _array(values: Sequence[float]) -> F32:
    """Numbers as float32; those that are too large for any image may be smaller than they were."""
    return np.clip(values, -_LARGE, _LARGE).astype(np.float32)


def _outside(points: F32, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Which of (N, 2) points lie too far beyond the image of (height, width) pixels: (N,)."""
    sides = np.array([size[1], size[0]], np.float32)
    return np.any((points < -_BEYOND * sides) | (points > (1 + _BEYOND) * sides), axis=1)


def _outline(segmentation: Any, box: F32, size: tuple[int, int]) -> Outline | None:  # noqa: ANN401
    """Polygons or RLE as an outline; None where there is none."""
    if not segmentation:
        return None
    if isinstance(segmentation, Mapping):
        parts = _from_rle(segmentation, size)
    else:
        parts = tuple((_array(polygon).reshape(-1, 2),) for polygon in segmentation)
    if not parts:
        raise LabelError("its mask is empty")
    points = np.concatenate([polygon for part in parts for polygon in part])
    outside = _outside(points, size)
    if outside.any():
        x, y = points[outside.argmax()]
        raise LabelError(f"its mask reaches beyond the image of {size[1]}x{size[0]} pixels, to {x:g}, {y:g}")
    low, high = np.maximum(points.min(0), box[:2]), np.minimum(points.max(0), box[2:])
    if (high <= low).any():
        raise LabelError("its mask lies outside its box")
    return parts


def _from_rle(rle: Mapping[str, Any], size: tuple[int, int]) -> Outline:
    from faster_coco_eval.core import mask as masks

    height, width = rle["size"]
    if (height, width) != size:
        raise LabelError(f"its mask is of {width}x{height} pixels, its image of {size[1]}x{size[0]}")
    try:
        mask = np.ascontiguousarray(masks.decode(as_rle(rle)), np.uint8)
    except Exception as error:  # the decoder meets other data with whatever comes up
        raise LabelError("its run-length mask cannot be decoded") from error
    # Contours run through the middles of the outermost pixels: half a pixel of a finer grid.
    finer = np.ascontiguousarray(mask.repeat(_FINER, 0).repeat(_FINER, 1))
    contours, _ = cv2.findContours(finer, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    polygons = tuple(
        ((contour.reshape(-1, 2) + 0.5) / _FINER).astype(np.float32)
        for contour in contours
        if len(contour) >= _LEAST_POINTS
    )
    return (polygons,) if polygons else ()
