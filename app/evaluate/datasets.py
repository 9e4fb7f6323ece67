"""What an evaluation measures against, and tracks of people in a video as ground truth."""

import configparser
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from ...models.errors import SepcamError
from ...models.ops.boxes import iou
from ...models.types import Detector, Part, PoseEstimator
from ...pipelines.analysis.analyzer import Analyzer
from ...pipelines.analysis.options import AnalysisOptions
from ...pipelines.evaluation.error_counts import ErrorCounts
from ...pipelines.evaluation.error_gallery import WorstImages, judge
from ...pipelines.evaluation.ground_truth import mot_people
from ...pipelines.evaluation.matches import Matches, match
from ...pipelines.evaluation.metrics import evaluate_mot
from ...pipelines.execution.network_set import NetworkSet
from ...pipelines.files.text import read_text
from ...pipelines.sinks.base import Sink
from ...pipelines.sinks.formats.mot import MotSink
from ...pipelines.sources.base import Source
from ...pipelines.sources.open import open_source
from ...pipelines.tracking.settings import settings_for
from ...pipelines.types import (
    DetectEvery,
    Frame,
    FrameResult,
    Instances,
    RunSummary,
    StreamInfo,
    TrackerName,
)
from ..terminal import console


@dataclass(frozen=True, slots=True)
class Measured:
    """What one setup came to.

    Attributes:
        figures: by kind of result, then by name.
        fps: images a second, of the analysis alone.
        conf: the lowest score that is reported.
        matches: by kind of result, then by image.
        errors: misses and false boxes at ``conf``.
        worst: the images with the most mistakes at ``conf``.
    """

    figures: Mapping[str, Mapping[str, float]]
    fps: float
    conf: float
    matches: Mapping[str, Mapping[str, Matches]]
    errors: ErrorCounts
    worst: WorstImages


LoadDetector = Callable[[float | None, frozenset[Part]], Detector]
"""Returns a detector with a score floor, None for its own, that finds these parts if it can."""
LoadPose = Callable[[], PoseEstimator]


class Images(Protocol):
    """Frames to be iterated."""

    info: StreamInfo

    def __iter__(self) -> Iterator[Frame]:
        """The frames in order."""
        ...


class Data(Protocol):
    """Images with ground truth."""

    @property
    def kind(self) -> str:
        """``coco`` or ``mot``."""
        ...

    @property
    def headline(self) -> Mapping[str, tuple[str, str]]:
        """The figures that stand for all: kind and name of each by its title."""
        ...

    @property
    def suffix(self) -> str:
        """How the names of files with results end."""
        ...

    def describe(self) -> dict[str, Any]:
        """What it is, for the record."""
        ...

    def measure(
        self,
        detector: LoadDetector,
        pose: LoadPose,
        results: Path,
        *,
        detect_every: DetectEvery,
        overwrite: bool,
    ) -> Measured:
        """Runs over all of it, and writes the results to a file; ``detect_every`` counts in video alone."""
        ...


class MotData:
    """A video with the true tracks of its people.

    Args:
        video: a video, or a folder of MOTChallenge: images in ``img1``, ``gt/gt.txt`` and ``seqinfo.ini``.
        gt: MOTChallenge ground truth; None takes the folder's.
        frames: use only this many frames, None for all.
        tracker: how identities are kept.
        conf: lowest score that starts a track, None for the detector's own.
        reid: whether identities go by colors too.

    Raises:
        SepcamError: If a file cannot be read, or there is no ground truth.
    """

    kind = "mot"
    suffix = ".mot.txt"
    headline: Mapping[str, tuple[str, str]] = MappingProxyType(
        {"HOTA": ("tracks", "hota"), "MOTA": ("tracks", "mota"), "IDF1": ("tracks", "idf1")}
    )

    def __init__(
        self,
        video: Path,
        gt: Path | None,
        frames: int | None,
        tracker: TrackerName = "bytetrack",
        *,
        conf: float | None = None,
        reid: bool = True,
    ) -> None:
        self._tracker: TrackerName = tracker
        self._reid = reid
        self._conf = conf
        self._sequence = (video / "img1").is_dir()
        if gt is None and not self._sequence:
            raise SepcamError(f"{video} has no ground truth of its own: name it with --gt")
        self._video, self._gt, self._frames = video, gt or video / "gt" / "gt.txt", frames
        self._truth = mot_people(self._gt)
        with self._open() as source:
            self._fps = _sequence_fps(video) if self._sequence else source.info.fps
            self._apart = max(1, (frames or source.info.frame_count or 1) // 24)

    def describe(self) -> dict[str, Any]:
        """See `Data`."""
        return {
            "video": self._video.name,
            "truth": self._gt.name,
            "frames": self._frames,
            "fps": self._fps,
            "tracker": self._tracker,
            "reid": self._reid,
        }

    def measure(
        self,
        detector: LoadDetector,
        pose: LoadPose,
        results: Path,
        *,
        detect_every: DetectEvery,
        overwrite: bool,
    ) -> Measured:
        """See `Data`; identities need no pose network."""
        options = AnalysisOptions(
            tasks=("track",),
            classes=("person",),
            conf=self._conf,
            detect_every=detect_every,
            tracker=self._tracker,
            reid=self._reid,
        )
        network = detector(None, frozenset())
        analyzer = Analyzer(NetworkSet(network), options, fps=self._fps)
        worst, errors = WorstImages(apart=self._apart), ErrorCounts()
        matches: dict[str, Matches] = {}
        nobody = np.zeros((0, 4), np.float32)

        def note(frame: Frame, found: Instances) -> None:
            truth = self._truth.get(frame.index + 1, nobody)
            order = np.argsort(-found.scores, kind="stable")
            boxes = found.boxes[order]
            judged = judge(boxes, truth)
            worst.add(frame, boxes, truth, judged)
            errors.add(boxes, truth, judged)
            overlap = iou(boxes, truth) if len(boxes) and len(truth) else np.zeros((len(boxes), len(truth)))
            crowd = np.zeros(len(truth), np.bool_)
            matches[f"{frame.index + 1}"] = match(overlap, found.scores[order], crowd)

        sink = MotSink(results, overwrite=overwrite)
        seconds = run_over(self._frames_of(), analyzer, sink, note)
        figures = evaluate_mot(results, self._gt, frames=len(seconds))
        fps = 1 / float(np.mean(seconds[1:] or seconds))
        conf = settings_for(network.name).with_confidence(self._conf).new
        return Measured({"tracks": asdict(figures)}, fps, conf, {"box": matches}, errors, worst)

    def _frames_of(self) -> "_Timed":
        return _Timed(self._open(), self._fps if self._sequence else None)

    def _open(self) -> Source:
        return open_source(self._video / "img1" if self._sequence else self._video, limit=self._frames)


class _Timed:
    """A source whose frames come at a rate that it does not know itself."""

    def __init__(self, source: Source, fps: float | None) -> None:
        self.info, self._source, self._fps = source.info, source, fps

    def __iter__(self) -> Iterator[Frame]:
        with self._source:
            for frame in self._source:
                yield frame if self._fps is None else replace(frame, time_s=frame.index / self._fps)


def _sequence_fps(folder: Path) -> float | None:
    """Frames per second as ``seqinfo.ini`` says, or None."""
    path = folder / "seqinfo.ini"
    config = configparser.ConfigParser()
    try:
        config.read_string(read_text(path) if path.is_file() else "")
        fps = config.getfloat("Sequence", "frameRate", fallback=None)
    except (configparser.Error, ValueError) as error:
        raise SepcamError(f"{path} cannot be read: {error}") from error
    if fps is not None and not 0 < fps < math.inf:
        raise SepcamError(f"{path}: frameRate must be a positive number; got {fps:g}")
    return fps


def run_over(
    source: Images, analyzer: Analyzer, sink: Sink, judge: Callable[[Frame, Instances], None]
) -> list[float]:
    """Analyses and records every image; seconds that the analysis of each took."""
    seconds: list[float] = []
    try:
        with console.progress(source.info.name, source.info.frame_count) as advance:
            for done, frame in enumerate(source, 1):
                found, stage_ms = analyzer.analyze(frame)
                seconds.append(sum(stage_ms.values()) / 1e3)
                sink.write(FrameResult(frame, found, stage_ms))
                judge(frame, found)
                advance(done)
        sink.close(RunSummary(len(seconds), 0, sum(seconds), len(seconds) / max(sum(seconds), 1e-9), {}))
    except BaseException:
        sink.abort()
        raise
    return seconds
