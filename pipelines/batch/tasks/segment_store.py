"""The parts of a long file: where they lie on the disk, and what is kept of each between two steps."""

import json
import math
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ....models.errors import SepcamError
from ....models.files import atomic_write
from ....models.types import F32, I64, Detections
from ...events import ZoneCount
from ...types import Instances, MaskCrop

_TREE = "tree"
_CLASSES: dict[str, Any] = {one.__name__: one for one in (Detections, Instances, MaskCrop, ZoneCount)}

Follow = tuple[F32, I64, I64]
"""What the tracker gave for a frame: boxes, rows of the detections, identities."""

Followed = tuple[Follow, tuple[Detections, I64]]
"""The same, and who was lost a moment ago, with their identities."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a file, from one key frame to another.

    Attributes:
        number: from 0.
        start_s: time of its first frame, in seconds of the file; 0 for the first part.
        end_s: where the next one begins, None for the last part.
        folder: where what is kept of it lies.
    """

    number: int
    start_s: float
    end_s: float | None
    folder: Path

    def path(self, what: str, suffix: str = ".npz") -> Path:
        """The file for one kind of thing."""
        return self.folder / f"{what}-{self.number:05}{suffix}"

    @property
    def detections(self) -> Path:
        """List of (time_s, Detections), one for each frame."""
        return self.path("detections")

    @property
    def thumbnails(self) -> Path:
        """List of what `thumbnail_of` gives, one for each frame."""
        return self.path("thumbnails")

    @property
    def tracks(self) -> Path:
        """List of `Followed`, one for each frame."""
        return self.path("tracks")

    @property
    def results(self) -> Path:
        """List of (time_s, Instances), one for each frame."""
        return self.path("results")

    @property
    def counts(self) -> Path:
        """For each frame the counts of all lines and zones: list of tuples of `ZoneCount`."""
        return self.path("counts")

    @property
    def video(self) -> Path:
        """The annotated images; time 0 is the first one's."""
        return self.path("video", ".mp4")


def keep(path: Path, thing: Any) -> None:  # noqa: ANN401 - see above
    """Writes something down, whole or not at all: see `_Packer` for what it may consist of.

    Raises:
        SepcamError: If it cannot be written.
    """
    packer = _Packer()
    tree = json.dumps(packer.pack(thing), separators=(",", ":")).encode()
    arrays: dict[str, Any] = {_TREE: np.frombuffer(tree, np.uint8), **packer.arrays()}
    with atomic_write(path, overwrite=True) as hidden, open(hidden, "wb") as stream:
        np.savez(stream, **arrays)


def kept(path: Path) -> Any:  # noqa: ANN401 - what was kept
    """Reads what ``keep`` wrote. Nothing in the file is executed, whoever wrote it.

    Raises:
        SepcamError: If it cannot be read, or is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return _unpack(json.loads(arrays[_TREE].tobytes()), arrays)
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise SepcamError(
            f"{path} cannot be read ({error}): run the same command again, which makes it again"
        ) from error


class _Packer:
    """Turns lists, tuples, numbers, texts, None, arrays and the classes of `_CLASSES` into JSON and arrays.

    All arrays of one dtype are laid end to end, so that a file has a handful of them however many frames it
    is about; the JSON says where each lies.
    """

    def __init__(self) -> None:
        self._pieces: dict[str, list[npt.NDArray[Any]]] = {}
        self._sizes: dict[str, int] = {}

    def pack(self, thing: Any) -> Any:  # noqa: ANN401 - see the class
        """The JSON for a thing, whose arrays are added to ``arrays``."""
        if thing is None or isinstance(thing, bool | int | float | str):
            return thing
        if isinstance(thing, np.generic):
            return thing.item()
        if isinstance(thing, np.ndarray):
            kind, start = thing.dtype.str, self._sizes.get(thing.dtype.str, 0)
            self._pieces.setdefault(kind, []).append(thing.reshape(-1))
            self._sizes[kind] = start + thing.size
            return {"array": kind, "start": start, "shape": list(thing.shape)}
        if isinstance(thing, list | tuple):
            name = "list" if isinstance(thing, list) else "tuple"
            return {name: [self.pack(one) for one in thing]}
        name = type(thing).__name__
        if type(thing) is not _CLASSES.get(name):
            raise TypeError(f"{name} cannot be kept")
        return {"class": name, **{one.name: self.pack(getattr(thing, one.name)) for one in fields(thing)}}

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays of each dtype, end to end."""
        return {kind: np.concatenate(pieces) for kind, pieces in self._pieces.items()}


def _unpack(tree: Any, arrays: dict[str, npt.NDArray[Any]]) -> Any:  # noqa: ANN401 - see `_Packer`
    if not isinstance(tree, dict):
        return tree
    if "array" in tree:
        shape = tree["shape"]
        return arrays[tree["array"]][tree["start"] : tree["start"] + math.prod(shape)].reshape(shape)
    if "list" in tree:
        return [_unpack(one, arrays) for one in tree["list"]]
    if "tuple" in tree:
        return tuple(_unpack(one, arrays) for one in tree["tuple"])
    values = {name: _unpack(value, arrays) for name, value in tree.items() if name != "class"}
    return _CLASSES[tree["class"]](**values)


def note(path: Path, values: dict[str, Any]) -> None:
    """Writes a small JSON file, whole or not at all.

    Raises:
        SepcamError: If it cannot be written.
    """
    with atomic_write(path, overwrite=True) as hidden:
        hidden.write_text(json.dumps(values), encoding="utf-8")


def noted(path: Path) -> dict[str, Any] | None:
    """Reads what ``note`` wrote, None where there is nothing."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
