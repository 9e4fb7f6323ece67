"""The path of a frame from its source to its results; reading, analysis, drawing and writing overlap."""

import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace

from ..models.runtime.options import RuntimeOptions
from ..models.types import ALL_PARTS, U8, PreparableNetwork
from ..models.weights.store import Progress, WeightStore, silent
from ..models.zoo import choose_detector, for_photographs, load_detector, load_pose
from .analysis.analyzer import Analyzer
from .analysis.first_sight import FirstSight
from .analysis.found import Found
from .analysis.options import AnalysisOptions
from .analysis.two_sided import TwoSidedFilter
from .analytics.watch import Watch
from .drawing.overlay import Overlay
from .execution.locked_networks import shared
from .execution.meter import Meter
from .execution.network_set import NetworkSet
from .execution.stages import DelayingStage, Stage, run_stages
from .hiding.anonymize import Anonymizer
from .hiding.options import Hiding
from .precision import runtime_for
from .sinks.fan_out import FanOut
from .sources.base import Source
from .tracking.base import Tracker
from .types import Frame, FrameResult, ModelInfo, StreamInfo

_REFRESH_S = 0.5
"""How often the figures of the meter change: nobody can read them faster."""


class Pipeline:
    """Loaded networks and what to do with them; runs any number of sources, one after the other or at once.

        for result in Pipeline().run(open_source("video.mp4")):
            print(result.frame.time_s, result.instances.track_ids)

    Attributes:
        options: what is done.
        networks: what does it. ``pose`` is None if no task needs it, or the detector does it itself.
        model: these networks, as results need to know them; see ``networks_for`` for photographs.
        runtime: what runs the detector, where it was loaded here; ``auto`` may have become a precision.
    """

    options: AnalysisOptions
    networks: NetworkSet
    model: ModelInfo
    runtime: RuntimeOptions

    def __init__(
        self,
        options: AnalysisOptions | None = None,
        *,
        networks: NetworkSet | None = None,
        store: WeightStore | None = None,
        progress: Progress = silent,
        both_forms: bool = False,
    ) -> None:
        """Load what is needed; weights that are not cached are downloaded.

        Args:
            options: what to do, and which networks to load; None is the default.
            networks: loaded networks, in place of those that the options name.
            store: where weights are kept; None is the user's cache.
            progress: called with the state of downloads.
            both_forms: whether the same networks with the other kind of convolutions are to run in the same
                precision, see `runtime_for`.

        Raises:
            SepcamError: If a name is unknown, an option does not fit, or weights are unavailable.
        """
        self.options = options or AnalysisOptions()
        self.runtime = self.options.runtime
        self._store, self._progress, self._both_forms = store or WeightStore(), progress, both_forms
        detector = self.options.detector
        self._two = networks is None and (detector == "auto" or for_photographs(detector) != detector)
        self._photograph_networks: NetworkSet | None = None
        self.networks = self._load(photographs=False) if networks is None else shared(networks)
        self.options.check(self.networks)
        self.model = self.networks.info(self.options.tasks)

    def run(
        self,
        source: Source,
        *,
        overlay: Overlay | None = None,
        recorder: FanOut | None = None,
        analyzer: Analyzer | None = None,
        watch: Watch | None = None,
        hiding: Hiding | None = None,
        at_once: bool = False,
    ) -> Generator[FrameResult, None, None]:
        """Analyzes every frame of a source, in order; a camera's newest one each time.

        Reading, analysis, masks, drawing and recording each have a thread. The source is closed at the end,
        which comes when it has no more frames, when something fails, or when the caller closes the generator
        (a ``break`` does).

        Args:
            source: is read once.
            overlay: draws what was found onto each frame's own image, or onto a copy if a sink needs the
                clean one; without an overlay, images stay as they are.
            recorder: gets every result and its image; finishing it is up to the caller.
            analyzer: finds everything, by default a new one for this source.
            watch: adds events and counts to the results; ending it is up to the caller.
            hiding: what is made unrecognizable in each frame's own image before it is drawn and recorded.
            at_once: whether results of files come as soon as they are there, as those of cameras do; else
                they wait for later frames, by which identities and skeletons are improved.

        Yields:
            Each frame and what was found in it, after it was drawn and recorded. ``meter`` is renewed twice a
            second.

        Raises:
            SepcamError: If the source, the analysis or a sink cannot continue; the first cause.
        """
        steps = _Steps(analyzer or self.analyzer(source.info), Meter(source.info.fps), overlay, recorder)
        # Masks are all that no later frame depends on: they are computed beside the next one's analysis.
        stages = [Stage("analyze", steps.find), Stage("masks", steps.complete)]
        if not (at_once or source.info.live or source.info.independent):
            stages += self._delaying_stages()
        if hiding is not None and hiding.active:
            stages.append(Stage("hide", _Hiding(hiding).hide))
        if watch is not None:
            stages.append(Stage("watch", lambda item: (item[0], watch.update(item[1]), item[2])))
        if overlay is not None:
            stages.append(Stage("draw", steps.draw))
        if recorder is not None:
            stages.append(Stage("encode", steps.record))
        results = run_stages(
            _Stamped(source),
            stages,
            newest=source.info.live and not source.info.waits,
            on_time=steps.took,
            on_drop=steps.meter.dropped,
        )
        with closing(results):
            for arrived, result, _ in results:
                steps.meter.finished(time.monotonic() - arrived)
                yield result

    def _delaying_stages(self) -> list[Stage]:
        """What needs to know later frames; files alone have it."""
        stages: list[Stage] = []
        if "track" in self.options.tasks:
            confirming = _Delayed(FirstSight())
            stages.append(DelayingStage("confirm", confirming.push, confirming.flush))
        if self.options.smooths:
            smoothing = _Delayed(TwoSidedFilter(self.options.smooth))
            stages.append(DelayingStage("smooth", smoothing.push, smoothing.flush))
        return stages

    def analyzer(
        self,
        info: StreamInfo,
        *,
        networks: NetworkSet | None = None,
        tracker: Tracker | None = None,
        hiding: Hiding | None = None,
    ) -> Analyzer:
        """What analyzes the frames of one source, for callers with their own loop; keeps its identities.

        Args:
            info: of the source.
            networks: in place of those that ``networks_for`` returns.
            tracker: in place of a new one.
            hiding: what is hidden in the frames: whoever is has to be detected in each of them.
        """
        return Analyzer(
            networks or self.networks_for(info),
            self.options.for_hiding() if hiding is not None and hiding.active else self.options,
            tracker=tracker,
            independent=info.independent,
            fps=info.fps,
        )

    def networks_for(self, info: StreamInfo) -> NetworkSet:
        """The networks for a source: photographs get a detector that looks more closely.

        That holds for ``auto`` and for files of ``sepcam train``.

        Raises:
            SepcamError: If the networks for photographs, loaded when first needed, are unavailable.
        """
        if not (self._two and info.independent):
            return self.networks
        if self._photograph_networks is None:
            self._photograph_networks = self._load(photographs=True)
        return self._photograph_networks

    def prepare(self, info: StreamInfo) -> None:
        """Begin to compile networks for the frames of a source, while the caller does something else."""
        detector = self.networks_for(info).detector
        if isinstance(detector, PreparableNetwork):
            detector.prepare((info.height, info.width))

    def model_for(self, info: StreamInfo) -> ModelInfo:
        """The networks that analyze a source, as results need to know them; see ``networks_for``."""
        return self.networks_for(info).info(self.options.tasks)

    def _load(self, *, photographs: bool) -> NetworkSet:
        options = self.options
        name = options.detector
        if name == "auto":
            name = choose_detector(options.classes, photographs=photographs)
        elif photographs:
            name = for_photographs(name)
        options = replace(options, detector=name)
        runtime = runtime_for(options, self._store, self._progress, both_forms=self._both_forms)
        if not photographs:
            self.runtime = runtime
        return _loaded(options, runtime, self._store, self._progress)


def _loaded(
    options: AnalysisOptions, runtime: RuntimeOptions, store: WeightStore, progress: Progress
) -> NetworkSet:
    """The networks that the options name, the detector run by `runtime`."""
    backbone = options.backbone
    detector = load_detector(
        options.detector,
        input_size=options.input_size,
        parts=ALL_PARTS & set(options.tasks),
        backbone=backbone,
        options=runtime,
        store=store,
        progress=progress,
    )
    options.check_detector(detector)  # before the second network is loaded
    missing = set(options.tasks) & {"pose", "segment"} - detector.parts
    if not missing:
        return shared(NetworkSet(detector, None, backbone))
    pose = load_pose(
        options.pose,
        max_people=options.max_people,
        masks="segment" in missing,
        backbone=backbone,
        options=options.runtime,
        store=store,
        progress=progress,
    )
    return shared(NetworkSet(detector, pose, backbone))


class _Stamped:
    """A source whose frames come with the time of their arrival."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __iter__(self) -> Iterator[tuple[float, Frame]]:
        for frame in self._source:
            yield time.monotonic(), frame

    def close(self) -> None:
        self._source.close()


class _Delayed:
    """Completes the results of items, see `_Steps`, which leave it in order and somewhat later."""

    def __init__(self, step: FirstSight | TwoSidedFilter) -> None:
        self._step = step
        self._waiting: deque[tuple[float, FrameResult, U8]] = deque()

    def push(self, item: tuple[float, FrameResult, U8]) -> list[tuple[float, FrameResult, U8]]:
        self._waiting.append(item)
        return [self._with(result) for result in self._step.push(item[1])]

    def flush(self) -> Iterator[tuple[float, FrameResult, U8]]:
        return map(self._with, self._step.flush())

    def _with(self, result: FrameResult) -> tuple[float, FrameResult, U8]:
        arrived, _, image = self._waiting.popleft()
        return arrived, result, image


class _Hiding:
    """Hides people in the images of items, see `_Steps`."""

    def __init__(self, hiding: Hiding) -> None:
        self._hiding, self._anonymizer = hiding, Anonymizer()

    def hide(self, item: tuple[float, FrameResult, U8]) -> tuple[float, FrameResult, U8]:
        self._anonymizer.hide(item[1].frame.image, item[1], self._hiding)
        return item


class _Steps:
    """What is done with each frame of one run; every method has its own thread.

    Items are (arrival, result, image to show), arrivals by ``time.monotonic``.
    """

    def __init__(
        self, analyzer: Analyzer, meter: Meter, overlay: Overlay | None, recorder: FanOut | None
    ) -> None:
        self.meter = meter
        self._analyzer = analyzer
        self._overlay = overlay
        self._recorder = recorder
        self._on_copy = recorder is not None and recorder.needs_clean_image
        self._snapshot = meter.snapshot()
        self._refresh_at = 0.0

    def find(self, item: tuple[float, Frame]) -> tuple[float, Frame, Found]:
        arrived, frame = item
        return arrived, frame, self._analyzer.find(frame)

    def complete(self, item: tuple[float, Frame, Found]) -> tuple[float, FrameResult, U8]:
        arrived, frame, found = item
        instances, stage_ms = found.complete()
        for name, milliseconds in stage_ms.items():
            self._note(name, milliseconds / 1e3)
        if arrived >= self._refresh_at:
            self._snapshot = self.meter.snapshot()
            self._refresh_at = arrived + _REFRESH_S
        result = FrameResult(
            frame,
            instances,
            stage_ms,
            self._snapshot,
            self._analyzer.model,
            likely=found.likely,
            tentative=found.completed_tentative(),
        )
        return arrived, result, frame.image

    def draw(self, item: tuple[float, FrameResult, U8]) -> tuple[float, FrameResult, U8]:
        assert self._overlay is not None
        arrived, result, image = item
        if self._on_copy:
            image = image.copy()
        self._overlay.draw(image, result)
        return arrived, result, image

    def record(self, item: tuple[float, FrameResult, U8]) -> tuple[float, FrameResult, U8]:
        assert self._recorder is not None
        self._recorder.write(item[1], item[2])
        return item

    def took(self, stage: str, seconds: float) -> None:
        if stage == "read":
            self.meter.arrived()
        # The parts of the first two are measured one by one; confirming takes no time.
        if stage not in ("analyze", "masks", "confirm"):
            self._note(stage, seconds)

    def _note(self, stage: str, seconds: float) -> None:
        self.meter.stage(stage, seconds)
        if self._recorder is not None:
            self._recorder.took(stage, seconds)
