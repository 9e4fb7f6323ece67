"""The folder of all events: whole ones only, whatever ended the program that wrote them."""

import os
import re
import shutil
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from ...models.errors import SepcamError
from ...models.files import Claim, fit_name, hidden_path, make_folder, publish_whole, write_failure
from .keeping import Keeping
from .stored import StoredEvent, read_event

_HIDDEN: Final = re.compile(r"\..+\.partial-[0-9a-f]{32}")


class HiddenFolder:
    """A new event's files, until `publish` gives them their name all at once.

    Attributes:
        path: the hidden folder.
        name: that the folder gets.
    """

    path: Path
    name: str

    def __init__(self, target: Path) -> None:
        """Create the hidden folder.

        Raises:
            SepcamError: If it cannot be created.
        """
        self._target, self.name = target, target.name
        self.path = hidden_path(target)
        try:
            make_folder(self.path)
            self._claim = Claim(self.path)
        except OSError as error:
            raise write_failure(target, error) from error

    def publish(self) -> None:
        """Flush the files to the disk and show the folder under its name.

        Raises:
            SepcamError: If that fails; nothing is left then.
        """
        try:
            publish_whole(self.path, self._target)
        except OSError as error:
            self.discard()
            raise write_failure(self._target, error) from error
        self._claim.release()

    def discard(self) -> None:
        """Delete the files."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._claim.release()


class EventStore:
    """Lists, keeps and deletes the events of a folder. Any thread may use it.

    Each event is a folder, renamed from a hidden one when it is complete, and to a hidden one before it is
    deleted; so whatever kills the program, what can be seen is whole.

    Attributes:
        folder: with a folder for each event.
    """

    folder: Path

    def __init__(self, folder: Path, keeping: Keeping | None = None) -> None:
        """Delete what a killed program left, and what is too old.

        Args:
            folder: created with the first event.
            keeping: when old events are deleted; None keeps all.
        """
        self.folder = folder
        self._keeping = keeping or Keeping()
        self._lock = threading.Lock()
        self._known: dict[str, tuple[StoredEvent, int]] = {}  # by name, with bytes
        self._reserved: set[str] = set()
        self._clear()
        self.retain()

    def begin(self, moment: datetime, words: str) -> HiddenFolder:
        """A hidden folder for a new event, whose name nobody else gets.

        Args:
            moment: when it happened.
            words: what happened, for the name.

        Raises:
            SepcamError: If it cannot be created.
        """
        said = re.sub(r"[^\w]+", "-", words).strip("-")
        stem = fit_name(self.folder, f"{moment:%Y%m%d-%H%M%S}-{said}", "", room=64)
        with self._lock:
            name, number = stem, 2
            while name in self._reserved or self._taken(name):
                name, number = f"{stem}-{number}", number + 1
            self._reserved.add(name)
            self._reserved -= self._known.keys()
        return HiddenFolder(self.folder / name)

    def _taken(self, name: str) -> bool:
        """Whether there is an event of this name, or another program is writing one."""
        hidden = self.folder.glob(f".{name}.partial-*")
        return (self.folder / name).exists() or any(True for _ in hidden)

    def events(self) -> list[StoredEvent]:
        """All events, the newest first."""
        with self._lock:
            self._read()
            return self._sorted()

    def find(self, name: str) -> Path | None:
        """The folder of an event by its id, or None where there is no such event."""
        with self._lock:
            self._read()
            return self.folder / name if name in self._known else None

    def remove(self, name: str) -> bool:
        """Deletes an event; whether it was there.

        Raises:
            SepcamError: If it cannot be deleted.
        """
        with self._lock:
            self._read()
            return self._remove(name)

    def retain(self) -> list[str]:
        """Deletes what is older, or takes more room, than is to be kept; returns their ids."""
        age_s, most = self._keeping.age_s, self._keeping.size_bytes
        if age_s is None and most is None:
            return []
        with self._lock:
            self._read()
            gone, total = [], sum(size for _, size in self._known.values())
            for event in reversed(self._sorted()):
                old = age_s is not None and time.time() - event.time_unix - event.seconds > age_s
                large = most is not None and total > most and len(self._known) > 1
                if not (old or large):
                    continue
                size = self._known[event.id][1]
                with suppress(SepcamError):
                    self._remove(event.id)
                    gone.append(event.id)
                    total -= size
            return gone

    def _sorted(self) -> list[StoredEvent]:
        events: Sequence[StoredEvent] = [event for event, _ in self._known.values()]
        return sorted(events, key=lambda event: (event.time_unix, event.id), reverse=True)

    def _read(self) -> None:
        """Looks for events that came, and for those that somebody else deleted."""
        try:
            names = {
                entry.name for entry in os.scandir(self.folder) if entry.name[0] != "." and entry.is_dir()
            }
        except OSError:
            names = set()
        for name in self._known.keys() - names:
            del self._known[name]
        for name in names - self._known.keys():
            event = read_event(self.folder / name)
            if event is not None:
                self._known[name] = event, _bytes_in(self.folder / name)

    def _remove(self, name: str) -> bool:
        if name not in self._known:
            return False
        path = self.folder / name
        hidden = hidden_path(path)
        try:
            os.rename(path, hidden)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise SepcamError(f"{path} cannot be deleted: {error.strerror}") from error
        shutil.rmtree(hidden, ignore_errors=True)
        self._known.pop(name, None)
        return True

    def _clear(self) -> None:
        """Deletes the hidden folders whose program has died."""
        with suppress(OSError):
            for path in self.folder.glob(".*.partial-*"):
                if not path.is_dir() or not _HIDDEN.fullmatch(path.name):
                    continue
                claim = Claim(path)
                if claim.held:
                    shutil.rmtree(path, ignore_errors=True)
                claim.release()


def _bytes_in(folder: Path) -> int:
    with suppress(OSError):
        return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return 0
