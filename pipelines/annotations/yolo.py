"""Annotations as YOLO's text files: one ``.txt`` for each image, class numbers and fractions of the image.

Format: https://docs.ultralytics.com/datasets/detect, /segment and /pose.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ...models.errors import SepcamError
from ..files.file_types import IMAGE_SUFFIXES
from ..files.text import lines_of, read_text
from .types import AnnotatedImage, AnnotatedObject, Annotations, Size, WrongAnnotationsError

TO_MEASURE: Final = ("val", "test", "train")
"""Parts of a data set to measure on, the first that there is."""

TO_TRAIN: Final = ("train", "val", "test")
"""Parts of a data set to train on, the first that there is."""

_ROUNDING: Final = 1e-3  # beyond the edges of the image, from rounding
_CLASS_FILES: Final = ("classes.txt", "obj.names")


@dataclass(frozen=True, slots=True)
class YoloSplit:
    """The part of a YOLO data set that is used.

    Attributes:
        annotations: of its images; their ids count from 1, those of the categories from 0.
        files: its images by their ids; those that are missing have no size.
    """

    annotations: Annotations
    files: Mapping[int | str, Path]


def read_yolo(
    path: Path,
    images: Path | None,
    size_of: Callable[[Path], Size],
    splits: Sequence[str] = TO_MEASURE,
) -> YoloSplit:
    """Reads a YOLO data set. An image without a text file has no objects, and is partial.

    Args:
        path: ``data.yaml``, or a folder of text files with ``classes.txt`` in it or above it.
        images: folder of the images; None takes those of ``data.yaml``.
        size_of: gives the width and height of an image file in pixels.
        splits: parts of ``data.yaml``; the first that it has is read.

    Raises:
        WrongAnnotationsError: If rows are wrong or images cannot be read; names each with its file and line.
        SepcamError: If something else cannot be read or is wrong.
    """
    labels: Path | None
    if path.is_dir():
        names, labels, keypoint_shape = _classes_beside(path), path, None
        if images is None:
            raise SepcamError(f"{path} is a folder of labels: name the folder of their images with --images")
        files, notes = _images_in(images), []
    else:
        data = _yaml(path)
        names, labels, keypoint_shape = _names(path, data), None, data.get("kpt_shape")
        files, notes = _split(path, data, splits) if images is None else (_images_in(images), [])
    reader = _Reader(names, _keypoint_shape(path, keypoint_shape), size_of)
    pairs = [(file, _label_of(file, labels, images)) for file in files]
    made = [reader.read(number, file, label) for number, (file, label) in enumerate(pairs, 1)]
    if reader.problems:
        raise WrongAnnotationsError(reader.problems)
    there = sum(image.size is not None for image in made)
    missing = [label for image, (_, label) in zip(made, pairs, strict=True) if image.partial]
    if missing and len(missing) == there:
        raise SepcamError(f"none of the {there} images has a label file (the first would be {missing[0]})")
    if missing:
        notes.append(
            f"{len(missing)} of {there} images have no label file (as {missing[0].name}): evaluation "
            "takes such for empty, training for partly labeled"
        )
    categories = {str(number): name for number, name in names.items()}
    ids: dict[str, int | str] = {str(number): number for number in names}
    annotations = Annotations(path, tuple(made), categories, ids, tuple(notes))
    return YoloSplit(annotations, {image.id: file for image, file in zip(made, files, strict=True)})


class _Reader:
    """Reads images with their rows, and remembers what is wrong: a line for each of ``problems``."""

    def __init__(
        self,
        names: Mapping[int, str],
        keypoint_shape: tuple[int, int] | None,
        size_of: Callable[[Path], Size],
    ) -> None:
        self._names, self._keypoint_shape, self._size_of = names, keypoint_shape, size_of
        self.problems: list[str] = []

    def read(self, number: int, file: Path, label: Path) -> AnnotatedImage:
        """An image and what is right of its rows; it has no size if there is no such file."""
        name, there = file.as_posix(), label.is_file()
        if not file.is_file():
            return AnnotatedImage(number, name)
        try:
            size = self._size_of(file)
            rows = read_text(label).split("\n") if there else []
        except SepcamError as error:
            self.problems.append(str(error))
            return AnnotatedImage(number, name)
        objects: list[AnnotatedObject] = []
        for line, row in enumerate(rows, 1):
            try:
                if row.strip():
                    objects.append(self._object(f"{label}, line {line}", row.split(), size))
            except SepcamError as error:
                self.problems.append(str(error))
        return AnnotatedImage(number, name, size, tuple(objects), partial=not there)

    def _object(self, where: str, cells: Sequence[str], size: Size) -> AnnotatedObject:
        try:
            number, *values = map(float, cells)
        except ValueError:
            raise SepcamError(f"{where}: is not a row of numbers: {' '.join(cells)[:60]!r}") from None
        if number not in self._names:
            there = ", ".join(map(str, self._names))
            raise SepcamError(f"{where}: there is no class {cells[0]} (there are {there})")
        if self._keypoint_shape is not None:
            return self._posed(where, str(int(number)), values, size, self._keypoint_shape)
        if len(values) == 4:
            self._check(where, values)
            return AnnotatedObject(where, str(int(number)), _box(values, size))
        if len(values) < 6 or len(values) % 2:
            raise SepcamError(
                f"{where}: has {len(values) + 1} numbers; a box has 5 (class x y width height), an outline "
                "class and three or more x y"
            )
        self._check(where, values)
        polygon = [value * size[index % 2] for index, value in enumerate(values)]
        xs, ys = polygon[::2], polygon[1::2]
        box = min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
        return AnnotatedObject(where, str(int(number)), box, segmentation=[polygon])

    def _posed(
        self, where: str, category: str, values: Sequence[float], size: Size, shape: tuple[int, int]
    ) -> AnnotatedObject:
        count, per = shape
        if len(values) != 4 + count * per:
            raise SepcamError(
                f"{where}: has {len(values) + 1} numbers; kpt_shape {list(shape)} needs {5 + count * per}"
            )
        self._check(where, values[:4])
        wrong = next((value for value in values if not math.isfinite(value)), None)
        if wrong is not None:
            raise SepcamError(f"{where}: {wrong} is no place of a keypoint: 0 0 stands for an unlabeled one")
        points: list[float] = []
        for at in range(4, len(values), per):
            x, y, *visible = values[at : at + per]
            seen = visible[0] if visible else 2.0 * (x > 0 or y > 0)
            points += [x * size[0], y * size[1], seen]
        return AnnotatedObject(where, category, _box(values, size), keypoints=points)

    def _check(self, where: str, values: Sequence[float]) -> None:
        wrong = [v for v in values if not math.isfinite(v) or not -_ROUNDING <= v <= 1 + _ROUNDING]
        if wrong:
            raise SepcamError(f"{where}: {wrong[0]:g} is not a fraction of the image, from 0 to 1")


def _box(values: Sequence[float], size: Size) -> tuple[float, float, float, float]:
    x, y, width, height = values[:4]
    return (x - width / 2) * size[0], (y - height / 2) * size[1], width * size[0], height * size[1]


def _label_of(image: Path, labels: Path | None, images: Path | None) -> Path:
    """The text file of an image: in the folder named, else where ``images`` in its path is ``labels``."""
    if labels is not None and images is not None:
        return labels / image.relative_to(images).with_suffix(".txt")
    parts = list(image.parts)
    for at in range(len(parts) - 2, -1, -1):
        if parts[at] == "images":
            parts[at] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _yaml(path: Path) -> dict[str, Any]:
    import yaml

    try:
        data = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = "" if mark is None else f" line {mark.line + 1}:"
        raise SepcamError(f"{path} is not YAML:{line} {getattr(error, 'problem', None) or error}") from error
    if not isinstance(data, dict):
        raise SepcamError(f"{path} is not a YOLO data file: it has no names")
    return data


def _names(path: Path, data: Mapping[str, Any]) -> dict[int, str]:
    names = data.get("names")
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names or not all(isinstance(key, int) for key in names):
        raise SepcamError(f"{path} is not a YOLO data file: it has no names of classes")
    return {key: str(name) for key, name in names.items()}


def _classes_beside(folder: Path) -> dict[int, str]:
    for place in (folder, *folder.absolute().parents[:2]):
        for name in _CLASS_FILES:
            if (place / name).is_file():
                lines = read_text(place / name).split("\n")
                return {number: line.strip() for number, line in enumerate(lines) if line.strip()}
    raise SepcamError(f"{folder} has no classes.txt in it or above it: give the data.yaml of the data set")


def _keypoint_shape(path: Path, shape: Any) -> tuple[int, int] | None:  # noqa: ANN401 - any YAML
    """How many keypoints there are and how many numbers each has; None in a data set without them."""
    if shape is None:
        return None
    whole = isinstance(shape, list) and len(shape) == 2 and all(isinstance(one, int) for one in shape)
    if not whole or shape[0] < 1 or shape[1] not in (2, 3):
        raise SepcamError(f"{path}: kpt_shape is the number of keypoints and 2 or 3, not {shape!r}")
    return shape[0], shape[1]


def _split(path: Path, data: Mapping[str, Any], splits: Sequence[str]) -> tuple[list[Path], list[str]]:
    """The images of the split that is used, and a note that says which."""
    split = next((name for name in splits if data.get(name)), None)
    if split is None:
        raise SepcamError(f"{path} names no images: it has none of {', '.join(splits)}")
    entries = data[split] if isinstance(data[split], list) else [data[split]]
    files: list[Path] = []
    for entry in map(str, entries):
        place = _place(path.parent, data.get("path"), entry)
        if place.is_dir():
            files += _images_in(place)
        elif place.is_file():
            lines = [line.strip() for line in lines_of(place)]
            files += [_place(path.parent, data.get("path"), line) for line in lines if line]
        else:
            raise SepcamError(f"{path}: {split} is {entry}, but there is no {place}")
    return files, [f"{path}: uses {split}, {len(files)} images"]


def _place(folder: Path, root: Any, entry: str) -> Path:  # noqa: ANN401 - any YAML
    """A place as ``data.yaml`` means it: below its ``path`` or its folder, or as Roboflow writes it."""
    base = folder / str(root) if root else folder
    choices = [base / entry, folder / entry, folder / entry.removeprefix("../"), Path(entry)]
    return next((choice for choice in choices if choice.exists()), choices[0])


def _images_in(folder: Path) -> list[Path]:
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )
    if not found:
        raise SepcamError(f"{folder} has no images")
    return found
