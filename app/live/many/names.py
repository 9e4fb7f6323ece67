"""What several sources are called: each in a way of its own, on screen and in file names."""

import re
from collections.abc import Sequence
from pathlib import Path

from ....assets import demo_clip
from ....models.files import fit_name
from ....pipelines.files.addresses import is_address, is_file_address, local_path, shown
from ....pipelines.sinks.outputs import stem_of
from ....pipelines.sources.open import source_kind
from ....pipelines.sources.video import stream_name


def comes_back(spec: str) -> bool:
    """Whether a source that is not there may come later: a camera or a stream, not a file."""
    return _kind(spec) == "camera" or (is_address(spec) and not is_file_address(spec))


def shown_names(specs: Sequence[str]) -> list[str]:
    """A name for each source, without the secrets of its address; equal ones are numbered."""
    return _told_apart([_name(spec) for spec in specs], " ({})")


def file_stems(names: Sequence[str], folder: Path) -> list[str]:
    """What the names of each source's files begin with, by the names of ``shown_names``.

    No two are the same, also where the file system ignores case.
    """
    stems = [stem_of(re.sub(r" \(\d+\)$", "", name), images=False) for name in names]
    return _told_apart([fit_name(folder, stem, "", room=len("-99-annotated.mp4")) for stem in stems], "-{}")


def _kind(spec: str) -> str | None:
    kind = source_kind(local_path(spec))
    return None if kind is None else kind.name


def _name(spec: str) -> str:
    """What ``StreamInfo`` calls it once it is open."""
    match _kind(spec):
        case "camera":
            return f"camera {int(spec.removeprefix('/dev/video'))}"
        case "demo":
            return demo_clip().name
        case "synthetic":
            return "synthetic"
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
