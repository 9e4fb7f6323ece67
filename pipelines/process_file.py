"""One source through the pipeline into its files, all of them whole or none."""

from collections.abc import Generator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from ..models.errors import SepcamError
from .analytics.options import WatchOptions
from .analytics.watch import Watch
from .drawing.hud import Hud
from .drawing.options import DrawOptions
from .drawing.overlay import Overlay
from .drawing.trails import Trails
from .hiding.options import Hiding
from .pipeline import Pipeline
from .sinks.base import SinkContext
from .sinks.fan_out import FanOut
from .sinks.outputs import Target
from .sinks.registry import open_sinks, sink_kinds
from .sinks.serialize import SCHEMA, network_facts
from .sources.base import Source
from .types import Encoder, FrameResult, RunSummary, StreamInfo


class Advance(Protocol):
    """Hears how far a run is."""

    def __call__(self, done: int, note: str = "") -> None:
        """Called with the frames that are done, and a few words on the last one."""
        ...


class Progress(Protocol):
    """Shows how far a run is, while a block runs."""

    def __call__(self, title: str, total: int | None) -> AbstractContextManager[Advance]:
        """Begins a run of that many frames, where known."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one source.

    Attributes:
        info: of the source.
        summary: of the run; ``complete`` is False after an interrupt.
        notices: what the sinks want the user to know, a line each.
    """

    info: StreamInfo
    summary: RunSummary
    notices: tuple[str, ...]


def record(
    source: Source,
    target: Target,
    pipeline: Pipeline,
    progress: Progress,
    *,
    drawing: DrawOptions | None = None,
    overwrite: bool = False,
    coco_annotations: Path | None = None,
    watching: WatchOptions | None = None,
    hiding: Hiding | None = None,
    encoder: Encoder = "auto",
) -> Outcome:
    """Runs a source through the pipeline and writes its files.

    A KeyboardInterrupt, from the user or raised by ``progress``, ends the run early and completes the files;
    whatever else is raised leaves none.

    Args:
        source: is read once and closed.
        target: the files.
        pipeline: the networks.
        progress: shows how far it is.
        drawing: what is drawn onto images, and how; None is the default.
        overwrite: whether files that exist may be replaced.
        coco_annotations: file with the image ids of COCO results, or None.
        watching: the lines and zones where people are counted.
        hiding: what is made unrecognizable in every image that is written.
        encoder: what encodes video.

    Raises:
        SepcamError: If it cannot be read or its results cannot be written; then no file is left.
        KeyboardInterrupt: If there is nothing yet that could be completed.
    """
    watching = watching or WatchOptions()
    try:
        pipeline.prepare(source.info)
        watch = watch_of(pipeline, source.info, watching)
        run = context(
            target,
            source.info,
            pipeline,
            drawing=drawing,
            overwrite=overwrite,
            coco_annotations=coco_annotations,
            watching=watching,
        )
        run = replace(run, sound=getattr(source, "sound_feed", None), encoder=encoder)
        recorder = FanOut(open_sinks(target.files, run))
    except BaseException:
        source.close()
        raise
    try:
        annotated = any(sink_kinds()[name].image == "annotated" for name in target.files)
        results = pipeline.run(
            source,
            overlay=overlay_of(pipeline, source.info, drawing or DrawOptions()) if annotated else None,
            recorder=recorder,
            watch=watch,
            hiding=hiding,
        )
        complete = _run(results, source.info, progress)
        if not recorder.frames:
            if not complete:
                raise KeyboardInterrupt
            raise SepcamError(f"{target.title} has no frames")
        events = () if watch is None else watch.end()
        summary = recorder.finish(source.warnings, complete=complete, events=events)
    except BaseException:
        recorder.abort()
        raise
    return Outcome(source.info, summary, tuple(recorder.notices))


def _run(results: Generator[FrameResult, None, None], info: StreamInfo, progress: Progress) -> bool:
    """Analyzes and records every frame; whether the source came to its end."""
    try:
        with progress(info.name, info.frame_count) as advance, closing(results):
            for done, result in enumerate(results, 1):
                advance(done, f"{len(result.instances)} objects")
    except KeyboardInterrupt:
        return False
    return True


def watch_of(pipeline: Pipeline, info: StreamInfo, watching: WatchOptions) -> Watch | None:
    """What watches the people of this source; None where they have no identities.

    Raises:
        SepcamError: If there are lines or zones and no identities, or one lies outside the frame.
    """
    if "track" not in pipeline.options.tasks or info.independent:
        if watching.zones:
            why = (
                "of a video: leave out the images"
                if info.independent
                else "who are tracked: add --tasks track"
            )
            raise SepcamError(f"{info.name}: lines and zones count people {why}")
        return None
    return Watch(watching.zones, (info.width, info.height))


def overlay_of(
    pipeline: Pipeline, info: StreamInfo, drawing: DrawOptions, trails: Trails | None = None
) -> Overlay:
    """What draws onto the images of a recording of this source; photographs get no HUD."""
    model = pipeline.model_for(info)
    hud = None
    if drawing.hud_detail != "off" and not info.independent:
        hud = Hud(f"{model.detector}  {model.backbone}", drawing.hud_detail, drawing.scale)
    names = model.keypoint_names
    return Overlay(model.skeleton, hud, keypoint_names=names, options=drawing, trails=trails)


def context(
    target: Target,
    info: StreamInfo,
    pipeline: Pipeline,
    *,
    drawing: DrawOptions | None = None,
    overwrite: bool = False,
    coco_annotations: Path | None = None,
    watching: WatchOptions | None = None,
) -> SinkContext:
    """What the sinks of a run may want to know; see `SinkContext`."""
    return SinkContext(
        target.source,
        info,
        header(pipeline, info),
        overwrite,
        coco_annotations,
        limits=target.limits,
        drawing=drawing,
        zones=() if watching is None else watching.zones,
    )


def header(pipeline: Pipeline, info: StreamInfo) -> dict[str, Any]:
    """What results say of the pipeline that analyzed this source; the first line of a JSONL file."""
    return {
        "version": metadata.version("sepcam"),
        "schema": SCHEMA,
        "tasks": list(pipeline.options.tasks),
        **network_facts(pipeline.model_for(info)),
    }
