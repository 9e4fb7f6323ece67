"""A live source that comes back: a camera that was unplugged, a stream whose sender died."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from ...models.errors import SepcamError
from ..media.frame_conversion import fitted
from ..types import Frame, StreamInfo
from .base import Source

WAITS_S: Final = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each attempt to open a source again; the last one repeats."""

_UNREAD_S = 0.5  # between opening and reading, after which frames have piled up
_DRAIN_S = 2.0  # most that is spent on getting past those
_USUAL_FPS = 25.0


class ReconnectingSource:
    """A camera or a stream that is opened again, with back-off, whenever it stops.

    Frames keep counting; one of another size than the first is fitted into it (with black around it),
    so that tracks, zones, a window and a recording continue undisturbed. What a stream sent between its
    opening and the first frame read (networks take seconds to load) is left out.

    Attributes:
        info: of the first connection.
        warnings: a line for each time that the source stopped.
        attempt: 0 while frames come, else the number of the attempt to open it again that is under way.
    """

    info: StreamInfo
    warnings: list[str]
    attempt: int

    def __init__(
        self,
        connect: Callable[[], Source],
        *,
        timeout_s: float | None = None,
        waits_s: tuple[float, ...] = WAITS_S,
    ) -> None:
        """Open the source for the first time.

        Args:
            connect: opens it.
            timeout_s: give up when it has been away for so long; None never does.
            waits_s: seconds before each attempt, the last one repeats.

        Raises:
            SepcamError: If it cannot be opened: it may never have been there, so no second attempt is made.
        """
        self._connect = connect
        self._timeout_s = timeout_s
        self._waits_s = waits_s
        self._closed = threading.Event()
        self._source: Source | None = connect()
        self._opened_at = time.monotonic()
        self.info = replace(self._source.info, live=True, waits=False, time_base=None, has_audio=False)
        self.warnings = []
        self.attempt = 0

    def __enter__(self) -> "ReconnectingSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames of every connection, one after the other, until the source is closed.

        Raises:
            SepcamError: If it stayed away for longer than the timeout.
        """
        index = 0
        size = self.info.width, self.info.height
        while self._source is not None:
            lost = "its sender stopped"
            try:
                with self._source as source:
                    for frame in source if index else self._newest(source):
                        self.attempt = 0
                        # A stream's own times say nothing about how late its frames are.
                        time_s = frame.time_s if source.info.time_base is None else time.monotonic()
                        yield Frame(fitted(frame.image, size), index, time_s, frame.name)
                        index += 1
                if source.warnings:
                    lost = source.warnings[-1]
            except SepcamError as error:
                lost = str(error)
            if self._closed.is_set():
                return
            self.warnings.append(f"{lost}; reconnecting")
            self._source = self._again()

    def close(self) -> None:
        """Let go of it, also while waiting for it; an iteration under way in another thread ends."""
        self._closed.set()
        if self._source is not None:
            self._source.close()

    def _newest(self, source: Source) -> Iterator[Frame]:
        """The frames from the first one on that had to be waited for: those before it are old."""
        frames = iter(source)
        begun = time.monotonic()
        if begun - self._opened_at > _UNREAD_S:
            at_once_s = 0.5 / (self.info.fps or _USUAL_FPS)
            asked = begun
            for frame in frames:
                now = time.monotonic()
                if now - asked > at_once_s or now - begun > _DRAIN_S:
                    yield frame
                    break
                asked = now
        yield from frames

    def _again(self) -> Source | None:
        """The source, opened again; None once it was closed."""
        gone_at = time.monotonic()
        why = ""
        while True:
            wait = self._waits_s[min(self.attempt, len(self._waits_s) - 1)]
            self.attempt += 1
            if self._timeout_s is not None and time.monotonic() - gone_at + wait > self._timeout_s:
                raise SepcamError(
                    f"{self.info.name} did not come back within {self._timeout_s:g} s: {why or 'it stopped'}"
                )
            if self._closed.wait(wait):
                return None
            try:
                source = self._connect()
            except SepcamError as error:
                why = str(error)
                continue
            if self._closed.is_set():
                source.close()
                return None
            return source
