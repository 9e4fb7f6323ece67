"""What is being kept of a live picture: recorders that come and go while it runs."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from ...models.errors import SepcamError
from ..sinks.fan_out import FanOut
from ..sinks.video import VideoSink
from ..types import FrameResult, RunSummary, StreamInfo


class Recordings:
    """Hands frames to recorders. Frames come from one thread, everything else from any.

    Attributes:
        failures: a line for each file that could not be written.
    """

    failures: list[str]

    def __init__(self, info: StreamInfo, say: Callable[[str], None]) -> None:
        """Nothing is kept yet.

        Args:
            info: of the source.
            say: told in a line when a file cannot be written; the picture goes on without it.
        """
        self.failures = []
        self._info = info
        self._say = say
        self._lock = threading.Lock()
        self._recorders: list[FanOut] = []
        self._video: tuple[Path, FanOut] | None = None

    @property
    def video(self) -> Path | None:
        """The video that is being recorded."""
        video = self._video
        return None if video is None else video[0]

    def attach(self, recorder: FanOut) -> None:
        """Hands every frame from now on to a recorder."""
        with self._lock:
            self._recorders.append(recorder)

    def detach(self, recorder: FanOut, warnings: Sequence[str] = ()) -> RunSummary:
        """Hands it no more and completes its files.

        Raises:
            SepcamError: If a file cannot be completed; none is left then.
        """
        self._drop(recorder)
        try:
            return recorder.finish(warnings)
        except BaseException:
            recorder.abort()
            raise

    def start(self, path: Path, *, overwrite: bool = False) -> None:
        """Records a video of the pictures from now on, with their own times.

        Raises:
            SepcamError: If the file cannot be made, or one is being recorded.
        """
        if self._video is not None:
            raise SepcamError(f"{self._video[0]} is being recorded")
        recorder = FanOut([VideoSink(path, self._info, overwrite=overwrite)])
        self._video = path, recorder
        self.attach(recorder)

    def stop(self) -> Path | None:
        """Completes the video; its file, or None where there was none, or no picture came.

        Raises:
            SepcamError: If the file cannot be completed.
        """
        with self._lock:
            video, self._video = self._video, None
        if video is None:
            return None
        return video[0] if self.detach(video[1]).frames else None

    def write(self, result: FrameResult) -> None:
        """Hands on a frame with its picture."""
        for recorder in list(self._recorders):
            try:
                recorder.write(result, result.frame.image)
            except SepcamError as error:
                self._fail(error)
                self._drop(recorder)
                recorder.abort()

    def took(self, stage: str, seconds: float) -> None:
        """A stage took so long for a frame."""
        for recorder in list(self._recorders):
            recorder.took(stage, seconds)

    def close(self) -> None:
        """Completes whatever is left; what cannot be completed is thrown away, and said."""
        for recorder in list(self._recorders):
            try:
                self.detach(recorder)
            except SepcamError as error:
                self._fail(error)

    def _fail(self, error: SepcamError) -> None:
        self.failures.append(str(error))
        self._say(str(error))

    def _drop(self, recorder: FanOut) -> None:
        with self._lock:
            if recorder in self._recorders:
                self._recorders.remove(recorder)
            if self._video is not None and self._video[1] is recorder:
                self._video = None
