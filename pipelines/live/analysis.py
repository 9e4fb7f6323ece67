"""The analysis stage of a live session: networks, schedule, and the switch between them."""

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

from ...models.errors import SepcamError
from ...models.types import ConvKind, Part
from ..analysis.analyzer import Analyzer
from ..analysis.options import AnalysisOptions
from ..analysis.smoothing import LandmarkFilter
from ..execution.network_pool import NetworkChoice, NetworkPool
from ..execution.network_set import NetworkSet
from ..tracking.base import Tracker, create_tracker
from ..tracking.settings import settings_for
from ..types import Frame, FrameResult
from .adaptive_quality import AdaptiveQuality, Quality, quality_levels
from .meter import LiveMeter
from .settings import LiveSettings, Switches

_PARTS: Final[tuple[Part, ...]] = get_args(Part)
_COLD_FRAMES = 2  # the first ones after a switch of networks say nothing about their speed
STALE_S: Final = 0.5
"""Longest time between two detections, or two poses of a person, however slow the machine is."""

SHARED_STALE_S: Final = 1.0
"""The same where several sources share the networks, and each has less time."""


@dataclass(frozen=True, slots=True)
class Analyzed:
    """A frame after its analysis.

    Attributes:
        arrived: when the frame came, by ``time.monotonic``.
        result: what was found in it; times count from the session's first analyzed frame.
        settings: those it was analyzed with.
    """

    arrived: float
    result: FrameResult
    settings: LiveSettings


def choice_for(settings: LiveSettings, quality: Quality) -> NetworkChoice:
    """The networks that settings need."""
    parts: frozenset[Part] = frozenset(part for part in _PARTS if part in settings.tasks)
    return NetworkChoice(settings.detector, settings.backbone, parts, quality.size)


class LiveAnalysis:
    """Analyzes frames with what the switches ask for, as soon as it is ready. One thread uses it.

    It owns the switch of networks: whatever depends on them is adapted or reset in ``switch``, and each
    result carries the ``ModelInfo`` of the networks that it was made with.

    Attributes:
        active: the networks at work.
        quality: what is left out to save time.
    """

    active: NetworkChoice
    quality: Quality

    def __init__(
        self,
        pool: NetworkPool,
        switches: Switches,
        meter: LiveMeter,
        options: AnalysisOptions | None = None,
        *,
        fps: float | None = None,
        stale_s: float = STALE_S,
    ) -> None:
        """Load the networks.

        Args:
            pool: where networks come from.
            switches: what is asked for; it takes precedence over the options.
            meter: records how long it takes.
            options: everything that cannot be switched; None is the default.
            fps: of the source.
            stale_s: longest time between two detections, or two poses of a person, to save time.

        Raises:
            SepcamError: If networks are unavailable, or a class is unknown.
        """
        self._pool, self._switches, self._meter = pool, switches, meter
        self._options = options or AnalysisOptions()
        self._fps, self._stale_s = fps, stale_s
        self._origin_s: float | None = None
        self._last_s = 0.0
        self._step_s = 1 / fps if fps else 0.0
        self._loading = False
        self.quality = Quality()
        settings = switches.settings
        self.active = choice_for(settings, self.quality)
        networks = pool.wait(self.active)
        self._adaptive = AdaptiveQuality(quality_levels(settings.detector, pose=bool(self.active.parts)))
        self._tracker = self._new_tracker(networks, settings)
        self.switch(networks, settings, self.active)

    def analyze(self, arrived: float, frame: Frame) -> Analyzed:
        """Everything in one frame."""
        self._follow_switches()
        self._check_preparations()
        if self._origin_s is None:
            self._origin_s = self._last_s = frame.time_s
        self._step_s += 0.2 * (max(frame.time_s - self._last_s, 0.0) - self._step_s)
        self._last_s = frame.time_s
        self._save_time()
        frame = replace(frame, time_s=frame.time_s - self._origin_s)
        begun = time.perf_counter()
        instances, stage_ms = self._analyzer.analyze(frame)
        if self._options.smooth != "off":
            instances = self._filter.apply(instances, frame.time_s)
        took = time.perf_counter() - begun
        self._cold -= 1
        if self._cold < 0 and not self._loading:
            in_full = "detect" in stage_ms
            self._meter.analyzed(self.active.backbone, self._adaptive.level, took, in_full=in_full)
        for stage, milliseconds in stage_ms.items():
            self._meter.stage(stage, milliseconds / 1e3)
        analyzer = self._analyzer
        result = FrameResult(frame, instances, stage_ms, model=analyzer.model, likely=analyzer.likely)
        return Analyzed(arrived, result, self._settings)

    def adapt(self, seconds: float, target_fps: float) -> None:
        """Do more or less for the next frames; the slowest stage took ``seconds`` for the last one."""
        self.quality = self._adaptive.frame(seconds, target_fps) if target_fps else Quality()

    def switch(self, networks: NetworkSet, settings: LiveSettings, choice: NetworkChoice) -> None:
        """Analyze the next frame with other networks or settings.

        Tracks are kept by the name of their class. Everything else that belongs to the old networks (regions,
        schedules, smoothed keypoints, measured speeds) starts over.

        Args:
            networks: what runs from now on.
            settings: the requested ones.
            choice: what the networks are.

        Raises:
            SepcamError: If an option does not fit the networks; then the old ones stay.
        """
        hiding = settings.hiding.active
        options = settings.applied_to(self._options)
        if hiding:
            options = options.for_hiding()
        analyzer = Analyzer(networks, options, tracker=self._tracker, fps=self._fps)
        self._tracker.configure(
            settings_for(choice.detector).with_confidence(settings.conf), networks.detector.labels
        )
        self._filter = LandmarkFilter()
        before = self.active
        if (choice.detector, choice.parts) != (before.detector, before.parts):
            self._meter.restart_models()
        if replace(choice, size=None) != replace(before, size=None):
            self._adaptive.use(quality_levels(choice.detector, pose=bool(choice.parts)))
        self._analyzer, self._settings, self.active = analyzer, settings, choice
        self._networks = networks
        self._hiding, self._cold = hiding, _COLD_FRAMES

    def begin_again(self) -> None:
        """Number people from 1 again: nobody in the next frame is anybody from before."""
        self._tracker = self._new_tracker(self._networks, self._settings)
        cold = self._cold
        self.switch(self._networks, self._settings, self.active)
        self._cold = cold

    @property
    def reduced(self) -> str | None:
        """What is left out to save time, in words; None if nothing is."""
        return str(self.quality) if self._adaptive.level else None

    def prepare_other_backbone(self) -> None:
        """Load the other backbone in the background, so that the first switch is immediate."""
        other: ConvKind = "standard" if self.active.backbone == "separable" else "separable"
        # Later requests for it get the reason.
        with suppress(SepcamError):
            self._pool.take(replace(self.active, backbone=other, size=None))

    def _new_tracker(self, networks: NetworkSet, settings: LiveSettings) -> Tracker:
        thresholds = settings_for(networks.detector.name).with_confidence(settings.conf)
        return create_tracker(self._options.tracker, networks.detector.labels, thresholds, self._fps)

    def _check_preparations(self) -> None:
        """Loading networks slows everything down: once it is over, the quality starts from the top again."""
        loading = bool(self._pool.preparing())
        if self._loading and not loading:
            self._adaptive.use(quality_levels(self.active.detector, pose=bool(self.active.parts)))
        self._loading = loading

    def _save_time(self) -> None:
        """Let the analysis leave out what the quality says, unless the results would get stale."""
        longest = max(1, int(self._stale_s / max(self._step_s, 1e-3)))
        if self._analyzer.detection_schedule is not None:
            every = min(self.quality.detect_every, longest)
            self._analyzer.detection_schedule.at_least = every
            self._analyzer.pose_schedule.apart = every > 1
        self._analyzer.pose_schedule.count = min(self.quality.pose_every, longest)

    def _follow_switches(self) -> None:
        """Switch to the requested networks if they are ready; otherwise they are prepared."""
        wanted, kept = self._switches.settings, self._settings
        choice = choice_for(wanted, self.quality)
        asked = (choice, wanted.tasks, wanted.conf, wanted.hiding.active)
        if asked == (self.active, kept.tasks, kept.conf, self._hiding):
            self._settings = wanted
            return
        # What needs no network is switched at once.
        at_work: dict[str, Any] = {
            "detector": kept.detector,
            "backbone": kept.backbone,
            "tasks": kept.tasks,
            "conf": kept.conf,
        }
        self._settings = replace(wanted, **at_work)
        try:
            networks = self._pool.take(choice)
            if networks is not None:
                self.switch(networks, wanted, choice)
        except SepcamError as error:
            if choice.size is not None:
                levels = quality_levels(choice.detector, pose=bool(choice.parts))
                self._adaptive.use(tuple(level for level in levels if level.size is None))
                return
            self._switches.say(str(error))
            self._switches.change(**at_work)
