"""A video file written image by image, for programs that use Sepcam."""

import time
from pathlib import Path
from types import TracebackType

import numpy as np

from ...models.errors import SepcamError
from ...models.types import U8
from ..types import Frame, FrameResult, Instances, RunSummary, StreamInfo
from .video import VideoSink


class Writer:
    """An H.264 MP4 of images that come one by one; it appears, whole, at the end of the ``with`` block.

    with sepcam.Writer("out.mp4", fps=30) as writer:
        writer.write(image)
    """

    def __init__(self, path: str | Path, *, fps: float = 30.0, overwrite: bool = False) -> None:
        """Nothing is opened before the first image.

        Args:
            path: of the file.
            fps: images per second.
            overwrite: whether a file of that name may be replaced.
        """
        self._path, self._fps, self._overwrite = Path(path), fps, overwrite
        self._sink: VideoSink | None = None
        self._count = 0
        self._begun = time.monotonic()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sink is None:
            return
        if kind is not None:
            self._sink.abort()
            return
        seconds = time.monotonic() - self._begun
        self._sink.close(RunSummary(self._count, 0, seconds, self._count / max(seconds, 1e-9), {}))

    def write(self, image: U8) -> None:
        """Add an (H, W, 3) uint8 BGR image; those of another size than the first are fitted into it.

        Raises:
            SepcamError: If it is no image, the file exists, or it cannot be written.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise SepcamError(f"an image must be (height, width, 3) uint8, is {image.shape} {image.dtype}")
        height, width = image.shape[:2]
        if self._sink is None:
            info = StreamInfo(self._path.name, width, height, self._fps)
            self._sink = VideoSink(self._path, info, overwrite=self._overwrite)
        nobody = Instances(
            (height, width), np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), ()
        )
        self._sink.write(FrameResult(Frame(image, self._count, self._count / self._fps), nobody), image)
        self._count += 1
