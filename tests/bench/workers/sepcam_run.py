"""Sepcam itself, through its public interface: whole clips, and a source that arrives at its own pace."""

import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import psutil
from protocol import serve
from sepcam.models.errors import SepcamError
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.models.types import U8, ConvKind
from sepcam.models.zoo import load_detector
from sepcam.pipelines.analysis.options import AnalysisOptions
from sepcam.pipelines.drawing.hud import Hud
from sepcam.pipelines.drawing.overlay import Overlay
from sepcam.pipelines.execution.memory import peak_memory, return_freed_memory
from sepcam.pipelines.execution.network_pool import NetworkPool
from sepcam.pipelines.execution.network_set import NetworkSet
from sepcam.pipelines.live.session import LiveSession
from sepcam.pipelines.live.settings import LiveSettings
from sepcam.pipelines.pipeline import Pipeline
from sepcam.pipelines.sinks.fan_out import FanOut
from sepcam.pipelines.sinks.formats.jsonl import JsonlSink
from sepcam.pipelines.sinks.formats.video import VideoSink
from sepcam.pipelines.sources.base import Source
from sepcam.pipelines.sources.open import open_source
from sepcam.pipelines.sources.open_live import open_live
from sepcam.pipelines.types import DetectEvery, Frame, FrameResult, Instances, MaskCrop, Task

Output = Literal["results", "drawn", "video"]


class PacedSource:
    """A clip that arrives like a camera's picture: one frame each 1 / fps seconds, wanted or not.

    Attributes:
        arrived: when each frame arrived, by its index, in seconds of ``time.perf_counter``.
    """

    def __init__(self, source: Source, fps: float) -> None:
        self._source, self._fps = source, fps
        self.info = replace(source.info, live=True, frame_count=None)
        self.warnings: list[str] = source.warnings
        self.arrived: dict[int, float] = {}

    def __iter__(self) -> Iterator[Frame]:
        begun = time.perf_counter()
        for frame in self._source:
            due = begun + frame.index / self._fps
            time.sleep(max(0.0, due - time.perf_counter()))
            self.arrived[frame.index] = time.perf_counter()
            yield frame

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> "PacedSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class LoopedSource:
    """A clip that begins again at its end, until so many frames were given."""

    def __init__(self, clip: str, frames: int) -> None:
        self._clip, self._frames = clip, frames
        with closing(open_source(clip)) as source:
            self.info = replace(source.info, frame_count=frames)
        self.warnings: list[str] = []

    def __iter__(self) -> Iterator[Frame]:
        rate, index = self.info.fps or 30.0, 0
        while True:
            with closing(open_source(self._clip)) as source:
                for frame in source:
                    if index == self._frames:
                        return
                    yield replace(frame, index=index, time_s=index / rate)
                    index += 1

    def close(self) -> None:
        """Nothing is open between two rounds."""

    def __enter__(self) -> "LoopedSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Bench:
    """The pipelines that were prepared, by key."""

    def __init__(self) -> None:
        self._pipelines: dict[str, Pipeline] = {}
        self._networks: dict[tuple[str, int | None, str], NetworkSet] = {}
        self._crowds: dict[str, FrameResult] = {}

    def prepare(
        self,
        key: str,
        clip: str,
        detector: str,
        backbone: ConvKind,
        tasks: list[Task],
        input_size: int | None,
        detect_every: DetectEvery,
        options: dict[str, Any],
        frames: int = 3,
    ) -> dict[str, Any]:
        """Makes a pipeline and runs its first frames; those with the same networks share them."""
        runtime = RuntimeOptions(**options)
        if runtime.precision == "int8":
            _quantize(detector, runtime)
        asked = AnalysisOptions(
            detector,
            backbone=backbone,
            input_size=input_size,
            detect_every=detect_every,
            runtime=runtime,
        )
        form = (backbone, input_size, runtime.precision)
        if form not in self._networks:
            self._networks[form] = Pipeline(asked).networks
        pipeline = Pipeline(replace(asked, tasks=tuple(tasks)), networks=self._networks[form])
        self._pipelines[key] = pipeline
        for _ in pipeline.run(open_source(clip, limit=frames)):
            pass
        return {"detector": pipeline.model.detector}

    def run(self, key: str, clip: str, frames: int, output: Output, folder: str) -> dict[str, Any]:
        """Everything from opening the clip to the last result, or to the finished file."""
        pipeline = self._pipelines[key]
        done = people = 0
        stages: dict[str, list[float]] = {}
        begun = time.perf_counter()
        source = open_source(clip, limit=frames)
        recorder = None
        if output == "video":
            sink = VideoSink(Path(folder) / "sepcam.mp4", source.info, overwrite=True)
            recorder = FanOut([sink])
        overlay = None if output == "results" else _overlay(pipeline)
        for result in pipeline.run(source, overlay=overlay, recorder=recorder):
            done += 1
            people += int(result.instances.people.sum())
            for stage, ms in result.stage_ms.items():
                stages.setdefault(stage, []).append(ms)
        if recorder is not None:
            recorder.finish()
        seconds = time.perf_counter() - begun
        stage_ms = {stage: float(np.median(times)) for stage, times in stages.items()}
        return {"seconds": seconds, "frames": done, "people": people / max(done, 1), "stage_ms": stage_ms}

    def draw(self, key: str, clip: str, people: int, frames: int) -> dict[str, Any]:
        """Drawing alone: so many people with boxes, labels, skeletons and masks, in every frame.

        They are one of the clip's people several times, side by side.
        """
        overlay, result = _overlay(self._pipelines[key]), self._crowd(key, clip, people)
        return _timed(lambda picture: overlay.draw(picture, result), result.frame.image, frames)

    def annotate(self, key: str, clip: str, people: int, frames: int) -> dict[str, Any]:
        """The same by supervision's annotators, with detections that were converted before."""
        result = self._crowd(key, clip, people)
        return _timed(_annotators(self._pipelines[key], result), result.frame.image, frames)

    def _crowd(self, key: str, clip: str, people: int) -> FrameResult:
        if clip not in self._crowds:
            self._crowds[clip] = _crowd(self._pipelines[key], clip, people)
        return self._crowds[clip]

    def paced(self, key: str, clip: str, frames: int, fps: float, warm_up: int) -> dict[str, Any]:
        """Latency from a frame's arrival to its drawn picture, with the newest frame always next."""
        pipeline = self._pipelines[key]
        source = PacedSource(open_source(clip, limit=frames), fps)
        latencies: list[float] = []
        begun = time.perf_counter()
        with closing(pipeline.run(source, overlay=_overlay(pipeline))) as results:
            for result in results:
                if result.frame.index >= warm_up:
                    latencies.append((time.perf_counter() - source.arrived[result.frame.index]) * 1e3)
        arrived = sum(index >= warm_up for index in source.arrived)
        percentiles = np.percentile(latencies, [50, 95, 99, 100]).tolist()
        return {
            "seconds": time.perf_counter() - begun,
            "frames": len(latencies),
            "dropped": arrived - len(latencies),
            **dict(zip(("p50", "p95", "p99", "max"), percentiles, strict=True)),
        }


def _crowd(pipeline: Pipeline, clip: str, people: int) -> FrameResult:
    """The first frame that shows somebody whole, with that person as often as asked for, side by side."""
    with closing(pipeline.run(open_source(clip))) as results:
        result = next(r for r in results if any(mask is not None for mask in r.instances.masks or ()))
    found = result.instances
    assert found.keypoints is not None and found.masks is not None
    who = next(row for row, mask in enumerate(found.masks) if mask is not None)
    mask = found.masks[who]
    assert mask is not None
    width = result.frame.image.shape[1]
    lefts = np.linspace(0, width - mask.pixels.shape[1] - 1, people).astype(int)
    moves = lefts - mask.x
    shifted = found.keypoints[who] + np.stack([moves, 0 * moves, 0 * moves], 1)[:, None].astype(np.float32)
    boxes = found.boxes[who] + np.stack([moves, 0 * moves, moves, 0 * moves], 1).astype(np.float32)
    crowd = Instances(
        found.size,
        boxes,
        np.repeat(found.scores[who], people),
        np.repeat(found.labels[who], people),
        found.names,
        np.arange(1, people + 1),
        shifted,
        masks=[MaskCrop(mask.pixels, int(left), mask.y) for left in lefts],
    )
    return replace(result, instances=crowd)


def _timed(draw: Callable[[U8], None], image: U8, frames: int) -> dict[str, Any]:
    """Draws onto as many fresh copies of a picture; copying is not counted, nor what is made once."""
    picture = image.copy()
    draw(picture)
    seconds = 0.0
    for _ in range(frames):
        np.copyto(picture, image)
        begun = time.perf_counter()
        draw(picture)
        seconds += time.perf_counter() - begun
    return {"seconds": seconds, "frames": frames}


def _annotators(pipeline: Pipeline, result: FrameResult) -> Callable[[U8], None]:
    import supervision as sv

    detections = result.instances.to_supervision()
    points = result.instances.to_supervision_keypoints()
    labels = [f"person {number}" for number in detections.tracker_id]
    boxes = [annotator() for annotator in (sv.MaskAnnotator, sv.BoxAnnotator)]
    names = sv.LabelAnnotator()
    skeleton = [
        sv.EdgeAnnotator(edges=[(a + 1, b + 1) for a, b in pipeline.model.skeleton]),
        sv.VertexAnnotator(),
    ]

    def draw(picture: U8) -> None:
        for annotator in boxes:
            annotator.annotate(picture, detections)
        names.annotate(picture, detections, labels)
        for annotator in skeleton:
            annotator.annotate(picture, points)

    return draw


def live(
    clip: str, detector: str, options: dict[str, Any], settle_s: float, seconds: float
) -> dict[str, Any]:
    """What a viewer of ``sepcam live`` gets of a clip at its own pace, once quality has settled."""
    latencies: list[float] = []
    pool = NetworkPool.of(options=RuntimeOptions(**options))
    with LiveSession(
        open_live(clip, loop=True), pool, LiveSettings(detector), prepare_ahead=False
    ) as session:
        session.start()
        number, since = 0, time.monotonic()
        dropped = shown = None
        while (now := time.monotonic()) < since + settle_s + seconds:
            shot = session.wait(number, 1.0)
            if shot is None:
                continue
            number = shot.number
            session.shown(shot)
            if now >= since + settle_s:
                latencies.append((time.monotonic() - shot.arrived) * 1e3)
                meter = shot.status.figures.meter
                dropped = meter.dropped if dropped is None else dropped
                shown = meter
        quality = str(session.status().quality)
    percentiles = np.percentile(latencies, [50, 95, 99, 100]).tolist()
    return {
        "seconds": seconds,
        "frames": len(latencies),
        "dropped": (shown.dropped if shown is not None else 0) - (dropped or 0),
        "quality": quality,
        **dict(zip(("p50", "p95", "p99", "max"), percentiles, strict=True)),
    }


def loop(clip: str, detector: str, options: dict[str, Any], frames: int, folder: str) -> dict[str, Any]:
    """Memory in use, in MB, each thousand frames of a clip that goes round, with video and JSONL out.

    The median of the hundred frames before, since it goes up and down with the frames that are on their way.
    """
    pipeline = Pipeline(AnalysisOptions(detector, runtime=RuntimeOptions(**options)))
    source = LoopedSource(clip, frames)
    recorder = FanOut(
        [
            VideoSink(Path(folder) / "loop.mp4", source.info, overwrite=True),
            JsonlSink(Path(folder) / "loop.jsonl", source.info, {}, overwrite=True),
        ]
    )
    process, used = psutil.Process(), {}
    last: deque[float] = deque(maxlen=100)
    for result in pipeline.run(source, overlay=_overlay(pipeline), recorder=recorder):
        last.append(process.memory_info().rss / 1e6)
        if (result.frame.index + 1) % 1000 == 0:
            used[result.frame.index + 1] = float(np.median(last))
    recorder.finish()
    return {"rss_mb": used, **memory()}


def memory() -> dict[str, Any]:
    """The most memory that this process has had, in MB, where the system tells."""
    peak = peak_memory()
    return {} if peak is None else {"peak_mb": peak / 1e6}


def _quantize(detector: str, runtime: RuntimeOptions) -> None:
    """Makes the int8 copy of a detector by the bundled film, as the user would, where there is none."""
    try:
        load_detector(detector, options=runtime)
    except SepcamError:
        command = [sys.executable, "-m", "sepcam", "models", "quantize", detector, "--samples", "60"]
        subprocess.run(command, check=True)


def _overlay(pipeline: Pipeline) -> Overlay:
    model = pipeline.model
    return Overlay(model.skeleton, Hud("bench"), keypoint_names=model.keypoint_names)


if __name__ == "__main__":
    return_freed_memory()
    bench = Bench()
    serve(
        {
            "prepare": bench.prepare,
            "run": bench.run,
            "paced": bench.paced,
            "draw": bench.draw,
            "annotate": bench.annotate,
            "live": live,
            "loop": loop,
            "memory": memory,
        }
    )
