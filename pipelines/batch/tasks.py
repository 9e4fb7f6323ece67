"""What a worker does: one task in, one result out, whatever happens in between."""

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import av
from av.error import FFmpegError

from ...models.errors import SepcamError
from ..file_run import Advance, record
from ..files.atomic import DiskFullError
from ..pipeline import Pipeline
from ..sinks.outputs import Target
from ..sinks.video import MADE_BY
from .files.inputs import Input
from .state.journal import Output, fingerprint
from .state.settings import JobSettings

Report = Callable[[int, int | None], None]
"""Is told how many frames of a task are done, and of how many, if that is known. Raises KeyboardInterrupt
where the task is to end early."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something to be done for a file.

    Attributes:
        id: of the task.
        source: the file to read.
    """

    id: int
    source: Input


@dataclass(frozen=True, slots=True)
class FileTask(Task):
    """A whole file to be processed.

    Attributes:
        target: where the results go.
        overwrite: whether results that exist may be replaced.
    """

    target: Target
    overwrite: bool


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What came of a task.

    Attributes:
        frames: frames that were analysed.
        people: different people seen.
        seconds: wall time.
        outputs: finished files, their paths as in the task's target.
        warnings: what the user should know, a line each.
        stage_ms: median milliseconds per stage.
        complete: False where the task was ended early.
        error: why there are no outputs, in one line; None where all went well.
        skipped: why nothing was to be done; None where something was.
        again: whether another attempt may fare better.
        disk_full: whether it is of no use to go on at all.
        cuts: of a search for them: where parts of a file begin, in seconds; none to leave it whole.
        sound: of a part: whether the file was in order.
    """

    frames: int = 0
    people: int = 0
    seconds: float = 0.0
    outputs: tuple[Output, ...] = ()
    warnings: tuple[str, ...] = ()
    stage_ms: Mapping[str, float] = field(default_factory=dict)
    complete: bool = True
    error: str | None = None
    skipped: str | None = None
    again: bool = False
    disk_full: bool = False
    cuts: tuple[float, ...] = ()
    sound: bool = True


def run_task(task: Task, settings: JobSettings, networks: Pipeline, report: Report) -> TaskResult:
    """Does a task. Never raises what belongs to the file: that is told in the result.

    Args:
        task: what to do.
        settings: of the job.
        networks: loaded once for many tasks; see ``JobSettings.load``.
        report: hears of the progress.
    """
    from .part_tasks import run_part_task

    try:
        if isinstance(task, FileTask):
            return _process(task, settings, networks, report)
        return run_part_task(task, settings, networks, report)
    except DiskFullError as error:
        return TaskResult(error=str(error), disk_full=True)
    except SepcamError as error:
        return TaskResult(error=str(error))
    except KeyboardInterrupt:
        return TaskResult(complete=False)
    except Exception as error:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            return TaskResult(error=f"the disk is full: {error}", disk_full=True)
        return TaskResult(error=f"{type(error).__name__}: {' '.join(str(error).split())}", again=True)


def _process(task: FileTask, settings: JobSettings, networks: Pipeline, report: Report) -> TaskResult:
    if task.source.found and not task.source.images and made_by_sepcam(task.source.name):
        return TaskResult(skipped="it was made by Sepcam")
    source = task.source.open(start_s=settings.start_s, limit=settings.frames)
    report(0, source.info.frame_count)
    annotations = settings.coco_annotations
    run = record(
        source,
        task.target,
        networks,
        partial(_reporting, report),
        overwrite=task.overwrite,
        coco_annotations=None if annotations is None else Path(annotations),
    )
    return TaskResult(
        run.summary.frames,
        run.summary.people,
        run.summary.seconds,
        tuple(fingerprint(path) for path in task.target.files.values()),
        (*run.notices, *run.summary.warnings),
        run.summary.stage_ms,
        run.summary.complete,
    )


@contextmanager
def _reporting(report: Report, title: str, total: int | None) -> Iterator[Advance]:
    """A ``Progress`` that tells a ``Report``; in the end, that no frame is missing."""
    del title
    last = 0

    def advance(done: int, note: str = "") -> None:
        nonlocal last
        last = done
        report(done, total)

    yield advance
    report(last, last)


def made_by_sepcam(path: str) -> bool:
    """Whether a video is one that Sepcam wrote."""
    try:
        with av.open(path) as container:
            return container.metadata.get("comment", "").startswith(MADE_BY)
    except (FFmpegError, OSError, ValueError):
        return False
