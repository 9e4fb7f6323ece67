"""The state of a training on the disk: whole or not at all, so that a kill at any moment loses little."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TextIO

import torch

from ...models.errors import SepcamError
from ...models.files import atomic_write
from ...pipelines.files.text import read_text
from .request import CHECKPOINT_NAME, LOG_NAME

_EVERY_S: Final = 20.0


class Checkpoint:
    """Saves the state of a training every 20 seconds.

    Args:
        folder: of the training.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / CHECKPOINT_NAME
        self._saved = time.monotonic()

    def load(self) -> Mapping[str, Any] | None:
        """The state that was saved last; None if there is none.

        Raises:
            SepcamError: If it cannot be read.
        """
        if not self._path.is_file():
            return None
        try:
            return torch.load(self._path, map_location="cpu", weights_only=True)
        except Exception as error:  # torch's reader meets other files with whatever comes up
            raise SepcamError(f"{self._path} is damaged: start again with --overwrite") from error

    def due(self) -> bool:
        """Whether it is time to save."""
        return time.monotonic() - self._saved >= _EVERY_S

    def save(self, state: Mapping[str, Any]) -> None:
        """Replaces the state that was saved before.

        Raises:
            SepcamError: If it cannot be written.
        """
        with atomic_write(self._path, overwrite=True) as path, path.open("wb") as file:
            torch.save(dict(state), file)
        self._saved = time.monotonic()


class Log:
    """``log.jsonl``: a JSON object for each step (``loss`` and its parts) and each evaluation (``figures``).

    Args:
        folder: of the training.
        step: keep what was logged up to this step, and nothing of later ones.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._path = folder / LOG_NAME
        self.rows = [row for row in _read(self._path) if row["step"] <= step]
        with atomic_write(self._path, overwrite=True) as path:
            path.write_text("".join(f"{json.dumps(row)}\n" for row in self.rows), encoding="utf-8")
        self._file: TextIO = self._path.open("a", encoding="utf-8")

    def add(self, **row: Any) -> None:  # noqa: ANN401 - any JSON
        """Writes a line.

        Raises:
            SepcamError: If it cannot be written.
        """
        self.rows.append(row)
        try:
            self._file.write(f"{json.dumps(row)}\n")
            self._file.flush()
        except OSError as error:
            raise SepcamError(f"{self._path} could not be written: {error.strerror}") from error

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def _read(path: Path) -> list[dict[str, Any]]:
    """The lines of a log, without what a kill left half written."""
    if not path.is_file():
        return []
    rows = []
    for line in read_text(path).split("\n"):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and isinstance(row.get("step"), int):
            rows.append(row)
    return rows
