"""The work of ``sepcam live``: a session in a window or without one, and its files completed."""

import json
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..models.runtime import RuntimeOptions
from ..models.types import ConvKind
from ..pipelines.events import Event
from ..pipelines.frames import DetectEvery, Task
from ..pipelines.governor import Quality
from ..pipelines.live import LiveSession
from ..pipelines.live_settings import LiveSettings
from ..pipelines.live_source import open_live
from ..pipelines.live_steps import choice_for
from ..pipelines.networks import NetworkPool, Networks
from ..pipelines.pipeline import Pipeline
from ..pipelines.privacy import Blur
from ..pipelines.recorder import Recorder
from ..pipelines.sinks import JsonlSink, MotSink, Sink
from ..pipelines.zones import read_mark
from . import console
from .processing import header, stem_of
from .setup import load

_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for; see the options of ``sepcam live``.

    Attributes:
        source: what ``open_live`` takes.
        size: (width, height) to ask a camera for, or None.
        rate: frames per second to ask a camera for, or None.
        loop: whether a file begins again.
        detector: name in the registry, or ``auto``.
        pose: name in the registry.
        tasks: what to do beside detecting.
        backbone: to begin with.
        classes: names of the classes to report, or None.
        conf: least score, or None.
        max_people: landmarks and masks for at most so many people.
        detect_every: frames from one detection to the next, or ``auto``.
        options: what runs the networks.
        target_fps: rate to keep, None for the camera's.
        reconnect_timeout_s: when to give up a lost source, None for never.
        blur: what to hide.
        lines: each ``x1,y1,x2,y2``.
        zones: each ``x1,y1,x2,y2,...``.
        video: file to record from the beginning, or None.
        saves: kinds of results to write.
        folder: where files go that have no name of their own.
        overwrite: whether files that exist may be replaced.
        events: whether to print events.
        window: whether to show a window.
        seconds: when to end, or None.
    """

    source: str
    size: tuple[int, int] | None
    rate: float | None
    loop: bool
    detector: str
    pose: str
    tasks: Sequence[Task]
    backbone: ConvKind
    classes: Sequence[str] | None
    conf: float | None
    max_people: int
    detect_every: DetectEvery
    options: RuntimeOptions
    target_fps: float | None
    reconnect_timeout_s: float | None
    blur: Blur
    lines: Sequence[str]
    zones: Sequence[str]
    video: Path | None
    saves: Sequence[str]
    folder: Path
    overwrite: bool
    events: bool
    window: bool
    seconds: float | None


def watch(request: Request) -> None:
    """Runs a live session until the source ends, the viewer leaves, the time is up, or Ctrl-C.

    Raises:
        SepcamError: If it cannot begin, or the source was lost; what was recorded until then is kept.
    """
    marks = [read_mark(text, line=True) for text in request.lines]
    marks += [read_mark(text, line=False) for text in request.zones]
    with open_live(
        request.source,
        size=request.size,
        rate=request.rate,
        loop=request.loop,
        reconnect_timeout_s=request.reconnect_timeout_s,
    ) as source:
        pipeline = _load(request)
        settings = LiveSettings(
            pipeline.detector.name, request.backbone, frozenset(request.tasks), request.conf, request.blur
        )
        pool = NetworkPool.of(request.pose, options=request.options, max_people=request.max_people)
        pool.add(choice_for(settings, Quality()), Networks(pipeline.detector, pipeline.pose))
        with LiveSession(
            source,
            pool,
            settings,
            marks=marks,
            target_fps=request.target_fps,
            classes=request.classes,
            max_people=request.max_people,
            detect_every=request.detect_every,
            prepare_ahead=request.window,
            on_event=_print_event if request.events else lambda event: None,
        ) as session:
            info = session.info
            console.note(
                f"{info.name}: {info.width}x{info.height}" + (f" at {info.fps:.4g} FPS" if info.fps else "")
            )
            results = _keep(session, request, pipeline)
            _run(session, request)
            _complete(session, results)
            if session.error is not None:
                raise session.error


def _load(request: Request) -> Pipeline:
    return load(
        request.detector,
        request.pose,
        tasks=request.tasks,
        backbone=request.backbone,
        classes=request.classes,
        conf=request.conf,
        max_people=request.max_people,
        options=request.options,
    )


def _keep(session: LiveSession, request: Request, pipeline: Pipeline) -> Recorder | None:
    """Begins everything that is to be kept from the beginning."""
    stem = request.video.with_suffix("") if request.video else request.folder / stem_of(session.info)
    sinks: list[Sink] = []
    try:
        if request.video is not None:
            session.recordings.start(request.video, overwrite=request.overwrite)
        for save in request.saves:
            if save == "jsonl":
                path = stem.with_name(stem.name + ".jsonl")
                sinks.append(JsonlSink(path, session.info, header(pipeline), overwrite=request.overwrite))
            else:
                sinks.append(MotSink(stem.with_name(stem.name + ".mot.txt"), overwrite=request.overwrite))
    except BaseException:
        for sink in sinks:
            sink.abort()
        raise
    if not sinks:
        return None
    recorder = Recorder(sinks)
    session.recordings.attach(recorder)
    return recorder


def _run(session: LiveSession, request: Request) -> None:
    """Until the end; Ctrl-C and SIGTERM are the usual ways to end it without a window."""
    deadline = None if request.seconds is None else time.monotonic() + request.seconds

    def going_on() -> bool:
        return not session.ended and (deadline is None or time.monotonic() < deadline)

    try:
        with _terminable():
            session.start()
            if request.window:
                from .viewer import show

                show(session, request.folder, stem_of(session.info), going_on)
                return
            number = 0
            while going_on():
                shot = session.wait(number, _POLL_S)
                if shot is not None:
                    number = shot.number
                    session.shown(shot)
    except KeyboardInterrupt:
        return


def _complete(session: LiveSession, results: Recorder | None) -> None:
    """Completes the files and says what there is."""
    figures = session.status().figures.meter
    session.halt()
    video = session.recordings.stop()
    if results is not None:
        session.recordings.detach(results)
    kept = "" if video is None else f" -> {video}"
    console.note(f"{session.info.name}: {figures.frames} frames shown, {figures.dropped} left out{kept}")
    for failure in session.recordings.failures:
        console.warn(failure)


@contextmanager
def _terminable() -> Iterator[None]:
    """While the block runs, SIGTERM ends it as Ctrl-C does, so that files are completed."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _print_event(event: Event) -> None:
    console.say(json.dumps(event.to_json()))
