"""What the user named, as a list of sources: files, folders, globs, lists of them, in a stable order."""

import glob
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ....models.errors import SepcamError
from ...files.addresses import STDIN, expanded, is_address, local_path, shown
from ...files.file_types import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from ...files.text import lines_of
from ...sinks.outputs import stem_of
from ...sources.base import Source
from ...sources.images import ImageSource, as_glob
from ...sources.open import open_source, source_kind
from .remote import in_store, name_in_store, stored_like
from .search import others_line, search, split_media

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
    def title(self) -> str:
        """The name as people and logs may see it: an address without its secrets."""
        return shown(self.name)

    @property
    def path(self) -> Path | None:
        """The file or folder, None where it is no such thing (an address, a camera, several images)."""
        path = Path(self.name)
        return path if not self.listed and self.name != STDIN and path.exists() else None

    @property
    def key(self) -> str:
        """The same for the same source, however it was named; valid Unicode."""
        key = str(self.path.resolve()) if self.path else "\n".join((self.name, *self.listed))
        return key.encode("utf-8", "backslashreplace").decode()

    def open(
        self,
        *,
        start_s: float = 0.0,
        limit: int | None = None,
        stream: int | None = None,
        deinterlace: bool = True,
        follow: bool = False,
    ) -> Source:
        """Opens it, see ``open_source``.

        Raises:
            SepcamError: If it cannot be opened or has no frames.
        """
        if self.listed:
            return ImageSource(self.name, [Path(path) for path in self.listed], limit=limit)
        return open_source(
            self.name,
            start_s=start_s,
            limit=limit,
            stream=stream,
            deinterlace=deinterlace,
            follow=follow,
        )


@dataclass(frozen=True, slots=True)
class Found:
    """The inputs that the user's words name.

    Attributes:
        inputs: the sources in order, each once.
        missing: a line for each word that named nothing.
        searched: whether any word stood for what a search found: a folder of videos, a glob, a list.
        left_out: a line for each reason why files of a folder or a glob are left out.
    """

    inputs: tuple[Input, ...]
    missing: tuple[str, ...]
    searched: bool
    left_out: tuple[str, ...] = ()


def find_inputs(words: Sequence[str], *, recursive: bool = False) -> Found:
    """Every source that the user named, in the order of the words and, within a folder, of the names.

    A folder stands for each of its videos, and for its images as one source. Images that are named one by
    one (by a shell, for ``*.jpg``) are one source as well. ``@list.txt`` stands for its lines.

    Args:
        words: as typed.
        recursive: also look into the folders of folders.
    """
    inputs: list[Input] = []
    missing: list[str] = []
    left_out: list[str] = []
    searched = any(word.startswith("@") for word in words)
    words = [as_glob(local_path(word)) for word in _lines_of_lists(words, missing)]
    listed = [word for word in words if Path(word).suffix.lower() in IMAGE_SUFFIXES and Path(word).is_file()]
    for word in words:
        if len(listed) > 1 and word in listed:
            if word == listed[0]:
                inputs.append(_listed_images(listed))
            continue
        try:
            inputs += _inputs_of(word, recursive, left_out)
        except SepcamError as error:
            missing.append(str(error))
    unique: dict[str, Input] = {}
    for one in inputs:
        unique.setdefault(one.key, one)
    searched = searched or any(one.found for one in inputs)
    return Found(tuple(unique.values()), tuple(missing), searched, tuple(left_out))


def _lines_of_lists(words: Iterable[str], missing: list[str]) -> Iterator[str]:
    for word in words:
        if not word.startswith("@"):
            yield word
            continue
        path = Path(expanded(word[1:]))
        try:
            yield from filter(None, map(_line_of_list, lines_of(path)))
        except SepcamError as error:
            missing.append(f"the list {error}")


def _line_of_list(line: str) -> str | None:
    """The name in a line of a list; None in an empty line or a comment."""
    name = line.strip()
    if not name or name.startswith("#"):
        return None
    if len(name) > 2 and name[0] == name[-1] == '"' and not Path(name).exists():
        name = name[1:-1]  # as Windows' "Copy as path" writes it
    return name


def is_glob(word: str) -> bool:
    """Whether a word is a pattern; a file may have such characters in its name."""
    return bool(_GLOB.search(word)) and not is_address(word) and not Path(word).exists()


def _inputs_of(word: str, recursive: bool, left_out: list[str]) -> list[Input]:
    path = Path(word)
    if word == STDIN:
        return [Input(word, "stdin")]
    if in_store(word):
        return _in_store(word)
    if path.is_dir():
        return _in_folder(path, recursive, left_out)
    if is_glob(word):
        return _like(word, left_out)
    kind = source_kind(word)
    if kind is None:
        raise SepcamError(f"{shown(word)} does not exist")
    if kind.name == "images":
        return [Input(word, stem_of(path.name, images=True), images=True)]
    name = path.name if path.exists() else word if is_address(word) else word.split(":")[0]
    return [Input(word, stem_of(name, images=False))]


def _in_folder(folder: Path, recursive: bool, left_out: list[str]) -> list[Input]:
    """The videos in a folder, and its images as one source."""
    inputs: list[Input] = []
    found = search(folder, recursive=recursive)
    for here in found:
        place = here.path.relative_to(folder)
        inputs += [
            Input(str(path), stem_of(path.name, images=False), _as_place(place), found=True)
            for path in here.videos
        ]
        if here.images:
            stem = stem_of(here.path.resolve().name, images=True)
            where = _as_place(place.parent) if place.parts else ""
            among = bool(place.parts or here.videos)
            inputs.append(Input(str(here.path), stem, where, images=True, found=among))
        left_out += here.left_out
    if not inputs:
        deeper = "" if recursive else "; --recursive looks into its folders too"
        why = "".join(f"; {line}" for here in found for line in here.left_out if "cannot be read" in line)
        raise SepcamError(f"folder {folder} has no images and no videos{why or deeper}")
    return inputs


def _like(pattern: str, left_out: list[str]) -> list[Input]:
    """The videos that match a glob, in the places that they have below its first part without a star.

    The images that match are one source.
    """
    paths = [path for path in map(Path, glob.glob(pattern, recursive=True)) if not path.is_dir()]
    videos, images, others = split_media(paths)
    left_out += others_line(others)
    if not videos and not images:
        kind = "image" if Path(pattern).suffix.lower() in IMAGE_SUFFIXES else "video or image"
        raise SepcamError(f"no {kind} matches {pattern}")
    fixed = Path()
    for part in Path(pattern).parent.parts:
        if _GLOB.search(part):
            break
        fixed /= part
    inputs = [
        Input(
            str(path),
            stem_of(path.name, images=False),
            _as_place(path.parent.relative_to(fixed)),
            found=True,
        )
        for path in videos
    ]
    if images and not videos:
        return [Input(pattern, stem_of(pattern, images=True), images=True)]
    if images:
        listed = tuple(map(str, images))
        inputs.append(Input(pattern, stem_of(pattern, images=True), images=True, listed=listed, found=True))
    return inputs


def _in_store(address: str) -> list[Input]:
    """A file that is kept elsewhere, or the videos there that match a glob."""
    if not _GLOB.search(address):
        return [Input(address, stem_of(name_in_store(address), images=False))]
    names = [(one, name_in_store(one)) for one in stored_like(address)]
    videos = [(one, name) for one, name in names if Path(name).suffix.lower() in VIDEO_SUFFIXES]
    if not videos:
        raise SepcamError(f"no video matches {shown(address)}")
    return [Input(one, stem_of(name, images=False), found=True) for one, name in videos]


def _listed_images(names: Sequence[str]) -> Input:
    folders = {Path(name).resolve().parent for name in names}
    name = folders.pop().name if len(folders) == 1 else "images"
    return Input(name, stem_of(name, images=True), images=True, listed=tuple(dict.fromkeys(names)))


def _as_place(folder: Path) -> str:
    """A folder below the output folder, in names that every system takes."""
    return "/".join(stem_of(part, images=True) for part in folder.parts if part not in (".", ".."))
