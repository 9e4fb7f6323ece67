"""A live session: the newest image of a source, analyzed and drawn, with everything switchable on the way.

The engine of ``sepcam live`` and ``sepcam serve``; it knows neither windows nor web pages:

    source = open_live("0")
    with LiveSession(source, NetworkPool.of(), LiveSettings("yolox-nano")) as session:
        session.start()
        number = 0
        while not session.ended:
            shot = session.wait(number, timeout_s=0.05)      # the newest image after that number, or None
            if shot is not None:
                number = shot.number
                display(shot.image)                        # (H, W, 3) uint8 BGR, to be read only
                session.shown(shot)                          # ends its latency; counted once
            session.change(backbone="standard")              # from any thread; takes effect on the next frame
        if session.error is not None:
            raise session.error

Any number of viewers may ``wait``: each gets the newest image, and a slow one holds up nobody.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, Final

from ..analysis.options import AnalysisOptions
from ..analytics.watch import Watch
from ..analytics.zones import Zone
from ..drawing.options import DrawOptions
from ..events import Event
from ..execution.background import BACKGROUND
from ..execution.network_pool import NetworkPool
from ..execution.stages import GRACE_S, Stage, run_stages
from ..execution.turns import Turn, Turns
from ..sources.realtime import PacedSource
from ..sources.reconnecting import ReconnectingSource
from ..types import Frame, FrameResult, Instances, StreamInfo
from .analysis import SHARED_STALE_S, STALE_S, Analyzed, LiveAnalysis, choice_for
from .duel import LiveDuel
from .frames import Arrivals, Shot
from .hud import LiveHud
from .meter import LiveMeter
from .recordings import Recordings
from .settings import LiveSettings, Switches
from .status import LiveStatus, in_words
from .view import LiveDrawing, person_at

STALL_S: Final = 2.0
"""Seconds without a frame after which viewers see a notice."""

_REFRESH_S = 0.25  # how often the figures in the image change: nobody can read them faster
_LEAST_SHARE = 0.02  # of the networks' time that a session takes to be its own
_AHEAD_AFTER = 15  # frames after which the other backbone is prepared


class LiveSession:
    """One source, analyzed and drawn in the background until it ends or is stopped.

    Every method may be called from any thread.

    Attributes:
        info: of the source.
        recordings: what is being kept; attach recorders here.
        duel: begins and ends duels. While one is shown, nothing is recorded and nobody comes or goes.
        error: why the session ended, or None where it went well.
    """

    info: StreamInfo
    recordings: Recordings
    duel: LiveDuel
    error: BaseException | None

    def __init__(
        self,
        source: PacedSource | ReconnectingSource,
        pool: NetworkPool,
        settings: LiveSettings,
        *,
        zones: Sequence[Zone] = (),
        target_fps: float | None = None,
        options: AnalysisOptions | None = None,
        drawing: DrawOptions | None = None,
        prepare_ahead: bool = True,
        turn: Turn | None = None,
        on_event: Callable[[Event], None] = lambda event: None,
    ) -> None:
        """Load the networks; the first image comes after ``start``.

        Args:
            source: see ``open_live``; closed with the session.
            pool: where networks come from; closed with the session, unless it shares them.
            settings: to begin with.
            zones: lines and zones to watch.
            target_fps: the rate to keep by doing less, None for the camera's, 0 to keep full quality.
            options: of the analysis, for everything that the settings do not state; see ``LiveAnalysis``.
            drawing: what is drawn, and how; how much the HUD shows is in the settings.
            prepare_ahead: load the other backbone in the background, so that the first switch is immediate.
            turn: for a session that shares the pool with others: the turns that it takes at the networks.
            on_event: called with each event, from one of the session's threads.

        Raises:
            SepcamError: If networks are unavailable, or a line or zone lies outside the frame. The source
                is closed.
        """
        self.info = source.info
        self.error = None
        self._source, self._pool = source, pool
        self._alone = turn is None
        self._turn = turn or Turns().join()
        self._switches, self._on_event = Switches(settings), on_event
        self._meter = LiveMeter()
        self.recordings = Recordings(self.info, self._switches.say)
        self._target_fps, self._prepare_ahead = target_fps, prepare_ahead
        self._changed = threading.Condition()
        self._shot: Shot | None = None
        self._count = self._shown = 0
        self._ended = self._stopping = self._paused = False
        self._pass = 0  # through a looping file
        self._last_arrival = time.monotonic()
        self._lock = threading.Lock()
        self._slowest: dict[str, float] = {}  # seconds of each stage for its last frame, under the lock
        self._status: LiveStatus | None = None
        self._refresh_at = 0.0
        self._thread = BACKGROUND.thread("live", self._run)
        try:
            self._watch = Watch(zones, (self.info.width, self.info.height))
            stale_s = STALE_S if self._alone else SHARED_STALE_S
            self._analysis = LiveAnalysis(
                pool, self._switches, self._meter, options, fps=self.info.fps, stale_s=stale_s
            )
        except BaseException:
            self.stop()
            raise
        drawing = drawing or DrawOptions()
        self._drawing, self._hud = LiveDrawing(drawing), LiveHud(drawing.scale)
        locked = options or AnalysisOptions()
        self.duel = LiveDuel(pool, self._switches, locked, source=self.info.name, fps=self.info.fps)

    def __enter__(self) -> "LiveSession":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin; returns at once."""
        self._last_arrival = time.monotonic()
        self._thread.start()

    def halt(self) -> None:
        """End the images and close the source; what is being kept can still be completed one by one."""
        self._stopping = True
        self._source.close()
        self._turn.leave()
        if self._thread.ident is not None:
            self._thread.join(2 * GRACE_S)

    def stop(self) -> None:
        """End the session, complete what is being kept, close source and own pool; any number of times."""
        self.halt()
        self.recordings.close()
        if self._alone:
            self._pool.close()

    # --- for viewers

    @property
    def ended(self) -> bool:
        """Whether no more images come: the file is over, the source was lost, or something failed."""
        return self._ended

    def wait(self, after: int = 0, timeout_s: float | None = None) -> Shot | None:
        """The newest image with a number above ``after``, or None when none came in time or none will."""

        def newer() -> bool:
            return self._shot is not None and self._shot.number > after

        with self._changed:
            self._changed.wait_for(lambda: self._ended or newer(), timeout_s)
            return self._shot if newer() else None

    def shown(self, shot: Shot) -> None:
        """A image is on display now; several viewers may say so, the first one counts."""
        with self._changed:
            if shot.number <= self._shown:
                return
            self._shown = shot.number
        self._meter.shown(time.monotonic() - shot.arrived)

    def status(self) -> LiveStatus:
        """What the session is doing now."""
        settings = self._switches.settings
        analysis = self._analysis
        asked = choice_for(settings, analysis.quality)
        # A smaller input of the detector that is at work saves time and is not shown.
        preparing = [
            choice
            for choice in self._pool.preparing()
            if choice == asked and replace(choice, size=analysis.active.size) != analysis.active
        ]
        return LiveStatus(
            settings=settings,
            active=analysis.active,
            preparing=tuple(in_words(choice, analysis.active) for choice in preparing),
            notice=self.notice(),
            message=self._switches.message,
            recording=self.recordings.video,
            paused=self._paused,
            quality=analysis.reduced,
            counts=self._watch.counts,
            figures=self._meter.figures(),
            duel=self.duel.status(),
        )

    def notice(self) -> str | None:
        """What to show across the last image while no new ones come; None while they do."""
        if self._paused:
            return "paused"
        if isinstance(self._source, ReconnectingSource) and self._source.attempt:
            return f"reconnecting ({self._source.attempt})"
        silent_s = time.monotonic() - self._last_arrival
        if silent_s > STALL_S and not self._ended:
            return f"no frame for {silent_s:.0f} s"
        return None

    @property
    def watch(self) -> Watch:
        """Who crosses lines and is in zones; these may be changed."""
        return self._watch

    # --- switches

    @property
    def settings(self) -> LiveSettings:
        """The last requested ones."""
        return self._switches.settings

    def change(self, **changes: Any) -> LiveSettings:  # noqa: ANN401 - the fields of LiveSettings
        """Asks for other settings; they take effect on the next frame, or as soon as networks are ready.

        Args:
            changes: any fields of ``LiveSettings``.
        """
        return self._switches.change(**changes)

    def follow_at(self, x: float, y: float) -> int | None:
        """Follows the person at a point of the image (pixels), or nobody; returns the identity."""
        shot = self._shot
        if shot is not None and shot.duel:
            return None
        track_id = None if shot is None else person_at(shot.result, x, y)
        self.change(follow=track_id)
        return track_id

    @property
    def paused(self) -> bool:
        """Whether the image stands still."""
        return self._paused

    def pause(self, paused: bool = True) -> None:
        """Pauses or resumes: a camera at its newest frame, a file where it was."""
        self._paused = paused
        if isinstance(self._source, PacedSource):
            (self._source.hold if paused else self._source.go_on)()
        self._last_arrival = time.monotonic()

    def say(self, message: str) -> None:
        """Shows a line in the image for a few seconds."""
        self._switches.say(message)

    # --- the threads

    def _run(self) -> None:
        results = run_stages(
            Arrivals(self._source, self._arrived),
            [Stage("analyze", self._in_turn), Stage("draw", self._draw), Stage("record", self._record)],
            newest=True,
            before=self._turn.take,
            on_time=self._took,
            on_drop=self._meter.dropped,
        )
        try:
            with closing(results):
                for shot in results:
                    with self._changed:
                        self._shot = shot
                        self._changed.notify_all()
                    if self._stopping:
                        break
        except BaseException as error:
            if not self._stopping:
                self.error = error
        finally:
            self._turn.leave()
            try:
                self.recordings.end_events = self._watch.end()
                for event in self.recordings.end_events:
                    self._on_event(event)
            except BaseException as error:  # stdout that nobody reads any more
                self.error = self.error or error
            finally:
                with self._changed:
                    self._ended = True
                    self._changed.notify_all()

    def _arrived(self) -> bool:
        """A frame came; whether it is wanted."""
        self._last_arrival = time.monotonic()
        self._meter.arrived()
        return not self._paused

    def _in_turn(self, item: tuple[float, Frame]) -> Analyzed | Shot:
        try:
            return self._analyze(item)
        finally:
            self._turn.give()

    def _analyze(self, item: tuple[float, Frame]) -> Analyzed | Shot:
        arrived, frame = item
        image = self.duel.frame(frame)
        if image is not None:
            nobody = FrameResult(frame, Instances.empty((self.info.height, self.info.width)))
            self._count += 1
            return Shot(self._count, image, nobody, arrived, self.status(), duel=True)
        self._begin_pass(frame)
        analyzed = self._analysis.analyze(*item)
        result = self._watch.update(analyzed.result)
        for event in result.events:
            self._on_event(event)
        return replace(analyzed, result=result)

    def _begin_pass(self, frame: Frame) -> None:
        """Number people from 1 again where a looping file starts over, so that identities don't grow."""
        if frame.sequence == self._pass:
            return
        self._pass = frame.sequence
        if not self.recordings.begin_again(frame.sequence):
            return
        self._watch.cut()
        if self._switches.settings.follow is not None:
            self.change(follow=None)
        self._analysis.begin_again()

    def _draw(self, analyzed: Analyzed | Shot) -> Shot:
        if isinstance(analyzed, Shot):
            return analyzed
        self._drawing.draw(analyzed)
        now = time.monotonic()
        if (
            self._status is None
            or now >= self._refresh_at
            or self._status.settings != self._switches.settings
        ):
            self._status, self._refresh_at = self.status(), now + _REFRESH_S
        result = replace(analyzed.result, meter=self._status.figures.meter)
        self._hud.draw(result.frame.image, result, self._status)
        self._count += 1
        if self._count == _AHEAD_AFTER and self._prepare_ahead:
            self._analysis.prepare_other_backbone()
        return Shot(self._count, result.frame.image, result, analyzed.arrived, self._status)

    def _record(self, shot: Shot) -> Shot:
        if not shot.duel:
            self.recordings.write(shot.result)
        return shot

    def _took(self, stage: str, seconds: float) -> None:
        self.recordings.took(stage, seconds)
        if stage == "read" or self.duel.on:
            return
        if stage == "analyze":
            # As long as a frame takes while others have their turns too.
            seconds /= max(self._turn.share(), _LEAST_SHARE)
        with self._lock:
            self._slowest[stage] = seconds
            slowest = max(self._slowest.values())
        if stage == "analyze":
            self._analysis.adapt(slowest, self._rate_to_keep())
        else:
            self._meter.stage(stage, seconds)

    def _rate_to_keep(self) -> float:
        if self._target_fps is not None:
            return self._target_fps
        rates = (self.info.fps, self._meter.arriving_fps())
        return min((rate for rate in rates if rate), default=0.0)
