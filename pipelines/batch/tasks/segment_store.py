"""The parts of a long file: where they lie on the disk, and what is kept of each between two steps."""

import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....models.files import atomic_write
from ....models.types import F32, I64, Detections

Follow = tuple[F32, I64, I64]
"""What the tracker gave for a frame: boxes, rows of the detections, identities."""

Followed = tuple[Follow, tuple[Detections, I64]]
"""The same, and who was lost a moment ago, with their identities."""


@dataclass(frozen=True, slots=True)
class Part:
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

    def path(self, what: str, suffix: str = ".pickle") -> Path:
        """The file for one kind of thing."""
        return self.folder / f"{what}-{self.number:05}{suffix}"

    @property
    def detections(self) -> Path:
        """List of (time_s, Detections), one for each frame."""
        return self.path("detections")

    @property
    def tracks(self) -> Path:
        """List of `Followed`, one for each frame."""
        return self.path("tracks")

    @property
    def results(self) -> Path:
        """List of (time_s, Instances), one for each frame."""
        return self.path("results")

    @property
    def video(self) -> Path:
        """The annotated pictures; time 0 is the first one's."""
        return self.path("video", ".mp4")


def keep(path: Path, thing: Any) -> None:  # noqa: ANN401 - anything that pickles
    """Writes something down, whole or not at all.

    Raises:
        SepcamError: If it cannot be written.
    """
    with atomic_write(path, overwrite=True) as hidden, open(hidden, "wb") as stream:
        pickle.dump(thing, stream, protocol=pickle.HIGHEST_PROTOCOL)


def kept(path: Path) -> Any:  # noqa: ANN401 - what was kept
    """Reads what ``keep`` wrote."""
    with open(path, "rb") as stream:
        return pickle.load(stream)


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
