"""The whole way of a frame from its source to its results; reading, analysis, drawing and writing overlap."""

from collections.abc import Collection, Generator
from typing import Any

from ..models.runtime import RuntimeOptions
from ..models.types import ConvKind, Detector, PoseEstimator
from ..models.weights import Progress, WeightStore, silent
from ..models.zoo import load_detector, load_pose
from .frames import TASKS, Frame, FrameResult, StreamInfo, Task
from .meter import Meter
from .overlay import Overlay
from .people import Analyser
from .recorder import Recorder
from .sources import Source
from .stream import Stage, run_stages


class Pipeline:
    """Loaded networks and what to do with them; runs any number of sources, one after the other.

        for result in Pipeline().run(open_source("video.mp4")):
            print(result.frame.time_s, result.instances.track_ids)

    Attributes:
        detector: finds people, and whatever else it knows.
        pose: gives landmarks and masks of people, or None where neither is asked for.
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
        options: RuntimeOptions | None = None,
        store: WeightStore | None = None,
        progress: Progress = silent,
    ) -> None:
        """Load what is needed; weights that are not cached are downloaded.

        Args:
            detector: name in the registry, ``auto``, or a detector of your own.
            pose: name in the registry, or a pose network of your own; loaded only where a task needs it.
            tasks: any of ``track``, ``pose`` and ``segment``. What is not asked for is not computed.
            backbone: kind of convolutions of the networks loaded by name; the predictions are the same.
            conf: least score in [0, 1] of what is reported; by default what suits the detector.
            classes: names of the classes to report, by default all that the detector knows.
            max_people: landmarks and masks for at most so many people of a frame.
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
            detector = load_detector(detector, **shared)
        self.detector = detector
        self.pose = None
        if self.tasks & {"pose", "segment"}:
            if isinstance(pose, str):
                pose = load_pose(pose, max_people=max_people, **shared)
                pose.prepare(masks="segment" in self.tasks)
            self.pose = pose
        # Made for its checks alone, so that a wrong class is told here and not at the first frame.
        self.analyser(StreamInfo("", 1, 1, fps=None))

    def run(
        self, source: Source, *, overlay: Overlay | None = None, recorder: Recorder | None = None
    ) -> Generator[FrameResult, None, None]:
        """Analyses every frame of a source, in order; a live source's newest one each time.

        Reading, analysis, drawing and recording each have a thread. The source is closed at the end, which
        comes when it has no more frames, when something fails, or when the caller closes the generator (a
        ``break`` does).

        Args:
            source: is read once.
            overlay: draws what was found onto each frame's own picture; without one, they stay as they are.
            recorder: gets every result and its picture; finishing it is up to the caller.

        Yields:
            Each frame and what was found in it, after it was drawn and recorded.

        Raises:
            SepcamError: If the source, the analysis or a sink cannot go on; the first cause.
        """
        meter = Meter()
        analyser = self.analyser(source.info)

        def analyse(frame: Frame) -> FrameResult:
            instances, stage_ms = analyser.analyse(frame)
            return FrameResult(frame, instances, stage_ms, meter.snapshot())

        def draw(result: FrameResult) -> FrameResult:
            if overlay is not None:
                overlay.draw(result.frame.image, result)
            return result

        def record(result: FrameResult) -> FrameResult:
            if recorder is not None:
                recorder.write(result, result.frame.image)
            return result

        stages = [Stage("analyse", analyse)]
        if overlay is not None:
            stages.append(Stage("draw", draw))
        if recorder is not None:
            stages.append(Stage("record", record))
        yield from run_stages(source, stages, newest=source.info.live)

    def analyser(self, info: StreamInfo) -> Analyser:
        """What analyses the frames of one source, for those who have their own loop; keeps its identities."""
        return Analyser(
            self.detector,
            self.pose,
            self.tasks,
            independent=info.independent,
            fps=info.fps,
            **self._limits,
        )
