"""A video file written image by image, for programs that use Sepcam."""

import math
import time
from pathlib import Path
from types import TracebackType
from typing import Final

import numpy as np

from ..models.errors import SepcamError
from ..models.types import U8
from .sinks.formats.video import VideoSink
from .types import Frame, FrameResult, Instances, RunSummary, StreamInfo, checked_image

SUFFIXES: Final = (".mp4", ".m4v", ".mov")


class Writer:
    """An H.264 MP4 of images that come one by one; it appears, whole, at the end of the ``with`` block.

    Without an image there is no file; nor is one left when the block is left by an error.

        with sepcam.Writer("out.mp4", fps=30) as writer:
            writer.write(image)
    """

    def __init__(self, path: str | Path, *, fps: float = 30.0, overwrite: bool = False) -> None:
        """Nothing is opened before the first image.

        Args:
            path: of the file.
            fps: images per second, for images without a time of their own.
            overwrite: whether a file of that name may be replaced.

        Raises:
            SepcamError: If ``fps`` is not a positive number, or the name ends in none of ``SUFFIXES``.
        """
        if not 0 < fps < math.inf:
            raise SepcamError(f"fps must be a positive number; got {fps}")
        if Path(path).suffix.lower() not in SUFFIXES:
            raise SepcamError(f"{path} must end in {' or '.join(SUFFIXES)}")
        self._path, self._fps, self._overwrite = Path(path), fps, overwrite
        self._sink: VideoSink | None = None
        self._count = 0
        self._last_s: float | None = None
        self._closed = False
        self._begun = time.monotonic()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
            return
        self._closed = True
        if self._sink is not None:
            self._sink.abort()

    def close(self) -> None:
        """Complete the file, for those who use no ``with`` block; nothing can be written afterwards.

        Raises:
            SepcamError: If it cannot be completed.
        """
        self._closed = True
        sink, self._sink = self._sink, None
        if sink is not None:
            seconds = time.monotonic() - self._begun
            sink.close(RunSummary(self._count, 0, seconds, self._count / max(seconds, 1e-9), {}))

    def write(self, image: U8, time_s: float | None = None) -> None:
        """Add an image; one of another size than the first is fitted into it.

        Args:
            image: (H, W, 3) uint8 BGR.
            time_s: when it is shown, in seconds on any clock, such as ``frame.time_s``; the first image is
                shown at 0. None is ``1 / fps`` after the image before.

        Raises:
            SepcamError: If it is no image, its time goes back, or the file exists, is complete or cannot be
                written.
        """
        if self._closed:
            raise SepcamError(f"{self._path} is complete; a new Writer writes another file")
        height, width = checked_image(image).shape[:2]
        if time_s is None:
            time_s = 0.0 if self._last_s is None else self._last_s + 1 / self._fps
        if not math.isfinite(time_s):
            raise SepcamError(f"the time of an image must be a number of seconds; got {time_s}")
        if self._last_s is not None and time_s < self._last_s:
            raise SepcamError(
                f"the image at {time_s:g} s would come before the one at {self._last_s:g} s: "
                "add an offset to the times of a second clip"
            )
        if self._sink is None:
            info = StreamInfo(self._path.name, width, height, self._fps, live=True)  # begins at 0
            self._sink = VideoSink(self._path, info, overwrite=self._overwrite)
        nobody = Instances(
            (height, width), np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), ()
        )
        self._sink.write(FrameResult(Frame(image, self._count, time_s), nobody), image)
        self._last_s = time_s
        self._count += 1
