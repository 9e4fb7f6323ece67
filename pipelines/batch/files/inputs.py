"""What the user named, as a list of sources: files, folders, globs, lists of them, in a stable order."""

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ....models.errors import SepcamError
from ...files.file_types import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from ...sinks.outputs import stem_of
from ...sources.base import Source
from ...sources.images import ImageSource, images_like, natural_key
from ...sources.open import open_source, source_kind
from .remote import in_store, name_in_store, stored_like

_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Input:
    """One source.

    Attributes:
        name: what ``open_source`` takes; of images that were named one by one, the name that they go by.
        stem: the name of its results, without a suffix.
        place: the folder of its results below the output folder; "" for that itself.
        images: whether it is images and no video.
        listed: the images, if they were named one by one.
        found: whether a search found it, so that the user may not know of it.
    """

    name: str
    stem: str
    place: str = ""
    images: bool = False
    listed: tuple[str, ...] = ()
    found: bool = False

    @property
    def path(self) -> Path | None:
        """The file or folder, None where it is no such thing (an address, a camera, several images)."""
        path = Path(self.name)
        return path if not self.listed and path.exists() else None

    @property
    def key(self) -> str:
        """The same for the same source, however it was named."""
        return str(self.path.resolve()) if self.path else "\n".join((self.name, *self.listed))

    def open(self, *, start_s: float = 0.0, limit: int | None = None) -> Source:
        """Opens it, see ``open_source``.

        Raises:
            SepcamError: If it cannot be opened or has no frames.
        """
        if self.listed:
            return ImageSource(self.name, [Path(path) for path in self.listed], limit=limit)
        return open_source(self.name, start_s=start_s, limit=limit)


@dataclass(frozen=True, slots=True)
class Found:
    """The inputs that the user's words name.

    Attributes:
        inputs: the sources in order, each once.
        missing: a line for each word that named nothing.
        searched: whether any word stood for what a search found: a folder of videos, a glob, a list.
    """

    inputs: tuple[Input, ...]
    missing: tuple[str, ...]
    searched: bool


def find_inputs(words: Sequence[str], *, recursive: bool = False) -> Found:
    """Every source that the user named, in the order of the words and, within a folder, of the names.

    A folder with videos stands for these, one with images alone for all of them as one source. Images that
    are named one by one (by a shell, for ``*.jpg``) are one source as well. ``@list.txt`` stands for its
    lines.

    Args:
        words: as typed.
        recursive: also look into the folders of folders.
    """
    inputs: list[Input] = []
    missing: list[str] = []
    searched = any(word.startswith("@") for word in words)
    words = list(_lines_of_lists(words, missing))
    listed = [
        word for word in words if Path(word).suffix.lower() in IMAGE_SUFFIXES and not _GLOB.search(word)
    ]
    for word in words:
        if len(listed) > 1 and word in listed:
            if word == listed[0]:
                inputs.append(_listed_images(listed))
            continue
        try:
            inputs += _inputs_of(word, recursive)
        except SepcamError as error:
            missing.append(str(error))
    unique: dict[str, Input] = {}
    for one in inputs:
        unique.setdefault(one.key, one)
    return Found(tuple(unique.values()), tuple(missing), searched or any(one.found for one in inputs))


def _lines_of_lists(words: Iterable[str], missing: list[str]) -> Iterator[str]:
    for word in words:
        if not word.startswith("@"):
            yield word
            continue
        try:
            text = Path(word[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            missing.append(f"the list {word[1:]} cannot be read: {reason}")
            continue
        lines = (line.strip() for line in text.splitlines())
        yield from (line for line in lines if line and not line.startswith("#"))


def _inputs_of(word: str, recursive: bool) -> list[Input]:
    path = Path(word)
    if in_store(word):
        return _in_store(word)
    if path.is_dir():
        return _in_folder(path, recursive)
    if not path.exists() and "://" not in word and _GLOB.search(word):
        return _like(word)
    if source_kind(word) is None:
        raise SepcamError(f"{word} does not exist")
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return [Input(word, stem_of(path.name, images=True), images=True)]
    name = path.name if path.exists() else word if "://" in word else word.split(":")[0]
    return [Input(word, stem_of(name, images=False))]


def _in_folder(folder: Path, recursive: bool) -> list[Input]:
    """The videos in a folder, or, where it has none, its images as one source."""
    inputs: list[Input] = []
    for here, folders, files in os.walk(folder):
        folders[:] = sorted((f for f in folders if not f.startswith(".")), key=lambda f: natural_key(Path(f)))
        paths = sorted((Path(here, f) for f in files if not f.startswith(".")), key=natural_key)
        place = Path(here).relative_to(folder)
        videos = [path for path in paths if path.suffix.lower() in VIDEO_SUFFIXES]
        for path in videos:
            stem = stem_of(path.name, images=False)
            inputs.append(Input(str(path), stem, _as_place(place), found=True))
        if not videos and any(path.suffix.lower() in IMAGE_SUFFIXES for path in paths):
            here_name = Path(here).resolve().name
            where = _as_place(place.parent) if place.parts else ""
            inputs.append(
                Input(here, stem_of(here_name, images=True), where, images=True, found=bool(place.parts))
            )
        if not recursive:
            break
    if not inputs:
        deeper = "" if recursive else "; --recursive looks into its folders too"
        raise SepcamError(f"folder {folder} has no images and no videos{deeper}")
    return inputs


def _like(pattern: str) -> list[Input]:
    """The videos that match a glob, in the places that they have below its first part without a star."""
    paths = [Path(name) for name in glob.glob(pattern, recursive=True)]
    videos = [path for path in paths if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file()]
    if not videos:
        if not any(path.suffix.lower() in IMAGE_SUFFIXES for path in paths):
            kind = "image" if Path(pattern).suffix.lower() in IMAGE_SUFFIXES else "video or image"
            raise SepcamError(f"no {kind} matches {pattern}")
        images_like(pattern)
        return [Input(pattern, stem_of(pattern, images=True), images=True)]
    fixed = Path()
    for part in Path(pattern).parent.parts:
        if _GLOB.search(part):
            break
        fixed /= part
    return [
        Input(
            str(path),
            stem_of(path.name, images=False),
            _as_place(path.parent.relative_to(fixed)),
            found=True,
        )
        for path in sorted(videos, key=natural_key)
    ]


def _in_store(address: str) -> list[Input]:
    """A file that is kept elsewhere, or the videos there that match a glob."""
    if not _GLOB.search(address):
        return [Input(address, stem_of(name_in_store(address), images=False))]
    names = [(one, name_in_store(one)) for one in stored_like(address)]
    videos = [(one, name) for one, name in names if Path(name).suffix.lower() in VIDEO_SUFFIXES]
    if not videos:
        raise SepcamError(f"no video matches {address}")
    return [Input(one, stem_of(name, images=False), found=True) for one, name in videos]


def _listed_images(names: Sequence[str]) -> Input:
    folders = {Path(name).resolve().parent for name in names}
    name = folders.pop().name if len(folders) == 1 else "images"
    return Input(name, stem_of(name, images=True), images=True, listed=tuple(dict.fromkeys(names)))


def _as_place(folder: Path) -> str:
    """A folder below the output folder, in names that every system takes."""
    return "/".join(stem_of(part, images=True) for part in folder.parts if part not in (".", ".."))
