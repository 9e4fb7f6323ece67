"""Where the results of many inputs go: no two in one place, and the same place at every run."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ...sinks.base import ResultName
from ...sinks.outputs import Target, target
from .inputs import Input


def name_targets(
    inputs: Sequence[Input], folder: Path, saves: Sequence[str], taken: Sequence[Path] = ()
) -> Mapping[str, Target]:
    """A target for each input, by its key.

    ``clip.mp4`` has its results in ``clip.*``, in the folder that a search found it in. Where two would have
    the same, both keep their folders (``a/clip.*``, ``b/clip.*``); where that is not enough, the second takes
    its suffix along (``clip-avi.*``), or a number.

    Args:
        inputs: in order.
        folder: the output folder.
        saves: which kinds of results.
        taken: paths of results that inputs of earlier runs have.
    """
    owned = {_fold(path) for path in taken} | {_fold(one.path) for one in inputs if one.path}
    wanted = Counter(f"{one.place}/{one.stem}".casefold() for one in inputs)
    above = _common_folder(inputs)
    targets: dict[str, Target] = {}
    for one in inputs:
        alone = wanted[f"{one.place}/{one.stem}".casefold()] == 1
        for place, stem in _candidates(one, above, alone=alone):
            kind = "images" if one.images else "video"
            name = ResultName(folder, stem, subfolder=place, source_type=kind, alone=False)
            made = target(one.name, name, saves)
            paths = {_fold(path) for path in made.files.values()}
            if not paths & owned:
                owned |= paths
                targets[one.key] = made
                break
    return targets


def _candidates(one: Input, above: Path | None, *, alone: bool) -> Iterator[tuple[str, str]]:
    """Folders and stems, the most wanted first."""
    if alone:
        yield one.place, one.stem
    path = one.path
    place = one.place
    if path is not None and above is not None:
        place = path.resolve().parent.relative_to(above).as_posix()
    yield place, one.stem
    suffix = Path(one.name).suffix.strip(".")
    if suffix:
        yield place, f"{one.stem}-{suffix}"
    number = 2
    while True:
        yield place, f"{one.stem}-{number}"
        number += 1


def _common_folder(inputs: Sequence[Input]) -> Path | None:
    folders = [one.path.resolve().parent for one in inputs if one.path]
    try:
        return Path(os.path.commonpath(folders)) if folders else None
    except ValueError:  # two drives
        return None


def _fold(path: Path) -> str:
    """Two spellings of a name are one file where the file system ignores case."""
    return str(path.resolve()).casefold()
