"""A folder of files that appears only when all of them are there."""

import shutil
from contextlib import suppress
from pathlib import Path

from ...models.errors import SepcamError
from ...models.files import Claim, flush_folder, hidden_path, make_folder, publish_folder, write_failure


class Folder:
    """Files in a hidden folder, which are moved to their own folder when they are finished."""

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        """Create the hidden folder.

        Args:
            path: where the files go; exists only after ``publish``.
            overwrite: whether files in it may be replaced; its other files are kept.

        Raises:
            SepcamError: If the folder exists, or cannot be created.
        """
        if path.exists() and not overwrite:
            raise SepcamError(f"{path} exists already: choose another folder, or use --overwrite")
        self._path = path
        self.hidden = hidden_path(path)
        try:
            self.hidden.mkdir(parents=True)
            self._claim = Claim(self.hidden)
        except OSError as error:
            raise write_failure(path, error) from error

    def write(self, name: str | Path, data: bytes) -> None:
        """Write a whole file.

        Args:
            name: of the file, relative to the folder; folders in it are created.
            data: its content.

        Raises:
            SepcamError: If it cannot be written (a full disk).
        """
        file = self.hidden / name
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        except OSError as error:
            raise write_failure(self._path, error) from error

    def prepare(self) -> None:
        """Flush the files to the disk, and make their folder.

        Raises:
            SepcamError: If that fails; nothing is left then.
        """
        try:
            flush_folder(self.hidden)
            make_folder(self._path)
        except OSError as error:
            self.abort()
            raise write_failure(self._path, error) from error

    def publish(self) -> None:
        """Move the files to their folder.

        Raises:
            SepcamError: If they cannot be moved.
        """
        try:
            publish_folder(self.hidden, self._path)
        except OSError as error:
            raise write_failure(self._path, error) from error
        finally:
            self.abort()

    def abort(self) -> None:
        """Delete the files that are still hidden."""
        with suppress(OSError):
            shutil.rmtree(self.hidden)
        self._claim.release()
