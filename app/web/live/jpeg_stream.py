"""The live frames as JPEG: each is encoded once, and sent to every viewer who is ready for it."""

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from ....models.types import U8
from ....pipelines.execution.background import BACKGROUND
from ....pipelines.live.frames import Shot
from ....pipelines.live.session import LiveSession

LARGEST: Final = 1280
"""Longest side of a frame that is sent, in pixels."""

SMALL: Final = 640
"""The same for the cards of several sources."""

_QUALITY = 80
_POLL_S = 0.2
_MAX_BEHIND = 2  # frames that may have come since one was encoded


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """A frame on its way to viewers.

    Attributes:
        shot: the drawn frame.
        jpeg: the same, scaled down where it is larger than the stream's frames.
    """

    shot: Shot
    jpeg: bytes


class JpegStream:
    """Encodes the newest frame while a viewer waits for one, and sends the same bytes to all viewers.

    A viewer that is not ready costs nothing: nobody waits for it. All methods except ``close`` belong to the
    event loop.
    """

    def __init__(
        self, session: LiveSession, loop: asyncio.AbstractEventLoop, *, largest: int = LARGEST
    ) -> None:
        """Start the encoding thread.

        Args:
            session: whose frames to encode.
            loop: of the viewers.
            largest: longest side of a frame, in pixels.
        """
        self._session, self._loop, self._largest = session, loop, largest
        self._latest: EncodedFrame | None = None
        self._changed = asyncio.Event()
        self._wanted = threading.Event()
        self._closed = threading.Event()
        self._thread = BACKGROUND.thread("jpeg", self._work)
        self._thread.start()

    async def next(self, after: int, timeout_s: float) -> EncodedFrame | None:
        """The newest frame with a number above ``after``, or None if none comes in time."""
        with suppress(asyncio.TimeoutError):
            return await asyncio.wait_for(self._newer(after), timeout_s)
        return None

    def close(self) -> None:
        """Stop encoding; from any thread."""
        self._closed.set()
        self._wanted.set()
        self._thread.join()

    async def _newer(self, after: int) -> EncodedFrame:
        while (latest := self._latest) is None or latest.shot.number <= after or self._stale(latest):
            self._wanted.set()
            await self._changed.wait()
        return latest

    def _stale(self, frame: EncodedFrame) -> bool:
        """Whether it was encoded long ago, for a viewer who has since left."""
        newest = self._session.wait(0, 0)
        return newest is not None and newest.number > frame.shot.number + _MAX_BEHIND

    def _work(self) -> None:
        number = 0
        while not self._closed.is_set():
            self._wanted.wait()
            shot = self._session.wait(number, _POLL_S)
            if shot is None:
                self._closed.wait(_POLL_S if self._session.ended else 0)
                continue
            number = shot.number
            self._wanted.clear()
            frame = EncodedFrame(shot, encode_jpeg(shot.image, self._largest))
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._publish, frame)

    def _publish(self, frame: EncodedFrame) -> None:
        self._latest = frame
        self._changed.set()
        self._changed = asyncio.Event()


def encode_jpeg(image: U8, largest: int = LARGEST) -> bytes:
    """Encodes an (H, W, 3) uint8 BGR image, scaled down where a side is longer than ``largest``."""
    scale = largest / max(image.shape[:2])
    if scale < 1:
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        image = np.asarray(small, np.uint8)
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()
