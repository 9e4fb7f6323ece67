"""The whole way of a frame from its source to its results; reading, analysis, drawing and writing overlap."""

import time
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import closing
from typing import Any

from ..models.runtime.options import RuntimeOptions
from ..models.types import ConvKind, Detector, OnePassNetwork, PoseEstimator, keypoint_network
from ..models.weights.store import Progress, WeightStore, silent
from ..models.zoo import load_detector, load_pose
from .analysis.analyzer import Analyzer, check_every
from .drawing.overlay import Overlay
from .execution.meter import Meter
from .execution.stages import Stage, run_stages
from .sinks.fan_out import FanOut
from .sources.base import Source
from .tracking.bytetrack import Tracker
from .types import TASKS, DetectEvery, Frame, FrameResult, StreamInfo, Task

_REFRESH_S = 0.5
"""How often the figures of the meter change: nobody can read them faster."""


class Pipeline:
    """Loaded networks and what to do with them; runs any number of sources, one after the other.

        for result in Pipeline().run(open_source("video.mp4")):
            print(result.frame.time_s, result.instances.track_ids)

    Attributes:
        detector: finds people, and whatever else it knows.
        pose: gives landmarks and masks of people, or None where neither is asked for or the detector gives
            what is.
        tasks: what is done beside detecting.
        backbone: the kind of convolutions that the networks were loaded with.
    """

    detector: Detector
    pose: PoseEstimator | None
    tasks: frozenset[Task]
    backbone: ConvKind

    def __init__(
        self,
        detector: str | Detector = "auto",
        pose: str | PoseEstimator = "blazepose-full",
        *,
        tasks: Collection[Task] = TASKS,
        backbone: ConvKind = "separable",
        conf: float | None = None,
        classes: Collection[str] | None = None,
        max_people: int = 16,
        detect_every: DetectEvery = 1,
        input_size: tuple[int, int] | int | None = None,
        options: RuntimeOptions | None = None,
        store: WeightStore | None = None,
        progress: Progress = silent,
    ) -> None:
        """Load what is needed; weights that are not cached are downloaded.

        Args:
            detector: name in the registry, ``auto``, or a detector of your own.
            pose: name in the registry, or a pose network of your own; loaded only where a task needs it and
                the detector does not give it itself.
            tasks: any of ``track``, ``pose`` and ``segment``. What is not asked for is not computed.
            backbone: kind of convolutions of the networks loaded by name; the predictions are the same.
            conf: least score in [0, 1] of what is reported; by default what suits the detector.
            classes: names of the classes to report, by default all that the detector knows.
            max_people: landmarks and masks for at most so many people of a frame.
            detect_every: frames of a video from one detection to the next, or ``auto``: as many as lose
                nothing; people are carried by their landmarks in between.
            input_size: of a detector loaded by name: (height, width) or the longer side in pixels, see
                ``load_detector``; None is its own.
            options: what runs the networks; None is automatic.
            store: where weights are kept; None is the user's cache.
            progress: hears of downloads.

        Raises:
            SepcamError: If a name is unknown, a number out of range, or weights cannot be had.
        """
        self.tasks = frozenset(tasks)
        self.backbone = backbone
        self._limits: dict[str, Any] = {"conf": conf, "classes": classes, "max_people": max_people}
        shared: dict[str, Any] = {
            "backbone": backbone,
            "options": options,
            "store": store,
            "progress": progress,
        }
        if isinstance(detector, str):
            detector = load_detector(detector, input_size=input_size, **shared)
        self.detector = detector
        check_every(detect_every, self.tasks, detector)
        self._detect_every: DetectEvery = detect_every
        # Made for its checks alone, so that a wrong task or class is told now and not at the first frame.
        Analyzer(detector, None, self.tasks - set(TASKS), **self._limits)
        self.pose = None
        missing = self.tasks & {"pose", "segment"} - detector.parts
        if missing:
            if isinstance(pose, str):
                pose = load_pose(pose, max_people=max_people, masks="segment" in missing, **shared)
            self.pose = pose

    @property
    def keypoint_names(self) -> Sequence[str]:
        """Names of the keypoints that the results have, in order; none where they have none."""
        return () if self._landmarks is None else self._landmarks.keypoint_names

    @property
    def skeleton(self) -> Sequence[tuple[int, int]]:
        """Pairs of 0-based keypoint indices that a drawing joins."""
        return () if self._landmarks is None else self._landmarks.skeleton

    @property
    def _landmarks(self) -> OnePassNetwork | PoseEstimator | None:
        return keypoint_network(self.detector, self.pose) if "pose" in self.tasks else None

    def run(
        self,
        source: Source,
        *,
        overlay: Overlay | None = None,
        recorder: FanOut | None = None,
        analyzer: Analyzer | None = None,
    ) -> Generator[FrameResult, None, None]:
        """Analyses every frame of a source, in order; a live source's newest one each time.

        Reading, analysis, drawing and recording each have a thread. The source is closed at the end, which
        comes when it has no more frames, when something fails, or when the caller closes the generator (a
        ``break`` does).

        Args:
            source: is read once.
            overlay: draws what was found onto each frame's own picture; without one, they stay as they are.
            recorder: gets every result and its picture; finishing it is up to the caller.
            analyzer: finds everything, by default a new one for this source.

        Yields:
            Each frame and what was found in it, after it was drawn and recorded. ``meter`` is renewed twice a
            second.

        Raises:
            SepcamError: If the source, the analysis or a sink cannot go on; the first cause.
        """
        steps = _Steps(analyzer or self.analyzer(source.info), Meter(source.info.fps), overlay, recorder)
        stages = [Stage("analyze", steps.analyze)]
        if overlay is not None:
            stages.append(Stage("draw", steps.draw))
        if recorder is not None:
            stages.append(Stage("encode", steps.record))
        results = run_stages(
            _Stamped(source),
            stages,
            newest=source.info.live,
            on_time=steps.took,
            on_drop=steps.meter.dropped,
        )
        with closing(results):
            for arrived, result in results:
                steps.meter.finished(time.monotonic() - arrived)
                yield result

    def analyzer(
        self, info: StreamInfo, *, detector: Detector | None = None, tracker: Tracker | None = None
    ) -> Analyzer:
        """What analyses the frames of one source, for those who have their own loop; keeps its identities.

        Args:
            info: of the source.
            detector: in place of the pipeline's own.
            tracker: in place of a new one.
        """
        return Analyzer(
            detector or self.detector,
            self.pose,
            self.tasks,
            tracker=tracker,
            independent=info.independent,
            fps=info.fps,
            detect_every=self._detect_every,
            **self._limits,
        )


class _Stamped:
    """A source whose frames come with the time of their arrival."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __iter__(self) -> Iterator[tuple[float, Frame]]:
        for frame in self._source:
            yield time.monotonic(), frame

    def close(self) -> None:
        self._source.close()


class _Steps:
    """What is done with each frame of one run; every method has its own thread."""

    def __init__(
        self, analyzer: Analyzer, meter: Meter, overlay: Overlay | None, recorder: FanOut | None
    ) -> None:
        self.meter = meter
        self._analyzer = analyzer
        self._overlay = overlay
        self._recorder = recorder
        self._snapshot = meter.snapshot()
        self._refresh_at = 0.0

    def analyze(self, item: tuple[float, Frame]) -> tuple[float, FrameResult]:
        arrived, frame = item
        instances, stage_ms = self._analyzer.analyze(frame)
        for name, milliseconds in stage_ms.items():
            self._note(name, milliseconds / 1e3)
        if arrived >= self._refresh_at:
            self._snapshot = self.meter.snapshot()
            self._refresh_at = arrived + _REFRESH_S
        return arrived, FrameResult(frame, instances, stage_ms, self._snapshot)

    def draw(self, item: tuple[float, FrameResult]) -> tuple[float, FrameResult]:
        assert self._overlay is not None
        self._overlay.draw(item[1].frame.image, item[1])
        return item

    def record(self, item: tuple[float, FrameResult]) -> tuple[float, FrameResult]:
        assert self._recorder is not None
        self._recorder.write(item[1], item[1].frame.image)
        return item

    def took(self, stage: str, seconds: float) -> None:
        if stage == "read":
            self.meter.arrived()
        if stage != "analyze":  # its parts are told by themselves
            self._note(stage, seconds)

    def _note(self, stage: str, seconds: float) -> None:
        self.meter.stage(stage, seconds)
        if self._recorder is not None:
            self._recorder.took(stage, seconds)
