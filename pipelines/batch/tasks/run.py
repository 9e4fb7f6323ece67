"""What a worker does: one task in, one result out, whatever happens in between."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ....models.errors import SepcamError
from ....models.files import DiskFullError
from ...files.addresses import redacted
from ...pipeline import Pipeline
from ...process_file import Advance, record
from ..state.journal import fingerprint
from ..state.settings import JobSettings
from .types import FileTask, Report, Task, TaskResult, made_by_sepcam


def run_task(task: Task, settings: JobSettings, networks: Pipeline, report: Report) -> TaskResult:
    """Runs a task. Errors of the file are never raised: they are in the result.

    Args:
        task: what to do.
        settings: of the job.
        networks: loaded once for many tasks; see ``JobSettings.load``.
        report: is called as the progress advances.
    """
    from .segments import run_part_task

    try:
        if isinstance(task, FileTask):
            return _process(task, settings, networks, report)
        return run_part_task(task, settings, networks, report)
    except DiskFullError as error:
        return TaskResult(error=str(error), disk_full=True)
    except SepcamError as error:
        return TaskResult(error=redacted(str(error)))
    except KeyboardInterrupt:
        return TaskResult(complete=False)
    except Exception as error:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            return TaskResult(error=f"the disk is full: {error}", disk_full=True)
        why = redacted(" ".join(str(error).split()))
        return TaskResult(error=f"{type(error).__name__}: {why}", again=True)


def _process(task: FileTask, settings: JobSettings, networks: Pipeline, report: Report) -> TaskResult:
    if task.source.found and not task.source.images and made_by_sepcam(task.source.name):
        return TaskResult(skipped="it was made by Sepcam")
    source = task.source.open(
        start_s=settings.start_s,
        limit=settings.frames,
        stream=settings.stream,
        deinterlace=settings.deinterlace,
    )
    report(0, source.info.frame_count)
    annotations = settings.coco_annotations
    run = record(
        source,
        task.target,
        networks,
        partial(_reporting, report),
        drawing=settings.drawing,
        overwrite=task.overwrite,
        coco_annotations=None if annotations is None else Path(annotations),
        watching=settings.watching,
        hiding=settings.hiding,
        encoder=settings.encoder,
    )
    return TaskResult(
        run.summary.frames,
        run.summary.people,
        run.summary.seconds,
        tuple(fingerprint(path) for path in task.target.files.values()),
        (*run.notices, *run.summary.warnings),
        run.summary.stage_ms,
        run.summary.complete,
        statistics=run.summary.statistics,
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
