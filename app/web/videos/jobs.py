"""Video files that visitors drop: processed one after the other, results kept for an hour."""

import queue
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

import av
from av.error import FFmpegError

from ....models.errors import SepcamError
from ....models.types import ConvKind
from ....pipelines.execution.background import BACKGROUND
from ....pipelines.pipeline import Pipeline
from ....pipelines.process_file import Advance, Progress, record
from ....pipelines.sinks.outputs import Target
from ....pipelines.sources.video import VideoSource
from ....pipelines.types import Task
from ..shared.downloads import Download, Downloads

MOST: Final = 4
"""Files that may be on their way: being sent, waiting, or being processed."""

KEEP_S: Final = 3600.0
KEEP: Final = 20
"""Finished files whose results are kept, for so many seconds."""

MAX_PIXELS: Final = 4096 * 2304
State = Literal["sending", "waiting", "running", "done", "failed", "cancelled"]

_FORMATS: Final = "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mjpeg,h264,hevc,ivf,yuv4mpegpipe,wtv,mxf,dv,gif"
"""FFmpeg's demuxers that read the one file they are given, and never others that it names (playlists do)."""


class _Cancelled(Exception):
    """The visitor does not want it any more."""


@dataclass(slots=True)
class VideoJob:
    """A file of a visitor's.

    Attributes:
        key: its id, impossible to guess.
        name: what the visitor calls it, for people to read; never part of a path.
        backbone: what the networks are to be.
        tasks: what to do beside detecting.
        folder: where it is.
        state: how far it is.
        done: frames that are processed.
        total: frames that there are, where the file says so.
        message: why it failed, or what it came to.
        files: kind of result to the id under which it is offered.
        ended: when it came to its end, by ``time.monotonic``.
    """

    key: str
    name: str
    backbone: ConvKind
    tasks: frozenset[Task]
    folder: Path
    state: State = "sending"
    done: int = 0
    total: int | None = None
    message: str = ""
    files: dict[str, str] = field(default_factory=dict)
    ended: float | None = None

    @property
    def upload(self) -> Path:
        """The file itself."""
        return self.folder / "video"

    def to_json(self) -> dict[str, Any]:
        """For the page."""
        return {
            "id": self.key,
            "name": self.name,
            "state": self.state,
            "done": self.done,
            "total": self.total,
            "message": self.message,
            "files": dict(self.files),
        }


PipelineOf = Callable[[ConvKind, frozenset[Task]], Pipeline]


class VideoJobs:
    """All files of all visitors; one thread processes them. Any thread may use it."""

    def __init__(self, folder: Path, pipeline_of: PipelineOf, downloads: Downloads) -> None:
        """Wait for the first file.

        Args:
            folder: is theirs alone.
            pipeline_of: gives loaded networks for a backbone and tasks.
            downloads: where results are offered.
        """
        self._folder, self._pipeline_of, self._downloads = folder, pipeline_of, downloads
        self._jobs: dict[str, VideoJob] = {}
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[VideoJob | None] = queue.SimpleQueue()
        self._thread = BACKGROUND.thread("videos", self._work)
        self._thread.start()

    def admit(self, name: str, backbone: ConvKind, tasks: frozenset[Task]) -> VideoJob | None:
        """A place for a file that is to be sent, or None where there are too many."""
        self._forget_old()
        with self._lock:
            busy = sum(job.state in ("sending", "waiting", "running") for job in self._jobs.values())
            if busy >= MOST:
                return None
            key = secrets.token_urlsafe(16)
            job = VideoJob(key, name, backbone, tasks, self._folder / key)
            job.folder.mkdir()
            self._jobs[key] = job
            return job

    def begin(self, job: VideoJob) -> None:
        """Its file is whole: it waits for its turn."""
        if self._move(job, "sending", "waiting"):
            self._waiting.put(job)

    def find(self, key: str) -> VideoJob | None:
        """A file by its id."""
        return self._jobs.get(key)

    def remove(self, job: VideoJob) -> None:
        """Stops it, and deletes everything of it."""
        if not self._move(job, "running", "cancelled"):  # whoever processes it deletes it otherwise
            job.state = "cancelled"
            self._delete(job)

    def states(self) -> dict[str, int]:
        """How many are how far."""
        with self._lock:
            states = [job.state for job in self._jobs.values()]
        return {state: states.count(state) for state in sorted(set(states))}

    def close(self) -> None:
        """Stops what is being processed."""
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.state = "cancelled"
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._waiting.get()) is not None:
            if not self._move(job, "waiting", "running"):
                continue
            try:
                self._process(job)
                job.state = "done"
            except _Cancelled:
                self._delete(job)
                continue
            except Exception as error:
                # One file that cannot be processed must not keep the next one from it.
                job.state = "failed"
                text = str(error) if isinstance(error, SepcamError) else f"{type(error).__name__}: {error}"
                job.message = " ".join(text.replace(str(job.upload), job.name).split())
            job.ended = time.monotonic()
            job.upload.unlink(missing_ok=True)

    def _process(self, job: VideoJob) -> None:
        check_container(job.upload)
        pipeline = self._pipeline_of(job.backbone, job.tasks)
        source = VideoSource(job.upload)
        info = source.info
        if info.width * info.height > MAX_PIXELS:
            source.close()
            raise SepcamError(f"its pictures are {info.width}x{info.height}: at most 4096x2304 are taken")
        source.info = replace(info, name=job.name)
        files = {"video": job.folder / "result.mp4", "jsonl": job.folder / "result.jsonl"}

        target = Target(str(job.upload), {"video": files["video"], "jsonl": files["jsonl"]})
        summary = record(source, target, pipeline, _progress_of(job)).summary
        job.total = summary.frames
        people = f"{summary.people} {'person' if summary.people == 1 else 'people'}"
        notes = "".join(f"; {line}" for line in summary.warnings)
        job.message = f"{summary.frames} frames, {people}, {summary.fps:.1f} frames a second{notes}"
        stem = Path(job.name).stem
        kinds = (("video", ".mp4", "video/mp4"), ("jsonl", ".jsonl", "application/jsonl"))
        for kind, suffix, media_type in kinds:
            shown = Download(files[kind], f"{stem}-sepcam{suffix}", media_type)
            job.files[kind] = self._downloads.offer(shown)

    def _move(self, job: VideoJob, before: State, after: State) -> bool:
        """Changes a state, if it is still the one before."""
        with self._lock:
            if job.state != before:
                return False
            job.state = after
            return True

    def _delete(self, job: VideoJob) -> None:
        with self._lock:
            self._jobs.pop(job.key, None)
        for key in job.files.values():
            self._downloads.withdraw(key)
        shutil.rmtree(job.folder, ignore_errors=True)

    def _forget_old(self) -> None:
        """Makes room: results that are old, and the oldest where there are many."""
        now = time.monotonic()
        with self._lock:
            over = sorted((job.ended, job.key) for job in self._jobs.values() if job.ended is not None)
        for number, (ended, key) in enumerate(over):
            job = self._jobs.get(key)
            if job is not None and (now - ended > KEEP_S or number < len(over) - KEEP):
                self._delete(job)


def _progress_of(job: VideoJob) -> Progress:
    def advance(done: int, note: str = "") -> None:
        job.done = done
        if job.state == "cancelled":
            raise _Cancelled

    @contextmanager
    def progress(title: str, total: int | None) -> Iterator[Advance]:
        job.total = total
        yield advance

    return progress


def check_container(path: Path) -> None:
    """Makes sure that a file is a video by itself, not a list that makes FFmpeg open other files.

    Raises:
        SepcamError: If it is not.
    """
    options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
    try:
        av.open(str(path), options=options).close()
    except (FFmpegError, OSError, ValueError) as error:
        raise SepcamError(f"{path} is not a video file that can be read") from error
