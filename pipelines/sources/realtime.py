"""A file as if it were a camera: every frame at its own time."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from ..types import Frame, StreamInfo
from .base import Source


class PacedSource:
    """Plays a file, or the synthetic source, at its own pace; whoever is too slow misses frames.

    Attributes:
        info: the file's, but ``live``.
        warnings: those of the file.
    """

    info: StreamInfo
    warnings: list[str]

    def __init__(self, open_file: Callable[[], Source], *, loop: bool = False) -> None:
        """Open the file.

        Args:
            open_file: opens it from its beginning.
            loop: start again at the end; numbers and times of frames continue.

        Raises:
            SepcamError: If it cannot be opened.
        """
        self._open = open_file
        self._loop = loop
        self._source = open_file()
        self._closed = threading.Event()
        self._running = threading.Event()
        self._running.set()
        self._shift = 0.0
        self.info = replace(self._source.info, live=True, waits=False, frame_count=None, has_audio=False)
        self.warnings = self._source.warnings

    def __enter__(self) -> "PacedSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames, each when it is due; ends with the file unless it loops, or when it is closed."""
        self._shift = time.monotonic()
        index, sequence, begins_s = 0, 0, 0.0
        step = 1 / self.info.fps if self.info.fps else 0.04
        while True:
            ends_s = begins_s
            with self._source as source:
                for frame in source:
                    due_s = begins_s + frame.time_s - self.info.start_s
                    if not self._wait_until(due_s):
                        return
                    yield Frame(frame.image, index, due_s, frame.name, sequence)
                    index += 1
                    ends_s = due_s + step
            if not self._loop or self._closed.is_set() or ends_s == begins_s:
                return
            begins_s = ends_s
            sequence += 1
            self._source = self._open()

    def hold(self) -> None:
        """Stand still until ``go_on``."""
        self._running.clear()

    def go_on(self) -> None:
        """Play on where it stood still."""
        self._running.set()

    def close(self) -> None:
        """Let go of the file; an iteration under way in another thread ends."""
        self._closed.set()
        self._running.set()
        self._source.close()

    def _wait_until(self, due_s: float) -> bool:
        """Sleeps until a frame is due; False once the source is closed."""
        if not self._running.is_set():
            held_at = time.monotonic()
            self._running.wait()
            self._shift += time.monotonic() - held_at
        return not self._closed.wait(max(0.0, self._shift + due_s - time.monotonic()))
