"""Which files a run will write, decided and checked before any work is done."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from ...models.errors import SepcamError
from ..files.file_types import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from ..media.containers import OpenLimits
from .parquet import partition

Save = Literal["video", "jsonl", "mot", "coco", "parquet"]
SAVES: tuple[Save, ...] = get_args(Save)
COCO_NAME = "coco_results.json"
TABLE_NAME = "objects.parquet"


@dataclass(frozen=True, slots=True)
class Target:
    """The files that one input is turned into.

    Attributes:
        source: the input as the user gave it.
        files: where each kind of output goes.
        limits: for a source from an untrusted sender; None allows everything.
    """

    source: str
    files: Mapping[Save, Path]
    limits: OpenLimits | None = None


def target(
    source: str,
    stem: str,
    folder: Path,
    saves: Sequence[Save],
    *,
    images: bool,
    place: str = "",
    coco_name: str = COCO_NAME,
) -> Target:
    """The results of one input: ``<stem>.mp4`` (of images: a folder ``<stem>-annotated``) and so on.

    Args:
        source: the input as the user gave it.
        stem: how its results are called.
        folder: the output folder.
        saves: the kinds of results.
        images: whether it is images and no video.
        place: the folder of the results below the output folder; the table of all inputs lies above.
        coco_name: of COCO results.
    """
    suffix = Path(source).suffix
    if suffix.lower() not in IMAGE_SUFFIXES | VIDEO_SUFFIXES:
        suffix = ""
    here = folder / place
    paths: dict[Save, Path] = {
        "video": here / f"{stem}{'-annotated' if images else '.mp4'}",
        "jsonl": here / f"{stem}.jsonl",
        "mot": here / f"{stem}.mot.txt",
        "coco": here / coco_name,
        # With its suffix, or the readers of the table take a name such as 0001 for a number.
        "parquet": partition(folder / TABLE_NAME, f"{place}/{stem}{suffix}".lstrip("/")),
    }
    return Target(source, {save: paths[save] for save in saves})


def stem_of(name: str, *, images: bool) -> str:
    """A file name for a source without its suffix, from ``clip.mp4`` as from ``rtsp://host/cam?x=1``.

    Args:
        name: of the source, as in ``StreamInfo``: a file's name, an address, a camera's path.
        images: whether it is images: a folder's name has no suffix.
    """
    if "://" in name:
        name = name.split("://", 1)[1].split("?", 1)[0]
    elif not images or Path(name).suffix.lower() in IMAGE_SUFFIXES:
        name = Path(name).with_suffix("").as_posix() if images else Path(name).stem
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "source"


def check_fits(source: str, saves: Sequence[Save], *, images: bool) -> None:
    """Raises SepcamError where a kind of results is not for this kind of source."""
    if "coco" in saves and not images:
        raise SepcamError(f"{source} is a video, COCO results are for images: leave coco out of --save")
    if "mot" in saves and images:
        raise SepcamError(f"{source} is not a video, MOT results are for video: leave mot out of --save")


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
