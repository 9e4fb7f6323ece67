"""Text files: read as any system saved them; written line by line, whole or not at all."""

import codecs
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from ...models.errors import SepcamError
from ...models.files import PartialFile

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def as_unicode(text: str) -> str:
    """A text in valid Unicode: bytes of file names that are not UTF-8 become question marks."""
    return text.encode("utf-8", "replace").decode()


def read_text(path: Path, *, bytes_kept: bool = False) -> str:
    """A text file in UTF-8, or in UTF-16 as Windows programs save it, with any line ends.

    Args:
        path: the file.
        bytes_kept: whether bytes that are not UTF-8 are kept as Python keeps them in paths, for files that
            hold file names.

    Raises:
        SepcamError: If it cannot be read or is not text.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SepcamError(f"{path} cannot be read: {error.strerror}") from error
    mark, encoding = next((pair for pair in _MARKS if data.startswith(pair[0])), (b"", ""))
    # Without a mark, ASCII in UTF-16 has a zero in every other byte.
    encoding = encoding or {b"\0": "utf-16-be"}.get(data[:1], "utf-16-le" if data[1:2] == b"\0" else "utf-8")
    try:
        text = data[len(mark) :].decode(encoding, "surrogateescape" if bytes_kept else "strict")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SepcamError(f"{path} cannot be read: line {line} is not text in UTF-8 or UTF-16") from error
    return re.sub(r"\r\n?", "\n", text)


def lines_of(path: Path) -> list[str]:
    """The lines of a text file that holds file names, see `read_text`.

    Raises:
        SepcamError: If it cannot be read or is not text.
    """
    text = read_text(path, bytes_kept=True)
    if "\0" in text:
        raise SepcamError(f"{path} cannot be read: it is not text")
    return text.split("\n")


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
        self.finish(ending)
        self.publish()

    def publish(self) -> None:
        """Give the finished file its name.

        Raises:
            SepcamError: If that fails; nothing is left then.
        """
        self._file.publish()

    def finish(self, ending: str = "") -> None:
        """Write the last text and flush the file to the disk; it is still hidden. Only the first call counts.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        if self._text.closed:
            return
        try:
            self._text.write(ending)
            self._text.close()
        except OSError as error:
            self.abort()
            raise self._file.failure(error) from error
        self._file.flush()

    def abort(self) -> None:
        """Delete the unfinished file."""
        with suppress(OSError):
            self._text.close()
        self._file.discard()
