"""The work of ``sepcam process`` on one source, and its line on the terminal."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ...pipelines.analytics.options import WatchOptions
from ...pipelines.batch.files.inputs import Input
from ...pipelines.drawing.options import DrawOptions
from ...pipelines.hiding.options import Hiding
from ...pipelines.pipeline import Pipeline
from ...pipelines.process_file import Outcome, Progress, record
from ...pipelines.sinks.base import ResultName
from ...pipelines.sinks.outputs import Target, check, stem_of, target
from ...pipelines.sinks.registry import check_fits
from ...pipelines.sources.base import Source
from ...pipelines.types import Encoder, RunSummary
from ..terminal import console
from ..terminal.signals import terminable
from ..terminal.words import counted
from .counts import people_text, show_counts

DONE, INTERRUPTED = 0, 130


@dataclass(frozen=True, slots=True)
class FileRequest:
    """What the user asked for.

    Attributes:
        folder: where the results go.
        saves: which kinds of results.
        drawing: what is drawn onto images, and how.
        overwrite: whether results that exist may be replaced.
        start_s: where to begin in each video, in seconds.
        frames: after how many frames of each input to stop, or None.
        stream: 0-based index of the video stream in each file, or None to choose.
        deinterlace: whether interlaced frames become whole images.
        follow: whether the source is a recording that is still being written.
        coco_annotations: file with the image ids of COCO results, or None.
        watching: the lines and zones where people are counted.
        hiding: what is made unrecognizable.
        encoder: what encodes video.
    """

    folder: Path
    saves: tuple[str, ...]
    drawing: DrawOptions = field(default_factory=DrawOptions)
    overwrite: bool = False
    start_s: float = 0.0
    frames: int | None = None
    stream: int | None = None
    deinterlace: bool = True
    follow: bool = False
    coco_annotations: Path | None = None
    watching: WatchOptions = field(default_factory=WatchOptions)
    hiding: Hiding = field(default_factory=Hiding)
    encoder: Encoder = "auto"


@dataclass(frozen=True, slots=True)
class Job:
    """One source and where its results go.

    Attributes:
        target: the files.
        open: opens the source.
    """

    target: Target
    open: Callable[[], Source]


def run_single(source: Input, request: FileRequest, load: Callable[[], Pipeline]) -> int:
    """Runs one source through the pipeline and prints a line for it.

    What can be checked is checked before ``load`` is called, which takes seconds.

    Returns:
        The exit code: 0, or 130 after an interrupt.

    Raises:
        SepcamError: If it cannot be processed, or the results cannot be written.
    """
    # Opened once: a pipe, or a server of a single client, cannot be opened again.
    with source.open(
        start_s=request.start_s,
        limit=request.frames,
        stream=request.stream,
        deinterlace=request.deinterlace,
        follow=request.follow,
    ) as opened:
        info = opened.info
        source_type = "images" if info.independent else "video"
        check_fits(source.title, request.saves, source_type)
        stem = stem_of(info.name, images=info.independent)
        name = ResultName(request.folder, stem, source_type=source_type)
        job = Job(target(source.name, name, request.saves), lambda: opened)
        check([job.target], request.folder, overwrite=request.overwrite)
        return DONE if run(job, request, load()).complete else INTERRUPTED


def run(job: Job, request: FileRequest, pipeline: Pipeline) -> RunSummary:
    """Runs one source through the pipeline, writes its files and prints its line.

    An interrupt (Ctrl-C) ends the run early and completes the files; then ``complete`` is False.

    Raises:
        SepcamError: If it cannot be read or its results cannot be written; then no file is left.
        KeyboardInterrupt: If there is nothing yet that could be completed.
    """
    try:
        with terminable():
            outcome = write_results(job, request, pipeline, console.progress)
    except KeyboardInterrupt:
        console.note("stopped before the first frame was done; nothing is written")
        raise
    _report(job, outcome)
    return outcome.summary


def write_results(job: Job, request: FileRequest, pipeline: Pipeline, progress: Progress) -> Outcome:
    """Runs one source through the pipeline and writes its files; see ``run``.

    Args:
        job: the source and its files.
        request: of the user.
        pipeline: loaded networks.
        progress: shows how far it is; what it raises ends the run, and no file is left.
    """
    return record(
        job.open(),
        job.target,
        pipeline,
        progress,
        drawing=request.drawing,
        overwrite=request.overwrite,
        coco_annotations=request.coco_annotations,
        watching=request.watching,
        hiding=request.hiding,
        encoder=request.encoder,
    )


def _report(job: Job, outcome: Outcome) -> None:
    summary = outcome.summary
    for line in (*outcome.notices, *summary.warnings):
        console.warn(f"{job.target.title}: {line}")
    if not summary.complete:
        of = f" of {outcome.info.frame_count}" if outcome.info.frame_count else ""
        console.note(f"stopped after {summary.frames}{of} frames; the files hold these")
    files = ", ".join(map(str, job.target.files.values()))
    people = people_text(summary.people, summary.statistics)
    console.say(
        f"{job.target.title}: {counted(summary.frames, 'frame')}, {people}, {summary.fps:.1f} FPS -> {files}"
    )
    if summary.statistics is not None:
        show_counts([(job.target.title, summary.statistics)])
