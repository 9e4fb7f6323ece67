"""The work of ``sepcam live``: a session in a window or without one, and its files completed."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...pipelines.events import Event
from ...pipelines.live.session import LiveSession
from ...pipelines.pipeline import Pipeline
from ...pipelines.process_file import context
from ...pipelines.sinks.base import ResultName
from ...pipelines.sinks.fan_out import FanOut
from ...pipelines.sinks.outputs import stem_of, target
from ...pipelines.sinks.registry import open_sinks
from ...pipelines.types import MeterSnapshot, StreamInfo
from ...pipelines.watching.store import EventStore
from ..terminal import console
from ..terminal.signals import terminable
from ..terminal.words import counted
from .events import recording, rules_of
from .request import LiveRequest, begin, described, load_networks
from .zones import ZoneEditor, with_drawn, zone_file

_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class WindowRequest:
    """What the user asked for; see the options of ``sepcam live``.

    Attributes:
        live: source, networks and what to do with them.
        video: file to record from the beginning, or None.
        saves: kinds of results to write.
        folder: where files go that have no name of their own.
        overwrite: whether files that exist may be replaced.
        events: whether to print events.
        window: whether to show a window.
        seconds: when to end, or None.
        duel_s: seconds of a duel to begin with, or None.
    """

    live: LiveRequest
    video: Path | None
    saves: Sequence[str]
    folder: Path
    overwrite: bool
    events: bool
    window: bool
    seconds: float | None
    duel_s: float | None = None


def watch(request: WindowRequest) -> None:
    """Runs a live session until the source ends, the viewer leaves, the time is up, or Ctrl-C.

    Raises:
        SepcamError: If it cannot begin, or the source was lost; what was recorded until then is kept.
    """
    with request.live.open() as source:
        loaded = load_networks(request.live)
        drawn = zone_file(request.live.watching, request.folder, source.info.name)
        zones = with_drawn(request.live.watching, drawn)
        live = replace(request.live, watching=replace(request.live.watching, zones=zones))
        request = replace(request, live=live)
        rules = rules_of(live, zones, loaded)
        store = EventStore(live.events.folder_in(request.folder), live.events.keeping)
        with (
            recording(live, rules, source.info, store) as recorder,
            begin(
                live,
                source,
                loaded,
                prepare_ahead=request.window,
                on_event=_print_event if request.events else lambda event: None,
            ) as session,
        ):
            console.note(described(session.info))
            if recorder is not None:
                session.recordings.follow(recorder.write)
            results = _save(session, request, loaded.pipeline)
            begun = time.monotonic()
            _run(session, request, ZoneEditor(session, rules, drawn))
            _complete(session, results, begun)
            if session.error is not None:
                raise session.error


def _save(session: LiveSession, request: WindowRequest, pipeline: Pipeline) -> FanOut | None:
    """Starts everything that is to be saved from the beginning."""
    stem = request.video.with_suffix("") if request.video else request.folder / _stem(session.info)
    if request.video is not None:
        session.recordings.start(request.video, overwrite=request.overwrite)
    if not request.saves:
        return None
    made = target(request.live.source, ResultName(stem.parent, stem.name, source_type="live"), request.saves)
    run = context(made, session.info, pipeline, overwrite=request.overwrite, watching=request.live.watching)
    results = FanOut(open_sinks(made.files, run))
    session.recordings.attach(results)
    return results


def _run(session: LiveSession, request: WindowRequest, editor: ZoneEditor) -> None:
    """Until the end; Ctrl-C and SIGTERM are the usual ways to end it without a window."""
    deadline = None if request.seconds is None else time.monotonic() + request.seconds

    def going_on() -> bool:
        return not session.ended and (deadline is None or time.monotonic() < deadline)

    try:
        with terminable():
            if request.duel_s is not None:
                session.duel.begin(request.duel_s)
            session.start()
            if request.window:
                from .viewer import show

                show(session, request.folder, _stem(session.info), going_on, editor)
                return
            number = 0
            while going_on():
                shot = session.wait(number, _POLL_S)
                if shot is not None:
                    number = shot.number
                    session.shown(shot)
    except KeyboardInterrupt:
        return


def _complete(session: LiveSession, results: FanOut | None, begun: float) -> None:
    """Completes the files and says what there is."""
    figures = session.status().figures.meter
    seconds = time.monotonic() - begun
    session.halt()
    video = session.recordings.stop()
    if results is not None:
        session.recordings.detach(results)
    console.note(closing_line(session.info.name, figures, seconds, video))
    for failure in session.recordings.failures:
        console.warn(failure)


def closing_line(name: str, meter: MeterSnapshot, seconds: float, video: Path | None) -> str:
    """What is said of a source in the end.

    Args:
        name: of the source.
        meter: what was counted.
        seconds: since it began.
        video: what was recorded, or None.
    """
    shown = f"{counted(meter.frames, 'frame')} shown ({meter.frames / max(seconds, 1e-3):.1f} FPS)"
    kept = "" if video is None else f" -> {video}"
    return f"{name}: {shown}, {meter.dropped} dropped{kept}"


def _print_event(event: Event) -> None:
    console.say_data(json.dumps(event.to_json()))


def _stem(info: StreamInfo) -> str:
    return stem_of(info.name, images=info.independent)
