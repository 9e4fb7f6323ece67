"""The folder of a job, ``.sepcam`` in the output folder: what it is, its journal, and the driver's lock."""

import json
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from ....models.errors import SepcamError
from ....models.files import atomic_write, make_folder
from ..files.remote import size_in_store
from .journal import PRIVATE, Journal, Output
from .settings import JobSettings

NAME: Final = ".sepcam"
FORMAT: Final = 2
"""Of the job's own files; a job of another format is not continued. 1 kept segments of videos as pickles."""
PACKAGES: Final = ("sepcam", "torch", "openvino", "av", "numpy", "opencv-python", "trackers")
"""Whose versions a job notes."""


@dataclass(frozen=True, slots=True)
class JobInfo:
    """What ``job.json`` holds.

    Attributes:
        settings: what is done to every file.
        inputs: as the user named them, to continue without naming them again.
        recursive: whether folders of folders were searched.
        models: SHA-256 of the weights of each network, by its name; none for a plugin.
        versions: of the packages that results depend on.
    """

    settings: JobSettings
    inputs: tuple[str, ...]
    recursive: bool
    models: Mapping[str, str]
    versions: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "format": FORMAT,
            "settings": self.settings.to_json(),
            "inputs": list(self.inputs),
            "recursive": self.recursive,
            "models": dict(self.models),
            "versions": dict(self.versions),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "JobInfo":
        """What ``to_json`` gave."""
        return cls(
            JobSettings.from_json(values["settings"]),
            tuple(values["inputs"]),
            values["recursive"],
            values["models"],
            values["versions"],
        )


def versions() -> dict[str, str]:
    """The versions of the packages that results depend on, of those that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


class JobFolder:
    """Where a job keeps what it knows.

    Attributes:
        out: the output folder.
        path: the job's own folder in it.
    """

    out: Path
    path: Path

    def __init__(self, out: Path, store: str | None = None) -> None:
        """Take the folder; nothing is made yet.

        Args:
            out: the output folder.
            store: address at which the results are in its place, or None.
        """
        self.out, self.store = out, store
        self.path = out / NAME

    @property
    def exists(self) -> bool:
        """Whether there is a job."""
        return self._about.is_file()

    def info(self) -> JobInfo:
        """What the job is.

        Raises:
            SepcamError: If there is none, or what is there cannot be read.
        """
        try:
            values = json.loads(self._about.read_text(encoding="utf-8"))
            if values.get("format", 1) != FORMAT:
                raise SepcamError(
                    f"the job in {self.out} was begun by another version of Sepcam: continue it with that "
                    "version, or restart it with --fresh"
                )
            return JobInfo.from_json(values)
        except FileNotFoundError as error:
            raise SepcamError(f"there is no job in {self.out}") from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise SepcamError(f"{self._about} cannot be read ({error}): restart with --fresh") from error

    def write(self, info: JobInfo) -> None:
        """Notes what the job is.

        Raises:
            SepcamError: If it cannot be written.
        """
        with atomic_write(self._about, overwrite=True) as hidden:
            hidden.chmod(PRIVATE)  # the inputs may be addresses with passwords
            hidden.write_text(json.dumps(info.to_json(), indent=2) + "\n", encoding="utf-8")

    def journal(self, *, read_only: bool = False) -> Journal:
        """The journal, made if need be.

        Raises:
            SepcamError: See `Journal`.
        """
        return Journal(self.path / "journal.sqlite", read_only=read_only)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other drivers out while the block runs.

        Raises:
            SepcamError: If another one is at work here.
        """
        try:
            make_folder(self.path)
        except OSError as error:
            raise SepcamError(
                f"cannot write to {self.out}: {error.strerror}; choose another folder with -o"
            ) from error
        lock = FileLock(self.path / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise SepcamError(
                f"another run is at work in {self.out} ({self.driver()}): wait for it"
            ) from error
        try:
            who = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
            (self.path / "driver.json").write_text(json.dumps(who), encoding="utf-8")
            yield
        finally:
            lock.release()

    def busy(self) -> bool:
        """Whether a driver is at work."""
        lock = FileLock(self.path / "lock")
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):
            return True
        lock.release()
        return False

    def driver(self) -> str:
        """Who works on the job, or was the last to do so."""
        try:
            who = json.loads((self.path / "driver.json").read_text(encoding="utf-8"))
            return f"process {who['pid']} on {who['host']}"
        except (OSError, ValueError, KeyError):
            return "a process unknown"

    def forget(self) -> None:
        """Forgets the job; only who holds the lock may ask. Results stay."""
        for path in self.path.iterdir():
            if path.name in ("lock", "driver.json"):
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def parts(self, number: int) -> Path:
        """Where the parts of a file are, by its number in the journal."""
        return self.path / "parts" / str(number)

    def there(self, path: str) -> bool:
        """Whether there is a result of this name."""
        if self.store is None:
            return (self.out / path).exists()
        return size_in_store(f"{self.store}/{path}") is not None

    def holds(self, output: Output) -> bool:
        """Whether a finished output is still there, and as big as it was."""
        if self.store is not None:
            return size_in_store(f"{self.store}/{output.path}") in (output.bytes, -1)
        path = self.out / output.path
        return path.is_dir() or (path.exists() and path.stat().st_size == output.bytes)

    def relative(self, path: Path) -> str:
        """An output's name in the journal."""
        return path.relative_to(self.out).as_posix()

    def known_outputs(self) -> Sequence[Path]:
        """Every result that the job has or will have; none where there is no journal that can be read."""
        if not self.exists:
            return ()
        try:
            with self.journal(read_only=True) as journal:
                return [self.out / path for entry in journal.entries() for path in entry.planned.values()]
        except SepcamError:
            return ()

    @property
    def _about(self) -> Path:
        return self.path / "job.json"
