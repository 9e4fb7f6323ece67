"""Text files written line by line, whole or not at all."""

from contextlib import suppress
from pathlib import Path

from ...models.files import PartialFile


class TextFile:
    """Lines into a file that has its name only when it is finished."""

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        """Open the file.

        Raises:
            SepcamError: If the target exists, or its folder cannot be written to.
        """
        self._file = PartialFile(path, overwrite=overwrite)
        try:
            self._text = open(self._file.path, "w", encoding="utf-8", newline="\n")  # noqa: SIM115
        except OSError as error:
            self._file.discard()
            raise self._file.failure(error) from error

    def write(self, text: str) -> None:
        """Add text as it is.

        Raises:
            SepcamError: If it cannot be written (a full disk).
        """
        try:
            self._text.write(text)
        except OSError as error:
            raise self._file.failure(error) from error

    def close(self, ending: str = "") -> None:
        """Write the last text, finish the file and give it its name.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        try:
            self._text.write(ending)
            self._text.close()
        except OSError as error:
            self.abort()
            raise self._file.failure(error) from error
        self._file.commit()

    def abort(self) -> None:
        """Delete the unfinished file."""
        with suppress(OSError):
            self._text.close()
        self._file.discard()
