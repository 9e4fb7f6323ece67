"""A recording that is still being written, as a file that ends when it no longer grows."""

import threading
import time
from pathlib import Path
from typing import Final

_POLL_S: Final = 0.1


class FollowedFile:
    """A file to be read once from its beginning; at its end, ``read`` waits for more.

    It has no ``seek``: FFmpeg would look for the index at the end of a file that has no end yet.

    Attributes:
        name: its path.
    """

    name: str

    def __init__(self, path: str | Path, quiet_s: float) -> None:
        """Open the file.

        Args:
            path: the file.
            quiet_s: seconds without growth after which it is finished.

        Raises:
            OSError: If it cannot be opened.
        """
        self.name = str(path)
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by `close`
        self._quiet_s = quiet_s
        self._finished = threading.Event()

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes; none when the file is finished or closed."""
        grown_at = time.monotonic()
        while not self._finished.is_set():
            data = self._file.read(size)
            if data:
                return data
            if time.monotonic() - grown_at >= self._quiet_s:
                self._finished.set()
            self._finished.wait(_POLL_S)
        return b""

    def stop(self) -> None:
        """End a ``read`` that waits, from any thread."""
        self._finished.set()

    def close(self) -> None:
        """Release the file."""
        self._finished.set()
        self._file.close()
