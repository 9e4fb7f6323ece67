"""Looks through folders for videos and images, and keeps account of what is left out."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ...files.file_types import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from ...sources.images import natural_key

_NAMED: Final = 3
"""Files that a line about what is left out names; the others are counted."""


@dataclass(slots=True)
class Folder:
    """What a folder holds.

    Attributes:
        path: of the folder, below the one that was searched.
        videos: its videos in natural order.
        images: its images in natural order.
        folders: the folders in it that may be searched, in the same form.
        left_out: a line for each reason why something in it is left out.
    """

    path: Path
    videos: list[Path] = field(default_factory=list)
    images: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def search(folder: Path, *, recursive: bool) -> list[Folder]:
    """A folder and, if asked for, the folders in it, in natural order.

    Links to folders are followed. A folder that is reached twice, as by a link to one above it, is taken
    once, under its own name if that is found.

    Args:
        folder: where to begin.
        recursive: whether to look into the folders in it.
    """
    found: list[Folder] = []
    seen: set[Path] = set()
    waiting, links = [folder], []
    while waiting or links:
        # Links last: what they lead to may be found under its own name.
        here = waiting.pop() if waiting else links.pop(0)
        real = here.resolve()
        if real in seen:
            continue
        seen.add(real)
        made = _look_at(here)
        found.append(made)
        if not recursive:
            if made.folders:
                made.left_out.append(
                    f"{_named(made.folders)} left out: --recursive looks into the folders of a folder"
                )
            break
        waiting += [path for path in made.folders if not path.is_symlink()]
        links += [path for path in made.folders if path.is_symlink()]
    return sorted(found, key=lambda one: natural_key(one.path))


def split_media(paths: Sequence[Path]) -> tuple[list[Path], list[Path], list[Path]]:
    """Videos, images, and other files, each in natural order, by their names."""
    videos, images, others = [], [], []
    for path in sorted(paths, key=natural_key):
        suffix = path.suffix.lower()
        kind = videos if suffix in VIDEO_SUFFIXES else images if suffix in IMAGE_SUFFIXES else others
        kind.append(path)
    return videos, images, others


def others_line(others: Sequence[Path]) -> Iterator[str]:
    """The line about files that are neither videos nor images; none where there are no such files."""
    if others:
        yield f"{_named(others)} left out: neither videos nor images by their names"


def _look_at(here: Path) -> Folder:
    made = Folder(here)
    files: list[Path] = []
    hidden: list[Path] = []
    try:
        with os.scandir(here) as entries:
            for entry in entries:
                path = here / entry.name
                if entry.name.startswith("."):
                    if (
                        path.suffix.lower() in VIDEO_SUFFIXES | IMAGE_SUFFIXES
                        and ".partial-" not in path.name
                    ):
                        hidden.append(path)
                elif _is_folder(entry):
                    made.folders.append(path)
                else:
                    files.append(path)
    except OSError as error:
        made.left_out.append(f"{here} left out: it cannot be read: {error.strerror}")
        return made
    made.folders.sort(key=natural_key)
    made.videos, made.images, others = split_media(files)
    made.left_out += others_line(others)
    hidden = [path for path in hidden if _is_media(path) and ".partial-" not in path.name]
    if hidden:
        made.left_out.append(f"{_named(sorted(hidden, key=natural_key))} left out: hidden by a leading dot")
    return made


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_media(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES | IMAGE_SUFFIXES


def _named(paths: Sequence[Path]) -> str:
    names = ", ".join(path.name for path in paths[:_NAMED])
    more = len(paths) - _NAMED
    where = f"{paths[0].parent}: " if str(paths[0].parent) != "." else ""
    return f"{where}{names} {f'and {more} more ' if more > 0 else ''}{'is' if len(paths) == 1 else 'are'}"
