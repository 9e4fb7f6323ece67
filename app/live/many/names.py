"""What several sources are called: each in a way of its own, on screen and in file names."""

import re
from collections.abc import Sequence
from pathlib import Path

from ....models.files import fit_name
from ....pipelines.files.addresses import is_address, is_file_address, local_path, shown
from ....pipelines.sinks.outputs import stem_of
from ....pipelines.sources.video import stream_name


def is_camera(spec: str) -> bool:
    """Whether a source is a camera of this machine."""
    return re.fullmatch(r"(/dev/video)?\d+", spec) is not None


def comes_back(spec: str) -> bool:
    """Whether a source that is not there may come later: a camera or a stream, not a file."""
    return is_camera(spec) or (is_address(spec) and not is_file_address(spec))


def shown_names(specs: Sequence[str]) -> list[str]:
    """A name for each source, without the secrets of its address; equal ones are numbered."""
    return _told_apart([_name(spec) for spec in specs], " ({})")


def file_stems(names: Sequence[str], folder: Path) -> list[str]:
    """What the names of each source's files begin with, by the names of ``shown_names``.

    No two are the same, also where the file system ignores case.
    """
    stems = [stem_of(re.sub(r" \(\d+\)$", "", name), images=False) for name in names]
    return _told_apart([fit_name(folder, stem, "", room=len("-99-annotated.mp4")) for stem in stems], "-{}")


def _name(spec: str) -> str:
    if is_camera(spec):
        return f"camera {int(spec.removeprefix('/dev/video'))}"
    return stream_name(shown(local_path(spec)))


def _told_apart(texts: Sequence[str], number: str) -> list[str]:
    """The texts, numbered from 2 on where one is there already."""
    wanted = {text.casefold() for text in texts}
    given: set[str] = set()
    found = []
    for text in texts:
        one, count = text, 2
        while one.casefold() in given or (count > 2 and one.casefold() in wanted):
            one, count = text + number.format(count), count + 1
        given.add(one.casefold())
        found.append(one)
    return found
