"""The analysis stage of a live session: networks, schedule, and the switch between them."""

import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

import numpy as np

from ...models.errors import SepcamError
from ...models.types import F32, U8, Detections, Detector, Part
from ..analysis.analyzer import Analyzer
from ..analysis.smoothing import LandmarkFilter
from ..execution.network_pool import NetworkChoice, NetworkPool, Networks
from ..tracking.bytetrack import Tracker
from ..tracking.settings import settings_for
from ..types import DetectEvery, Frame, FrameResult
from .adaptive_quality import AdaptiveQuality, Quality, quality_levels
from .meter import LiveMeter
from .settings import LiveSettings, Switches

_LONGEST_STEP_S = 0.5
"""What a longer gap between two frames counts for in tracking, so that tracks survive it."""


_PARTS: Final[tuple[Part, ...]] = get_args(Part)


_COLD_FRAMES = 2  # the first ones with other networks say nothing of their speed


_STALE_S = 0.5  # most that detections, or looks at somebody, may lie apart however slow the machine is


_SUSPICION = 0.2  # least score of what is hidden as a person; below, half the picture would be


@dataclass(frozen=True, slots=True)
class Analyzed:
    """A frame on its way.

    Attributes:
        arrived: when it came, by ``time.monotonic``.
        result: what was found in it; times count from the session's first analysed frame.
        settings: those that it was analysed with.
        suspects: (N, 4) float32 boxes of what may be people but is not reported.
    """

    arrived: float
    result: FrameResult
    settings: LiveSettings
    suspects: F32


def choice_for(settings: LiveSettings, quality: Quality) -> NetworkChoice:
    """The networks that settings take."""
    parts: frozenset[Part] = frozenset(part for part in _PARTS if part in settings.tasks)
    return NetworkChoice(settings.detector, settings.backbone, parts, quality.size)


class LiveAnalysis:
    """Analyses frames with what the switches ask for, as soon as it is ready. One thread uses it.

    Attributes:
        active: the networks at work.
        quality: what the governor left out.
        networks: the same, loaded.
    """

    active: NetworkChoice
    quality: Quality
    networks: Networks

    def __init__(
        self,
        pool: NetworkPool,
        switches: Switches,
        meter: LiveMeter,
        *,
        fps: float | None = None,
        classes: Collection[str] | None = None,
        max_people: int = 16,
        detect_every: DetectEvery = "auto",
    ) -> None:
        """Load the networks.

        Args:
            pool: where networks come from.
            switches: what is asked for.
            meter: told how long it takes.
            fps: of the source.
            classes: names of the classes to report, by default all that the detector knows.
            max_people: landmarks and masks for at most so many people of a frame.
            detect_every: frames from one detection to the next, see ``DetectionSchedule``.

        Raises:
            SepcamError: If networks cannot be had, or a class is unknown.
        """
        self._pool, self._switches, self._meter = pool, switches, meter
        self._limits: dict[str, Any] = {
            "classes": classes,
            "max_people": max_people,
        }
        self._detect_every: DetectEvery = detect_every
        self._tracker = Tracker(fps=fps)
        self._filter = LandmarkFilter()
        self._clock_s = 0.0
        self._origin_s: float | None = None
        self._last_s = 0.0
        self._step_s = 1 / fps if fps else 0.0
        self._loading = False
        self.quality = Quality()
        settings = switches.settings
        self.active = choice_for(settings, self.quality)
        self._adaptive = AdaptiveQuality(quality_levels(settings.detector, pose=bool(self.active.parts)))
        self._adopt(pool.wait(self.active), settings, self.active)

    def analyze(self, arrived: float, frame: Frame) -> Analyzed:
        """Everything in one frame."""
        self._follow_switches()
        self._notice_preparations()
        if self._origin_s is None:
            self._origin_s = self._last_s = frame.time_s
        self._clock_s += min(max(frame.time_s - self._last_s, 0.0), _LONGEST_STEP_S)
        self._step_s += 0.2 * (max(frame.time_s - self._last_s, 0.0) - self._step_s)
        self._last_s = frame.time_s
        self._save_time()
        begun = time.perf_counter()
        instances, stage_ms = self._analyzer.analyze(replace(frame, time_s=self._clock_s))
        instances = self._filter.apply(instances, self._clock_s)
        took = time.perf_counter() - begun
        self._cold -= 1
        if self._cold < 0 and not self._loading:
            self._meter.analyzed(self.active.backbone, self._adaptive.level, took)
        for stage, milliseconds in stage_ms.items():
            self._meter.stage(stage, milliseconds / 1e3)
        timed = replace(frame, time_s=frame.time_s - self._origin_s)
        return Analyzed(
            arrived, FrameResult(timed, instances, stage_ms), self._settings, self._detector.people()
        )

    def govern(self, seconds: float, target_fps: float) -> None:
        """The slowest stage took so long for a frame: do more or less for the next ones."""
        self.quality = self._adaptive.frame(seconds, target_fps) if target_fps else Quality()

    def _notice_preparations(self) -> None:
        """Loading networks slows everything down: once that is over, the quality begins anew."""
        loading = bool(self._pool.preparing())
        if self._loading and not loading:
            self._adaptive.use(quality_levels(self.active.detector, pose=bool(self.active.parts)))
        self._loading = loading

    def _save_time(self) -> None:
        """Lets the analysis leave out what the governor says, unless the picture would get stale."""
        longest = max(1, int(_STALE_S / max(self._step_s, 1e-3)))
        if self._analyzer.detection_schedule is not None:
            every = min(self.quality.detect_every, longest)
            self._analyzer.detection_schedule.at_least = every
            self._analyzer.pose_schedule.apart = every > 1
        self._analyzer.pose_schedule.count = min(self.quality.pose_every, longest)

    @property
    def reduced(self) -> str | None:
        """What the governor leaves out, in words; None where everything is done."""
        return str(self.quality) if self._adaptive.level else None

    def _follow_switches(self) -> None:
        """Takes on what was asked for, if the networks for it are ready; they are prepared otherwise."""
        wanted, kept = self._switches.settings, self._settings
        choice = choice_for(wanted, self.quality)
        hiding = wanted.blur != "nothing"
        asked = (choice, wanted.tasks, wanted.conf, hiding)
        if asked == (self.active, kept.tasks, kept.conf, self._hiding):
            self._settings = wanted
            return
        # What needs no network is switched at once.
        at_work = {
            "detector": kept.detector,
            "backbone": kept.backbone,
            "tasks": kept.tasks,
            "conf": kept.conf,
        }
        self._settings = replace(wanted, **at_work)
        try:
            networks = self._pool.take(choice)
            if networks is not None:
                self._adopt(networks, wanted, choice)
        except SepcamError as error:
            if choice.size is not None:
                self._adaptive.use(
                    tuple(
                        q for q in quality_levels(choice.detector, pose=bool(choice.parts)) if q.size is None
                    )
                )
                return
            self._switches.say(str(error))
            self._switches.change(**at_work)

    def _adopt(self, networks: Networks, settings: LiveSettings, choice: NetworkChoice) -> None:
        detector = _Suspecting(networks.detector)
        hiding = settings.blur != "nothing"
        thresholds = settings_for(choice.detector).with_confidence(settings.conf)
        analyzer = Analyzer(
            detector,
            networks.pose,
            settings.tasks,
            tracker=self._tracker,
            conf=settings.conf,
            # Whoever comes in must be hidden from the first frame on.
            detect_every=1 if hiding else self._detect_every,
            **self._limits,
        )
        self._tracker.configure(thresholds)
        before = self.active
        if (choice.detector, choice.parts) != (before.detector, before.parts):
            self._meter.restart_models()
        if replace(choice, size=None) != replace(before, size=None):
            self._adaptive.use(quality_levels(choice.detector, pose=bool(choice.parts)))
        self._analyzer, self._detector, self._settings, self.active = analyzer, detector, settings, choice
        self.networks, self._hiding, self._cold = networks, hiding, _COLD_FRAMES


class _Suspecting:
    """A detector that remembers what it found last, also what is not sure enough to be reported."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.name, self.labels, self.parts = detector.name, detector.labels, detector.parts
        self._person = [i for i, name in enumerate(detector.labels) if name == "person"]
        self._last = Detections.empty()

    def detect(self, image: U8) -> Detections:
        self._last = self._detector.detect(image)
        return self._last

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else the detector gives
        return getattr(self._detector, name)

    def people(self) -> F32:
        """(N, 4) float32 boxes of people found last."""
        likely = np.isin(self._last.labels, self._person) & (self._last.scores >= _SUSPICION)
        return self._last.boxes[likely]
