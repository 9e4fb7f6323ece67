"""COCO annotations as COCO, CVAT, Label Studio, Roboflow, labelme and FiftyOne write them.

Errors name the id of the image or the annotation, and are raised when the file is read: those of single
annotations together.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ...models.errors import SepcamError
from ..files.text import read_text
from .types import AnnotatedImage, AnnotatedObject, Annotations, Size, WrongAnnotationsError

_FRACTIONS: Final = 1.5  # boxes with no larger number than this are not in pixels
_PARTIAL: Final = ("partial", "only_main_person")  # of an image: there may be objects without annotations


def read_coco(path: Path) -> Annotations:
    """Reads a COCO annotations file; ids may be numbers or text, begin at 0, repeat, or be missing.

    Objects without a box get that of their segmentation. An annotation of an image that is not listed is
    left out, with a note. Objects with ``iscrowd`` or ``ignore`` are crowds, images with ``partial`` partial.

    Raises:
        WrongAnnotationsError: If single annotations are wrong.
        SepcamError: If it cannot be read, or something else in it is wrong; the text names what.
    """
    return _Reader(path, read_json(path)).read()


def read_json(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """What a JSON file holds, see `read_text` for its encodings.

    Raises:
        SepcamError: If it cannot be read or is not JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise SepcamError(f"{path} is not JSON: line {error.lineno}: {error.msg}") from error
    except RecursionError as error:
        raise SepcamError(f"{path} is not a file of annotations: it is nested too deeply") from error


class _Reader:
    def __init__(self, path: Path, data: Any) -> None:  # noqa: ANN401 - whatever the file holds
        self._path, self._data = path, data
        self._notes: list[str] = []

    def read(self) -> Annotations:
        if isinstance(self._data, list):
            raise self._error("it is a list, as results are, and not annotations")
        if not isinstance(self._data, dict):
            raise self._error("it is not an object")
        categories, category_ids = self._categories()
        images = self._images()
        objects = self._objects(images, categories)
        self._check_units([one for found in objects.values() for one in found])
        filled = tuple(replace(image, objects=tuple(objects[key])) for key, image in images.items())
        return Annotations(self._path, filled, categories, category_ids, tuple(self._notes))

    def _categories(self) -> tuple[dict[str, str], dict[str, int | str]]:
        names: dict[str, str] = {}
        ids: dict[str, int | str] = {}
        for number, item in enumerate(self._list("categories", optional=True)):
            key, raw = self._id(item, f"category number {number + 1}")
            name = item.get("name")
            if not isinstance(name, str):
                raise self._error(f"category {raw} has no name")
            if key in names:
                raise self._error(f"two categories have the id {raw}: {names[key]!r} and {name!r}")
            names[key], ids[key] = name, raw
        return names, ids

    def _images(self) -> dict[str, AnnotatedImage]:
        found: dict[str, AnnotatedImage] = {}
        names: dict[str, int | str] = {}
        for number, item in enumerate(self._list("images")):
            key, raw = self._id(item, f"image number {number + 1}")
            name = item.get("file_name")
            if not isinstance(name, str) or not name:
                raise self._error(f"image {raw} has no file_name")
            # Windows programs write backslashes, Label Studio the address of a local file.
            name = name.replace("\\", "/").rpartition("?d=")[2]
            if key in found:
                raise self._error(f"two images have the id {raw}: {found[key].file_name} and {name}")
            if name in names:
                raise self._error(f"two images are called {name}: {names[name]} and {raw}")
            names[name] = raw
            partial = any(item.get(field) for field in _PARTIAL)
            found[key] = AnnotatedImage(raw, name, _size(item), partial=partial)
        return found

    def _objects(
        self, images: Mapping[str, AnnotatedImage], categories: Mapping[str, str]
    ) -> dict[str, list[AnnotatedObject]]:
        found: dict[str, list[AnnotatedObject]] = {key: [] for key in images}
        strays: list[str] = []
        problems: list[str] = []
        for number, item in enumerate(self._list("annotations", optional=True)):
            name = f"annotation number {number + 1}"
            if not isinstance(item, dict):
                problems.append(f"{self._path}, {name}: it is not an object")
                continue
            name = f"annotation {item['id']}" if "id" in item else name
            image = images.get(str(_whole(item.get("image_id"))))
            if image is None:
                strays.append(name)
                continue
            category = str(_whole(item.get("category_id")))
            try:
                if category not in categories:
                    raise _ObjectError(f"it has the category {item.get('category_id')}, which is not listed")
                found[str(image.id)].append(_object(name, category, item, image.size))
            except _ObjectError as error:
                problems.append(f"{self._path}, {name} ({image.file_name}): {error}")
        if problems:
            raise WrongAnnotationsError(problems)
        if strays:
            are = "1 annotation is" if len(strays) == 1 else f"{len(strays)} annotations are"
            self._notes.append(
                f"{self._path}: {are} of images that it does not list ({strays[0]}"
                f"{' and others' if len(strays) > 1 else ''}): left out"
            )
        return found

    def _check_units(self, objects: Sequence[AnnotatedObject]) -> None:
        if objects and all(max(map(abs, one.box)) <= _FRACTIONS for one in objects):
            raise self._error(
                f"its boxes are fractions of the image (that of {objects[0].name} is {objects[0].box}); "
                "COCO's are x, y, width, height in pixels"
            )

    def _list(self, field: str, *, optional: bool = False) -> list[Any]:
        value = self._data.get(field, [] if optional else None)
        if not isinstance(value, list):
            raise self._error(f"it has no list of {field}")
        return value

    def _id(self, item: Any, what: str) -> tuple[str, int | str]:  # noqa: ANN401
        if not isinstance(item, dict):
            raise self._error(f"{what} is not an object")
        value = _whole(item.get("id"))
        if not isinstance(value, int | str):
            raise self._error(f"{what} has no id")
        return str(value), value

    def _error(self, why: str) -> SepcamError:
        return SepcamError(f"{self._path} is not a COCO annotations file: {why}")


class _ObjectError(Exception):
    """What is wrong with an annotation: the end of a sentence that begins with its name."""


def _object(name: str, category: str, item: Mapping[str, Any], size: Size | None) -> AnnotatedObject:
    """The object of an annotation in an image of a size."""
    segmentation = _segmentation(item.get("segmentation"), size)
    box = item.get("bbox")
    if box is None or box == []:
        box = _box_of(segmentation)
        if box is None:
            raise _ObjectError("it has no box (bbox)")
    if not _numbers(box, 4):
        raise _ObjectError(f"its box is not four numbers: {str(box)[:60]}")
    if box[2] < 0 or box[3] < 0:
        raise _ObjectError(f"its box has a negative width or height: {str(box)[:60]}")
    area = item.get("area")
    return AnnotatedObject(
        name,
        category,
        (float(box[0]), float(box[1]), float(box[2]), float(box[3])),
        max(0.0, float(area)) or None if isinstance(area, int | float) and math.isfinite(area) else None,
        bool(item.get("iscrowd") or item.get("ignore")),
        segmentation,
        _keypoints(item.get("keypoints")),
    )


def _segmentation(value: Any, size: Size | None) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return _rle(value, size)
    if not value:
        return None
    if not isinstance(value, list):
        raise _ObjectError("its segmentation is neither polygons nor run-lengths")
    polygons = [value] if _numbers(value, len(value)) else value
    for polygon in polygons:
        if not isinstance(polygon, list) or not _numbers(polygon, len(polygon)) or len(polygon) % 2:
            raise _ObjectError(f"a polygon of it is not a list of x, y pairs: {str(polygon)[:60]}")
    return [list(map(float, polygon)) for polygon in polygons if len(polygon) >= 6] or None


def _rle(value: Mapping[str, Any], size: Size | None) -> dict[str, Any]:
    counts = value.get("counts")
    shape = value.get("size") or (None if size is None else [size[1], size[0]])
    if shape is None or not _numbers(shape, 2):
        raise _ObjectError("its mask has no size")
    if size is not None and (shape[1], shape[0]) != size:
        raise _ObjectError(f"its mask is of {shape[1]}x{shape[0]} pixels, its image of {size[0]}x{size[1]}")
    if isinstance(counts, list):
        if not _numbers(counts, len(counts)) or sum(counts) != shape[0] * shape[1] or min(counts) < 0:
            raise _ObjectError(f"its run-lengths are not those of {shape[1]}x{shape[0]} pixels")
    elif not isinstance(counts, str) or not counts:
        raise _ObjectError("its mask has no counts")
    return {"size": [int(shape[0]), int(shape[1])], "counts": counts}


def _keypoints(value: Any) -> list[float] | None:  # noqa: ANN401
    if not value:
        return None
    if not isinstance(value, list) or not _numbers(value, len(value)) or len(value) % 3:
        raise _ObjectError("its keypoints are no list of x, y, visibility")
    return list(map(float, value))


def _whole(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """An id; 7.0 is 7, and what can be none is None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value == int(value) else None
    return value


def _size(image: Mapping[str, Any]) -> Size | None:
    width, height = image.get("width"), image.get("height")
    if not isinstance(width, int | float) or not isinstance(height, int | float):
        return None
    return (int(width), int(height)) if _numbers([width, height], 2) and min(width, height) > 0 else None


def _numbers(values: Any, count: int) -> bool:  # noqa: ANN401 - any JSON
    """Whether it is a list of this many finite numbers."""
    if not isinstance(values, list | tuple) or len(values) != count:
        return False
    kinds = Counter(type(value) for value in values)
    return set(kinds) <= {int, float} and all(map(math.isfinite, values))


def _box_of(segmentation: Any) -> list[float] | None:  # noqa: ANN401
    """The box around polygons or a mask; None where there is neither."""
    if segmentation is None:
        return None
    if isinstance(segmentation, dict):
        from faster_coco_eval.core import mask as masks

        try:
            return [float(value) for value in masks.toBbox(as_rle(segmentation))]
        except Exception as error:  # the decoder meets other data with whatever comes up
            raise _ObjectError("its run-length mask cannot be decoded") from error
    xs = [x for polygon in segmentation for x in polygon[::2]]
    ys = [y for polygon in segmentation for y in polygon[1::2]]
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


def _as_list(rles: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - one mask or a list of them
    return rles if isinstance(rles, list) else [rles]


def as_rle(segmentation: Mapping[str, Any]) -> dict[str, Any]:
    """Run-lengths as a list, or compressed as text, in COCO's compressed form."""
    from faster_coco_eval.core import mask as masks

    if isinstance(segmentation["counts"], list):
        return masks.merge(_as_list(masks.frPyObjects([dict(segmentation)], *segmentation["size"])))
    return dict(segmentation)
