"""Recording a live session: recorders that come and go, and one video that viewers start and stop."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...models.errors import SepcamError
from ...models.files import free_path
from ..events import Event
from ..sinks.fan_out import FanOut
from ..sinks.formats.video import VideoSink
from ..types import FrameResult, RunSummary, StreamInfo

State = Literal["idle", "recording", "finishing", "closed"]
"""Of the video: idle -> recording -> finishing -> idle; ``closed`` once the session has ended."""


@dataclass(frozen=True, slots=True)
class _Video:
    path: Path
    recorder: FanOut


class Recordings:
    """Passes frames to recorders. Frames come from one thread; any thread may call the other methods.

    Attributes:
        failures: a line for each file that could not be written.
        end_events: what happened when the session ended; recorders that are completed after it get them.
    """

    failures: list[str]
    end_events: Sequence[Event]

    def __init__(self, info: StreamInfo, say: Callable[[str], None]) -> None:
        """Start with no recorder.

        Args:
            info: of the source.
            say: called with one line when a file cannot be written; the session continues without that file.
        """
        self.failures, self.end_events = [], ()
        self._info = info
        self._say = say
        self._lock = threading.Lock()
        self._recorders: list[FanOut] = []
        self._followers: list[Callable[[FrameResult], None]] = []
        self._first_pass = 0  # of a looping file, that recorders get frames of
        self._state: State = "idle"
        self._video: _Video | None = None

    @property
    def video(self) -> Path | None:
        """The video that is being recorded, or None."""
        with self._lock:
            return self._video.path if self._video is not None and self._state == "recording" else None

    def attach(self, recorder: FanOut) -> None:
        """Passes every frame from now on to a recorder."""
        with self._lock:
            self._recorders.append(recorder)

    def follow(self, take: Callable[[FrameResult], None]) -> None:
        """Passes every frame from now on to a function that completes its own files, and never raises."""
        self._followers.append(take)

    def begin_again(self, sequence: int) -> bool:
        """Whether people may be numbered from 1 again, in this pass through a looping file and later ones.

        Not while anything is being kept: an identity has one meaning in a file. Recorders that are attached
        later get no frame of an earlier pass.
        """
        with self._lock:
            if self._recorders:
                return False
            self._first_pass = sequence
            return True

    def detach(self, recorder: FanOut) -> RunSummary:
        """Stops passing frames to a recorder and completes its files.

        Raises:
            SepcamError: If a file cannot be completed; none is left then.
        """
        self._drop(recorder)
        try:
            return recorder.finish((), events=self.end_events)
        except BaseException:
            recorder.abort()
            raise

    def start(self, path: Path, *, overwrite: bool = False) -> None:
        """Records a video of the displayed frames from now on, with their own times.

        Raises:
            SepcamError: If the file cannot be created, a video is being recorded, or the session has ended.
        """
        with self._lock:
            self._begin(path, overwrite=overwrite)

    def start_unique(self, folder: Path, stem: str) -> Path:
        """Records a video under a name that no file has or will have: ``stem.mp4``, ``stem-2.mp4``, ...

        Returns:
            The chosen path.

        Raises:
            SepcamError: As ``start``.
        """
        with self._lock:
            path = free_path(folder, stem, ".mp4")
            self._begin(path, overwrite=False)
            return path

    def stop(self) -> Path | None:
        """Completes the video.

        Returns:
            Its file; None where nothing was being recorded, or no frame came.

        Raises:
            SepcamError: If the file cannot be completed.
        """
        with self._lock:
            video = self._video
            if video is None or self._state != "recording":
                return None
            self._state = "finishing"
        try:
            return video.path if self.detach(video.recorder).frames else None
        finally:
            self._end(video)

    def write(self, result: FrameResult) -> None:
        """Passes a frame and its image to every recorder."""
        for take in self._followers:
            take(result)
        if result.frame.sequence < self._first_pass:
            return
        for recorder in self._current():
            try:
                recorder.write(result, result.frame.image)
            except SepcamError as error:
                self._fail(error)
                self._drop(recorder)
                recorder.abort()

    def took(self, stage: str, seconds: float) -> None:
        """Passes on how long a stage took for a frame."""
        for recorder in self._current():
            recorder.took(stage, seconds)

    def close(self) -> None:
        """Completes what is left, and refuses new videos; a file that cannot be completed is deleted."""
        with self._lock:
            self._state, self._video = "closed", None
        for recorder in self._current():
            try:
                self.detach(recorder)
            except SepcamError as error:
                self._fail(error)

    def _begin(self, path: Path, *, overwrite: bool) -> None:
        """Opens the video and enters ``recording``; the caller holds the lock."""
        if self._state == "closed":
            raise SepcamError("the session has ended: nothing more can be recorded")
        if self._video is not None:
            doing = "recorded already" if self._state == "recording" else "completed: try again in a moment"
            raise SepcamError(f"{self._video.path} is being {doing}")
        recorder = FanOut([VideoSink(path, self._info, overwrite=overwrite)])
        self._recorders.append(recorder)
        self._state, self._video = "recording", _Video(path, recorder)

    def _end(self, video: _Video) -> None:
        """Back to ``idle``, if this video is still the current one."""
        with self._lock:
            if self._video is video:
                self._state, self._video = "idle", None

    def _current(self) -> list[FanOut]:
        with self._lock:
            return list(self._recorders)

    def _fail(self, error: SepcamError) -> None:
        self.failures.append(str(error))
        self._say(str(error))

    def _drop(self, recorder: FanOut) -> None:
        with self._lock:
            if recorder in self._recorders:
                self._recorders.remove(recorder)
            # A video that failed is over; one that is being finished ends in ``stop``.
            if self._video is not None and self._video.recorder is recorder and self._state == "recording":
                self._state, self._video = "idle", None
