"""Videos and images that visitors upload: processed one after the other, results kept for an hour."""

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

from ....models.errors import SepcamError
from ....models.types import ConvKind
from ....pipelines.drawing.options import DrawOptions
from ....pipelines.execution.background import BACKGROUND
from ....pipelines.media.limits import OpenLimits
from ....pipelines.pipeline import Pipeline
from ....pipelines.process_file import Advance, Progress, record
from ....pipelines.sinks.outputs import Target
from ....pipelines.sources.base import Source
from ....pipelines.sources.video import VideoSource
from ....pipelines.types import RunSummary, Task
from ...terminal.words import counted
from ..shared.downloads import Download, Downloads
from .images import UploadedImage, is_image_name

MAX_ACTIVE: Final = 4
"""Files that may be uploading, waiting or running at a time."""

FORGET_S: Final = 60.0
"""Seconds from one search for results that are too old to the next, while no file comes."""

KEEP_S: Final = 3600.0
KEEP: Final = 20
"""At most this many finished files keep their results, each for ``KEEP_S`` seconds."""

UPLOAD_LIMITS: Final = OpenLimits(
    demuxers="mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mjpeg,h264,hevc,ivf,yuv4mpegpipe,wtv,mxf,dv,gif",
    max_pixels=4096 * 2304,
)
"""FFmpeg's demuxers that read the one file they are given, never others that it names (playlists do)."""

State = Literal["uploading", "waiting", "running", "done", "failed", "cancelled"]
_NEXT: Final[dict[State, frozenset[State]]] = {
    "uploading": frozenset({"waiting", "cancelled"}),
    "waiting": frozenset({"running", "cancelled"}),
    "running": frozenset({"done", "failed", "cancelled"}),
    "done": frozenset({"cancelled"}),
    "failed": frozenset({"cancelled"}),
    "cancelled": frozenset(),
}
"""The states that may follow each state. A cancelled file is deleted, whatever is still working on it."""

_ACTIVE: Final = frozenset({"uploading", "waiting", "running"})


class _Cancelled(Exception):
    """The visitor cancelled the file."""


@dataclass(slots=True)
class VideoJob:
    """A visitor's file. Only `VideoJobs` changes its state.

    Attributes:
        key: its id, impossible to guess.
        name: the visitor's name for it, for display only; never part of a path.
        backbone: kind of the networks' convolutions.
        tasks: what to do beside detecting.
        folder: where its files are.
        state: what is happening to it.
        done: frames processed.
        total: frames in the file, or None where it does not say.
        message: why it failed, or a summary of the result.
        files: kind of result -> the id under which it is offered.
        ended: when it was done or failed, by ``time.monotonic``.
    """

    key: str
    name: str
    backbone: ConvKind
    tasks: frozenset[Task]
    folder: Path
    state: State = "uploading"
    done: int = 0
    total: int | None = None
    message: str = ""
    files: dict[str, str] = field(default_factory=dict)
    ended: float | None = None

    @property
    def upload(self) -> Path:
        """The uploaded file."""
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
    """All files of all visitors; one thread processes them. Any thread may call it."""

    def __init__(
        self, folder: Path, pipeline_of: PipelineOf, downloads: Downloads, drawing: DrawOptions
    ) -> None:
        """Start the thread, which waits for the first file.

        Args:
            folder: for uploads and results; nothing else uses it.
            pipeline_of: returns loaded networks for a backbone and tasks.
            downloads: where results are offered.
            drawing: what is drawn onto images, and how.
        """
        self._drawing = drawing
        self._folder, self._pipeline_of, self._downloads = folder, pipeline_of, downloads
        self._jobs: dict[str, VideoJob] = {}
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[VideoJob | None] = queue.SimpleQueue()
        self._thread = BACKGROUND.thread("videos", self._work)
        self._thread.start()

    def admit(self, name: str, backbone: ConvKind, tasks: frozenset[Task]) -> VideoJob | None:
        """Reserves a slot for an upload; None where all slots are taken."""
        self._forget_old()
        with self._lock:
            if sum(job.state in _ACTIVE for job in self._jobs.values()) >= MAX_ACTIVE:
                return None
            key = secrets.token_urlsafe(16)
            job = VideoJob(key, name, backbone, tasks, self._folder / key)
            job.folder.mkdir()
            self._jobs[key] = job
            return job

    def begin(self, job: VideoJob) -> None:
        """The upload is complete: queues it for processing, unless it was cancelled meanwhile."""
        if self._move(job, "waiting"):
            self._waiting.put(job)

    def find(self, key: str) -> VideoJob | None:
        """A file by its id."""
        return self._jobs.get(key)

    def remove(self, job: VideoJob) -> None:
        """Cancels a file and deletes everything of it, its results included."""
        with self._lock:
            at_work = job.state == "running"
            if "cancelled" not in _NEXT[job.state]:
                return
            job.state = "cancelled"
        if not at_work:  # the processing thread deletes it otherwise
            self._delete(job)

    def states(self) -> dict[str, int]:
        """State -> number of files in it."""
        with self._lock:
            states = [job.state for job in self._jobs.values()]
        return {state: states.count(state) for state in sorted(set(states))}

    def close(self) -> None:
        """Cancels every file and waits for the thread to end."""
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            self.remove(job)
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        while True:
            try:
                job = self._waiting.get(timeout=FORGET_S)
            except queue.Empty:
                self._forget_old()
                continue
            if job is None:
                return
            if self._move(job, "running"):
                self._run(job)
            self._forget_old()

    def _run(self, job: VideoJob) -> None:
        try:
            results = self._process(job)
            kept = self._finish(job, results)
        except _Cancelled:
            kept = False
        except Exception as error:
            # A file that cannot be processed must not stop the next one.
            text = str(error) if isinstance(error, SepcamError) else f"{type(error).__name__}: {error}"
            kept = self._move(job, "failed", " ".join(text.replace(str(job.upload), job.name).split()))
        if kept:
            job.upload.unlink(missing_ok=True)
        else:
            self._delete(job)

    def _process(self, job: VideoJob) -> dict[str, Download]:
        """The results, by kind; sets ``total`` and ``message``."""
        image = is_image_name(job.name)
        source = UploadedImage(job.upload, job.name) if image else _video(job)
        try:
            pipeline = self._pipeline_of(job.backbone, job.tasks)
        except BaseException:
            source.close()
            raise
        if image:
            return self._process_image(job, source, pipeline)
        video, jsonl = job.folder / "result.mp4", job.folder / "result.jsonl"
        target = Target(str(job.upload), {"video": video, "jsonl": jsonl}, limits=UPLOAD_LIMITS)
        summary = record(source, target, pipeline, _progress_of(job), drawing=self._drawing).summary
        job.total = summary.frames
        job.message = (
            f"{counted(summary.frames, 'frame')}, {_found(summary)}, {summary.fps:.1f} FPS{_notes(summary)}"
        )
        stem = Path(job.name).stem
        return {
            "video": Download(video, f"{stem}-sepcam.mp4", "video/mp4"),
            "jsonl": Download(jsonl, f"{stem}-sepcam.jsonl", "application/jsonl"),
        }

    def _process_image(self, job: VideoJob, source: Source, pipeline: Pipeline) -> dict[str, Download]:
        """The annotated image and its results; sets ``total`` and ``message``."""
        folder, jsonl = job.folder / "annotated", job.folder / "result.jsonl"
        target = Target(str(job.upload), {"video": folder, "jsonl": jsonl})
        summary = record(source, target, pipeline, _progress_of(job), drawing=self._drawing).summary
        job.total = summary.frames
        job.message = f"{_found(summary)}{_notes(summary)}"
        (annotated,) = folder.iterdir()
        stem = Path(job.name).stem
        return {
            "image": Download(annotated, f"{stem}-sepcam.jpg", "image/jpeg"),
            "jsonl": Download(jsonl, f"{stem}-sepcam.jsonl", "application/jsonl"),
        }

    def _finish(self, job: VideoJob, results: dict[str, Download]) -> bool:
        """Offers the results; False, and nothing is offered, where the file was cancelled meanwhile."""
        with self._lock:
            if "done" not in _NEXT[job.state]:
                return False
            job.files = {kind: self._downloads.offer(result) for kind, result in results.items()}
            job.state, job.ended = "done", time.monotonic()
            return True

    def _move(self, job: VideoJob, state: State, message: str = "") -> bool:
        """Changes the state where that may follow the present one; whether it did."""
        with self._lock:
            if state not in _NEXT[job.state]:
                return False
            job.state, job.message = state, message
            if state not in _ACTIVE:
                job.ended = time.monotonic()
            return True

    def _delete(self, job: VideoJob) -> None:
        with self._lock:
            self._jobs.pop(job.key, None)
        for key in job.files.values():
            self._downloads.withdraw(key)
        shutil.rmtree(job.folder, ignore_errors=True)

    def _forget_old(self) -> None:
        """Removes results that are older than ``KEEP_S``, and the oldest beyond ``KEEP``."""
        now = time.monotonic()
        with self._lock:
            ended = sorted((job.ended, job.key) for job in self._jobs.values() if job.ended is not None)
        for number, (time_s, key) in enumerate(ended):
            job = self.find(key)
            if job is not None and (now - time_s > KEEP_S or number < len(ended) - KEEP):
                self.remove(job)


def _video(job: VideoJob) -> VideoSource:
    source = VideoSource(job.upload, limits=UPLOAD_LIMITS)
    source.info = replace(source.info, name=job.name)
    return source


def _found(summary: RunSummary) -> str:
    return counted(summary.people, "person", "people")


def _notes(summary: RunSummary) -> str:
    return "".join(f"; {line}" for line in summary.warnings)


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
