"""Which image of a folder an annotation means."""

from collections.abc import Sequence
from pathlib import Path

from ...models.errors import SepcamError
from ..files.names import same_name
from .types import AnnotatedImage, Annotations


class ImageMatcher:
    """Finds the annotated image that a file is.

    Names are compared from their ends, so that the folders of either side may be missing. Of several images
    or files that have the same name, those that agree in more folders belong together.
    """

    def __init__(self, annotations: Annotations) -> None:
        self._annotations = annotations
        self._named: dict[str, list[AnnotatedImage]] = {}
        for image in annotations.images:
            self._named.setdefault(image.parts[-1], []).append(image)

    def match(self, path: Path) -> AnnotatedImage | None:
        """The annotated image that a file is, or None.

        Raises:
            SepcamError: If several images may be meant.
        """
        return self._best(_parts(path))

    def match_all(self, folder: Path, files: Sequence[Path]) -> dict[Path, AnnotatedImage]:
        """The annotated images among the files of a folder, each once.

        Args:
            folder: that the files are in.
            files: paths of images, below the folder.

        Raises:
            SepcamError: If it cannot be told which of several is meant.
        """
        found: dict[Path, AnnotatedImage] = {}
        chosen: dict[int | str, tuple[tuple[int, bool, int], Path]] = {}
        for path in files:
            parts = _parts(path.relative_to(folder))
            image = self._best(parts)
            if image is None:
                continue
            common = _common(parts, image.parts)
            rank = common, common == len(image.parts), -len(parts)
            other = chosen.get(image.id)
            if other is not None and rank == other[0]:
                raise SepcamError(
                    f"{self._annotations.source} has one image called {image.file_name}, {folder} two: "
                    f"{other[1]} and {path}"
                )
            if other is None or rank > other[0]:
                if other is not None:
                    del found[other[1]]
                chosen[image.id], found[path] = (rank, path), image
        return found

    def _best(self, parts: tuple[str, ...]) -> AnnotatedImage | None:
        images = self._named.get(parts[-1], [])
        if not images:
            return None
        ranked = sorted(images, key=lambda image: _fit(parts, image), reverse=True)
        if len(ranked) > 1 and _fit(parts, ranked[0]) == _fit(parts, ranked[1]):
            one, other = ranked[:2]
            raise SepcamError(
                f"{self._annotations.source} has two images called {parts[-1]} ({one.file_name}, "
                f"{other.file_name}): keep them in these folders"
            )
        return ranked[0]


def _fit(parts: tuple[str, ...], image: AnnotatedImage) -> tuple[int, int]:
    """How well a path fits an image: folders in common, then as few as possible that differ."""
    common = _common(parts, image.parts)
    return common, common - len(image.parts)


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many parts two paths have in common, from their ends."""
    count = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        count += 1
    return count


def _parts(path: Path) -> tuple[str, ...]:
    return tuple(map(same_name, path.parts))
