"""Which files a run will write, decided and checked before any work is done."""

import os
import re
import tempfile
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...models.errors import SepcamError
from ..files.addresses import is_address, shown
from ..files.file_types import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from .base import ResultName
from .registry import sink_kinds

if TYPE_CHECKING:
    from ..media.limits import OpenLimits


@dataclass(frozen=True, slots=True)
class Target:
    """The files that one input is turned into.

    Attributes:
        source: the input as the user gave it.
        files: where each kind of results goes, by the kind's name.
        limits: for a source from an untrusted sender; None allows everything.
    """

    source: str
    files: Mapping[str, Path]
    limits: "OpenLimits | None" = None

    @property
    def title(self) -> str:
        """The source as people and logs may see it: an address without its secrets."""
        return shown(self.source)


def target(source: str, name: ResultName, saves: Sequence[str]) -> Target:
    """The results of one input: ``<stem>.mp4`` (of images: a folder ``<stem>-annotated``) and so on.

    Args:
        source: the input as the user gave it.
        name: what the names are made of; its suffix is set to that of the source.
        saves: the kinds of results.

    Raises:
        SepcamError: If the output folder cannot be looked into.
    """
    suffix = Path(source).suffix
    if suffix.lower() not in IMAGE_SUFFIXES | VIDEO_SUFFIXES:
        suffix = ""
    name = replace(name, suffix=suffix)
    try:
        return Target(source, {save: sink_kinds()[save].path(name) for save in saves})
    except OSError as error:  # below a folder that may not be searched
        raise _unwritable(name.folder, error) from error


def stem_of(name: str, *, images: bool) -> str:
    """A file name for a source without its suffix, from ``clip.mp4`` as from ``rtsp://host/cam?x=1``.

    Args:
        name: of the source, as in ``StreamInfo``: a file's name, an address, a camera's path.
        images: whether it is images: a folder's name has no suffix.
    """
    if is_address(name):
        name = shown(name).split("://", 1)[1]
    elif not images or Path(name).suffix.lower() in IMAGE_SUFFIXES:
        name = Path(name).with_suffix("").as_posix() if images else Path(name).stem
    # Names are bytes, nearly always UTF-8 whatever the locale says.
    name = unicodedata.normalize("NFC", os.fsencode(name).decode("utf-8", "replace"))
    kept = "".join(char if _kept(char) else "-" for char in name)
    stem = re.sub(r"[\u200c\u200d]*-[-\u200c\u200d]*", "-", kept).strip("-.\u200c\u200d") or "source"
    return os.fsdecode(stem.encode())


def _kept(char: str) -> bool:
    """Whether a character stays in a file name: letters with their marks, digits, symbols such as emoji."""
    if char.isascii():
        return char.isalnum() or char in "_.-"
    if char == "\ufffd":
        return False
    # The two joiners shape letters and emoji; other invisible characters go.
    return (
        unicodedata.category(char)[0] in "LMN"
        or unicodedata.category(char) in ("So", "Sk", "Pc")
        or (char in "\u200c\u200d")
    )


def check(targets: Sequence[Target], folder: Path, *, overwrite: bool) -> None:
    """Makes the folder and makes sure that everything can be written there.

    Raises:
        SepcamError: If two inputs would write the same file, a result exists (without ``overwrite``) or is
            an input, or the folder cannot be written to.
    """
    _check_clashes(targets)
    inputs = {Path(t.source).resolve() for t in targets}
    for path in (p for t in targets for p in t.files.values()):
        if path.resolve() in inputs:
            raise SepcamError(f"{path} is an input: choose another output folder with -o")
        if os.path.exists(path) and not overwrite:  # False too where it cannot be known
            raise SepcamError(
                f"{path} exists: use --overwrite to replace it, or another output folder with -o"
            )
    check_writable(folder)


def _check_clashes(targets: Sequence[Target]) -> None:
    owner: dict[Path, str] = {}
    for one in targets:
        for path in one.files.values():
            # Two spellings of a name are one file where the file system ignores case.
            key = path.with_name(path.name.casefold())
            if key in owner:
                raise SepcamError(
                    f"{owner[key]} and {one.title} would both write {path}: process them one at a time, "
                    "with different output folders"
                )
            owner[key] = one.title


def check_writable(folder: Path) -> None:
    """Makes the folder if need be.

    Raises:
        SepcamError: If nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> SepcamError:
    reason = error.strerror or str(error)
    return SepcamError(f"cannot write to {folder}: {reason}; choose another folder with -o")
