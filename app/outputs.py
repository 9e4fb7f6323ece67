"""Which files a run will write, decided and checked before any work is done."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from ..models.errors import SepcamError

Save = Literal["video", "jsonl", "mot", "coco"]
SAVES: tuple[Save, ...] = get_args(Save)
COCO_NAME = "coco_results.json"


@dataclass(frozen=True, slots=True)
class Target:
    """The files that one input is turned into.

    Attributes:
        source: the input as the user gave it.
        files: where each kind of output goes.
    """

    source: str
    files: Mapping[Save, Path]


def target(source: str, stem: str, folder: Path, saves: Sequence[Save], *, images: bool) -> Target:
    """The results of one input: ``<stem>.mp4`` (of images: a folder ``<stem>-annotated``) and so on."""
    suffixes: dict[Save, str] = {
        "video": "-annotated" if images else ".mp4",
        "jsonl": ".jsonl",
        "mot": ".mot.txt",
    }
    return Target(source, {s: folder / (COCO_NAME if s == "coco" else stem + suffixes[s]) for s in saves})


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
        if path.exists() and not overwrite:
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
                    f"{owner[key]} and {one.source} would both write {path}: process them one at a time, "
                    "with different output folders"
                )
            owner[key] = one.source


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
        reason = error.strerror or str(error)
        raise SepcamError(f"cannot write to {folder}: {reason}; choose another folder with -o") from error
