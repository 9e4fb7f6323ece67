"""The work of ``sepcam process``: files in, annotated video and machine-readable results out."""

import re
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from ..models import coco
from ..models.errors import SepcamError
from ..pipelines.frames import TASKS, RunSummary, StreamInfo
from ..pipelines.hud import Hud
from ..pipelines.overlay import Overlay
from ..pipelines.picture_sink import PictureSink
from ..pipelines.pipeline import Pipeline
from ..pipelines.recorder import Recorder
from ..pipelines.sinks import CocoSink, JsonlSink, MotSink, Sink, VideoSink
from ..pipelines.sources import IMAGE_SUFFIXES, ImageSource, Source, open_source
from . import console
from .outputs import Save, Target, check, target

T = TypeVar("T")
DONE, SOME_FAILED, FAILED, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for.

    Attributes:
        inputs: what ``open_source`` takes, in order.
        folder: where the results go.
        saves: which kinds of results.
        overwrite: whether results that exist may be replaced.
        start_s: where to begin in each video, in seconds.
        frames: after how many frames of each input to stop, or None.
        coco_annotations: file that gives the image ids of COCO results, or None.
    """

    inputs: Sequence[str]
    folder: Path
    saves: Sequence[Save]
    overwrite: bool = False
    start_s: float = 0.0
    frames: int | None = None
    coco_annotations: Path | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One source and where its results go.

    Attributes:
        target: the files.
        open: opens the source.
    """

    target: Target
    open: Callable[[], Source]


def run_all(request: Request, load: Callable[[], Pipeline]) -> int:
    """Runs every input through the pipeline and prints a line for each.

    What can be checked is checked before ``load`` is called, which takes seconds. One input that cannot be
    processed does not keep the others from it.

    Returns:
        The exit code: 0, 1 where only some inputs could be processed, 2 where none, 130 after an interrupt.

    Raises:
        SepcamError: If the only input cannot be processed, or the results cannot be written.
    """
    openers = _openers(request)

    def attempt(work: Callable[[], T]) -> T | None:
        try:
            return work()
        except SepcamError as error:
            if len(openers) == 1:
                raise
            console.fail(str(error))
            return None

    jobs = [
        Job(wanted, opener)
        for source, opener in openers.items()
        if (wanted := attempt(lambda source=source, opener=opener: _target(request, source, opener)))
    ]
    if not jobs:
        return FAILED
    check([job.target for job in jobs], request.folder, overwrite=request.overwrite)
    pipeline = load()
    done = 0
    for job in jobs:
        summary = attempt(lambda job=job: run(job, request, pipeline))
        if summary is not None and not summary.complete:
            return INTERRUPTED
        done += summary is not None
    if done == len(openers):
        return DONE
    return SOME_FAILED if done else FAILED


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one input.

    Attributes:
        info: of the source.
        summary: how it went.
        notices: what the user should know of the files, a line each.
    """

    info: StreamInfo
    summary: RunSummary
    notices: Sequence[str]


def run(job: Job, request: Request, pipeline: Pipeline) -> RunSummary:
    """Runs one input through the pipeline, writes its files and prints its line.

    An interrupt (Ctrl-C) ends the run early and completes the files; then ``complete`` is False.

    Raises:
        SepcamError: If it cannot be read or its results cannot be written; then no file is left.
        KeyboardInterrupt: If there is nothing yet that could be completed.
    """
    outcome = write_results(job, request, pipeline, console.progress)
    _report(job, outcome)
    return outcome.summary


def write_results(job: Job, request: Request, pipeline: Pipeline, progress: console.Progress) -> Outcome:
    """Runs one input through the pipeline and writes its files; see ``run``.

    Args:
        job: the input and its files.
        request: what was asked for.
        pipeline: loaded networks.
        progress: shows how far it is; what it raises ends the run, and no file is left.
    """
    source = job.open()
    try:
        recorder = Recorder(_sinks(job.target, source.info, request, pipeline))
    except BaseException:
        source.close()
        raise
    try:
        complete = _record(source, recorder, pipeline, progress, pictures="video" in job.target.files)
        if not recorder.frames:
            if not complete:
                console.note("stopped before the first frame was done; nothing is written")
                raise KeyboardInterrupt
            raise SepcamError(f"{job.target.source} has no frames")
        summary = recorder.finish(source.warnings, complete=complete)
    except BaseException:
        recorder.abort()
        raise
    return Outcome(source.info, summary, recorder.notices)


def _record(
    source: Source, recorder: Recorder, pipeline: Pipeline, progress: console.Progress, *, pictures: bool
) -> bool:
    """Analyses and records every frame; whether the source came to its end."""
    overlay = _overlay(pipeline) if pictures else None
    results = pipeline.run(source, overlay=overlay, recorder=recorder)
    try:
        with progress(source.info.name, source.info.frame_count) as advance, closing(results):
            for done, result in enumerate(results, 1):
                advance(done, f"{len(result.instances)} objects")
    except KeyboardInterrupt:
        return False
    return True


def _overlay(pipeline: Pipeline) -> Overlay:
    hud = Hud(f"{pipeline.detector.name}  {pipeline.backbone}")
    return Overlay(pipeline.skeleton, hud, keypoint_names=pipeline.keypoint_names)


def _openers(request: Request) -> dict[str, Callable[[], Source]]:
    """How each input is opened. Images named one by one (by a shell, for ``*.jpg``) are one source."""
    images = [Path(name) for name in request.inputs if Path(name).suffix.lower() in IMAGE_SUFFIXES]
    openers: dict[str, Callable[[], Source]] = {}
    if len(images) > 1:
        folders = {path.resolve().parent for path in images}
        name = folders.pop().name if len(folders) == 1 else "images"
        openers[name] = partial(ImageSource, name, images, limit=request.frames)
    for name in request.inputs:
        if len(images) < 2 or Path(name) not in images:
            openers[name] = partial(open_source, name, start_s=request.start_s, limit=request.frames)
    return openers


def _target(request: Request, source: str, opener: Callable[[], Source]) -> Target:
    """Where one input's results go; opens it to see what it is."""
    with opener() as opened:
        info = opened.info
    if "coco" in request.saves and not info.independent:
        raise SepcamError(f"{source} is a video, COCO results are for images: leave coco out of --save")
    if "mot" in request.saves and info.independent:
        raise SepcamError(f"{source} is not a video, MOT results are for video: leave mot out of --save")
    return target(source, stem_of(info), request.folder, request.saves, images=info.independent)


def stem_of(info: StreamInfo) -> str:
    """A file name for a source without its suffix, from ``clip.mp4`` as from ``rtsp://host/cam?x=1``."""
    name = info.name
    if "://" in name:
        name = name.split("://", 1)[1].split("?", 1)[0]
    elif not info.independent:
        name = Path(name).stem
    elif Path(name).suffix.lower() in IMAGE_SUFFIXES:
        name = Path(name).with_suffix("").as_posix()
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "source"


def _sinks(wanted: Target, info: StreamInfo, request: Request, pipeline: Pipeline) -> list[Sink]:
    """A sink for each file; on an error none is left."""
    sinks: list[Sink] = []
    try:
        for save, path in wanted.files.items():
            sinks.append(_sink(save, path, wanted.source, info, request, pipeline))
    except BaseException:
        for sink in sinks:
            sink.abort()
        raise
    return sinks


def _sink(
    save: Save, path: Path, source: str, info: StreamInfo, request: Request, pipeline: Pipeline
) -> Sink:
    overwrite = request.overwrite
    if save == "video" and info.independent:
        return PictureSink(path, overwrite=overwrite)
    if save == "video":
        return VideoSink(path, info, source if info.has_audio else None, overwrite=overwrite)
    if save == "jsonl":
        return JsonlSink(path, info, header(pipeline), overwrite=overwrite)
    if save == "mot":
        return MotSink(path, overwrite=overwrite)
    order = coco.keypoint_order(pipeline.keypoint_names)
    return CocoSink(path, request.coco_annotations, keypoint_order=order, overwrite=overwrite)


def header(pipeline: Pipeline) -> dict[str, Any]:
    """What the first line of a JSONL file says of the pipeline."""
    pose = pipeline.pose
    return {
        "version": metadata.version("sepcam"),
        "models": {"detector": pipeline.detector.name, "pose": pose.name if pose else None},
        "backbone": pipeline.backbone,
        "tasks": [task for task in TASKS if task in pipeline.tasks],
        "labels": list(pipeline.detector.labels),
        "keypoint_names": list(pipeline.keypoint_names),
        "skeleton": [list(pair) for pair in pipeline.skeleton],
    }


def _report(job: Job, outcome: Outcome) -> None:
    summary = outcome.summary
    for line in (*outcome.notices, *summary.warnings):
        console.warn(f"{job.target.source}: {line}")
    if not summary.complete:
        of = f" of {outcome.info.frame_count}" if outcome.info.frame_count else ""
        console.note(f"stopped after {summary.frames}{of} frames; the files hold these")
    files = ", ".join(map(str, job.target.files.values()))
    people = f"{summary.people} {'person' if summary.people == 1 else 'people'}"
    console.say(f"{job.target.source}: {summary.frames} frames, {people}, {summary.fps:.1f} FPS -> {files}")
