"""A camera as frames, through OpenCV."""

import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from ...models.errors import SepcamError
from ...models.types import U8
from ..types import Frame, StreamInfo
from .base import OpenOptions, Source, SourceKind
from .v4l2 import Exposure, cameras, set_exposure


class CameraSource:
    """A camera of this machine; frames bear the monotonic time at which they arrived.

    ``close`` may be called from any thread; an iteration under way then ends.

    Attributes:
        info: the size and rate that the camera really delivers.
        warnings: a line when the camera stopped.
    """

    info: StreamInfo
    warnings: list[str]

    def __init__(
        self,
        camera: int,
        *,
        size: tuple[int, int] | None = None,
        rate: float | None = None,
        exposure: Exposure | None = None,
        limit: int | None = None,
    ) -> None:
        """Open the camera and take a first frame.

        Args:
            camera: its number, 0-based.
            size: width and height to ask for, in pixels; the camera may give others.
            rate: frames per second to ask for.
            exposure: of each frame; None leaves it as it is.
            limit: end after at most this many frames.

        Raises:
            SepcamError: If there is no such camera (names the ones that are there), it returns no frame, or
                it does not offer that exposure.
        """
        self.warnings = []
        self._limit = limit
        self._lock = threading.Lock()
        self._closed = False
        # Elsewhere than on Linux only trying tells, and OpenCV complains at length on stderr.
        if sys.platform == "linux" and not Path(f"/dev/video{camera}").exists():
            raise SepcamError(_missing(camera))
        self._capture = cv2.VideoCapture(camera)
        if not self._capture.isOpened():
            self._capture.release()
            raise SepcamError(_missing(camera))
        self._ask(size, rate)
        if exposure is not None:
            try:
                set_exposure(camera, exposure)
            except SepcamError:
                self.close()
                raise
        self._first = self._read()
        if self._first is None:
            self.close()
            raise SepcamError(f"camera {camera} returns no frame: is another program using it?")
        height, width = self._first[0].shape[:2]
        given = self._capture.get(cv2.CAP_PROP_FPS)
        self.info = StreamInfo(
            f"camera {camera}", width, height, fps=given if 0 < given <= 1000 else None, live=True
        )

    def __enter__(self) -> "CameraSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames as they arrive, until the camera stops or the source is closed."""
        following, self._first = self._first, None
        index = 0
        while following is not None:
            image, time_s = following
            yield Frame(image, index, time_s)
            index += 1
            if index == self._limit:
                return
            following = self._read()
        if not self._closed:
            self.warnings.append(f"the camera stopped after {index} frames")

    def close(self) -> None:
        """Give the camera back."""
        self._closed = True
        # A camera may take seconds over a frame: the thread that waits for it releases it.
        if self._lock.acquire(blocking=False):
            try:
                self._capture.release()
            finally:
                self._lock.release()

    def _ask(self, size: tuple[int, int] | None, rate: float | None) -> None:
        capture = self._capture
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        if size is not None:
            # USB 2 has no room for large uncompressed frames at full rate.
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        if rate is not None:
            capture.set(cv2.CAP_PROP_FPS, rate)

    def _read(self) -> tuple[U8, float] | None:
        with self._lock:
            if self._closed:
                return None
            there, image = self._capture.read()
        if self._closed:
            self.close()
            return None
        return (np.asarray(image, np.uint8), time.monotonic()) if there and image is not None else None


def _missing(camera: int) -> str:
    there = cameras()
    if there:
        return f"camera {camera} cannot be opened; there are: {', '.join(map(str, there))}"
    if sys.platform == "linux":
        return f"camera {camera} does not exist, nor any other: connect one, or give a file, or 'demo'"
    return f"camera {camera} cannot be opened: try another number, or give a file, or 'demo'"


_NAME = re.compile(r"(?:/dev/video)?(\d+)")


def _open(spec: str, options: OpenOptions) -> Source:
    match = _NAME.fullmatch(spec)
    assert match is not None
    asked = {"size": options.size, "rate": options.rate, "exposure": options.exposure}
    return CameraSource(int(match[1]), **asked, limit=options.limit)


def _claims(spec: str) -> bool:
    """Whether it is a camera: a device, or a number that no file or folder is called by."""
    return bool(_NAME.fullmatch(spec)) and not (spec.isdecimal() and Path(spec).exists())


KIND = SourceKind("camera", _claims, _open)
