"""Unexpected errors: one clear line on the terminal for each kind, and words for the visitor."""

import threading
from typing import Final

from ...terminal import console

_MAX_LINES: Final = 100  # remembered at most


class Failures:
    """Reports errors that nobody expected; any thread may use it. The same line is printed only once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reported: set[str] = set()

    def report(self, doing: str, error: BaseException) -> str:
        """Prints what failed, unless the same was printed before.

        Args:
            doing: what the server was doing, e.g. ``analyzing a visitor's camera``.
            error: why it could not.

        Returns:
            The same in one line, for the visitor.
        """
        line = f"{doing} failed: {type(error).__name__}: {one_line(error)}"
        with self._lock:
            if len(self._reported) >= _MAX_LINES:
                self._reported.clear()
            new = line not in self._reported
            self._reported.add(line)
        if new:
            console.warn(line)
        return line


def one_line(error: BaseException) -> str:
    """An error's text as one line, whatever it contains; its type where it has none."""
    return " ".join(str(error).split()) or type(error).__name__
