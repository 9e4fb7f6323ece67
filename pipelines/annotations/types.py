"""What annotations are, whichever program wrote them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ...models.errors import SepcamError
from ..files.names import same_name

Size = tuple[int, int]
"""Width and height in pixels."""


class WrongAnnotationsError(SepcamError):
    """What is wrong with single annotations; the text names the first.

    Attributes:
        problems: a line for each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        more = len(problems) - 1
        super().__init__(problems[0] + (f" (and {more} more like it)" if more else ""))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class AnnotatedObject:
    """One object in an image.

    Attributes:
        name: where it stands in the file, for messages: ``annotation 17``, ``a.txt, line 3``.
        category: id of its category.
        box: left, top, width, height in pixels.
        area: pixels that it covers, None where the file does not say.
        crowd: whether it is neither right nor wrong: it stands for several objects, or is to be ignored.
        segmentation: polygons (lists of x, y, ... in pixels) or COCO's run-length encoding; None without.
        keypoints: x, y in pixels and COCO's visibility of each, in one list; None without.
    """

    name: str
    category: str
    box: tuple[float, float, float, float]
    area: float | None = None
    crowd: bool = False
    segmentation: Any = None
    keypoints: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """One image and what is in it.

    Attributes:
        id: as in the file; results name the image by it.
        file_name: as in the file, with forward slashes.
        size: width and height in pixels, None where the file does not say.
        objects: what is in it.
        partial: whether there may be objects in it that are not annotated.
    """

    id: int | str
    file_name: str
    size: Size | None = None
    objects: tuple[AnnotatedObject, ...] = ()
    partial: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """The folders and the name of the file, in one spelling."""
        return tuple(map(same_name, PurePosixPath(self.file_name).parts))


@dataclass(frozen=True, slots=True)
class Annotations:
    """All images of one data set.

    Attributes:
        source: the file, for messages.
        images: in the order of the file.
        categories: names by id.
        category_ids: the ids as they are in the file, by the ids here (``str`` of those).
        notes: a line for each thing that the user should know.
    """

    source: Path
    images: tuple[AnnotatedImage, ...]
    categories: Mapping[str, str]
    category_ids: Mapping[str, int | str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def ids_of(self, names: Collection[str]) -> frozenset[str]:
        """The ids of the categories of these names, whatever their case.

        Raises:
            SepcamError: If there is none; the text lists the names that there are.
        """
        wanted = {name.casefold() for name in names}
        found = frozenset(key for key, name in self.categories.items() if name.casefold() in wanted)
        if not found:
            there = ", ".join(repr(name) for name in self.categories.values()) or "none at all"
            raise SepcamError(
                f"{self.source} has no category {' or '.join(map(repr, names))} (it has {there})"
            )
        return found

    def objects(self, categories: Collection[str] | None) -> Iterator[tuple[AnnotatedImage, AnnotatedObject]]:
        """Every object, of the categories of these ids or of all."""
        for image in self.images:
            for one in image.objects:
                if categories is None or one.category in categories:
                    yield image, one
