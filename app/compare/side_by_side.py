"""Both backbones side by side: in one image, and in a video that shows each at its real frame rate."""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import numpy as np

from ...models.errors import SepcamError
from ...models.types import U8, ConvKind
from ...pipelines.drawing.beside import SIDES, beside
from ...pipelines.drawing.overlay import Overlay
from ...pipelines.evaluation.paired_timing import Tick, silent
from ...pipelines.pipeline import Pipeline
from ...pipelines.sinks.formats.video import VideoSink
from ...pipelines.sources.open import open_source
from ...pipelines.types import Frame, FrameResult, Instances, RunSummary, StreamInfo

LONGEST_S = 12.0
"""Seconds of the video."""

_FPS = 30
_RECENT_S = 2.0  # window of the running frame rate


def most_crowded(seen: Mapping[ConvKind, list[FrameResult]]) -> dict[ConvKind, U8]:
    """The drawn frame with the most people, from both backbones."""
    most = int(np.argmax([result.instances.people.sum() for result in seen["separable"]]))
    return {kind: seen[kind][most].frame.image for kind in SIDES}


def record(
    pipelines: Mapping[ConvKind, Pipeline],
    spec: str,
    path: Path,
    *,
    overwrite: bool,
    seconds: float = LONGEST_S,
    tick: Tick = silent,
) -> None:
    """Writes a video of both backbones on the same source, each at the frame rate that it reached.

    In the video both start together, and each shows a frame once it is analyzed and drawn. In fact they
    alternate: the one whose clock is behind processes its next frame with the machine to itself, and its
    clock advances by the time that this took.

    Args:
        pipelines: the same one with both backbones.
        spec: what ``open_source`` takes.
        path: of the MP4.
        overwrite: whether a file of that name may be replaced.
        seconds: largest length of the video; it ends earlier where one side reaches the end of the source.
        tick: called with the fraction that is done, 0 to 1.

    Raises:
        SepcamError: If the source cannot be read or the video cannot be written.
    """
    runners: dict[ConvKind, _Side] = {kind: _Side(pipelines[kind], spec) for kind in SIDES}
    with closing(runners["separable"]), closing(runners["standard"]):
        if not all([runner.step() for runner in runners.values()]):
            raise SepcamError(f"{spec} has no frames to make a video of")
        height, width = _compose(runners, 0.0).shape[:2]
        info = StreamInfo(spec, width, height, _FPS, time_base=Fraction(1, _FPS))
        sink = VideoSink(path, info, overwrite=overwrite)
        frames = 0
        try:
            for frames, image in enumerate(_images(runners, seconds), 1):
                sink.write(_as_result(image, frames - 1), image)
                tick(min(1.0, frames / _FPS / seconds))
        except BaseException:
            sink.abort()
            raise
        sink.close(RunSummary(frames, 0, frames / _FPS, _FPS, {}))


class _Side:
    """One side: processes the source as fast as it can.

    Attributes:
        clock_s: when the next frame is done, in seconds from the common start.
        shown: the image shown until then.
    """

    clock_s: float
    shown: U8

    def __init__(self, pipeline: Pipeline, spec: str) -> None:
        self._source = open_source(spec)
        self._frames = iter(self._source)
        self._analyzer = pipeline.analyzer(self._source.info)
        self._overlay = Overlay(pipeline.model.skeleton, keypoint_names=pipeline.model.keypoint_names)
        self._done: list[float] = []
        self._next: U8 | None = None
        self.clock_s = 0.0

    def step(self) -> bool:
        """Shows the processed frame and processes the next one; False at the end of the source."""
        if self._next is not None:
            self.shown = self._next
            self._done.append(self.clock_s)
        begun = time.perf_counter()
        frame = next(self._frames, None)
        if frame is None:
            self._next = None
            return False
        instances, stage_ms = self._analyzer.analyze(frame)
        if self._next is None:
            self.shown = frame.image.copy()
        self._overlay.draw(frame.image, FrameResult(frame, instances, stage_ms))
        self.clock_s += time.perf_counter() - begun
        self._next = frame.image
        return True

    def caption(self, kind: ConvKind, now_s: float) -> str:
        """The frame rate over the last seconds, and the number of frames so far."""
        since = max(0.0, now_s - _RECENT_S)
        recent = sum(1 for done in self._done if since < done <= now_s)
        rate = recent / max(now_s - since, 1e-3)
        return f"{kind}  {rate:.1f} FPS  frame {len(self._done)}"

    def close(self) -> None:
        self._source.close()


def _images(runners: Mapping[ConvKind, _Side], seconds: float) -> Iterator[U8]:
    """Both sides at every thirtieth of a second."""
    for number in range(int(seconds * _FPS)):
        now = number / _FPS
        while (behind := min(runners.values(), key=lambda runner: runner.clock_s)).clock_s <= now:
            if not behind.step():
                return
        yield _compose(runners, now)


def _compose(runners: Mapping[ConvKind, _Side], now_s: float) -> U8:
    return beside(
        {kind: runner.shown for kind, runner in runners.items()},
        {kind: runner.caption(kind, now_s) for kind, runner in runners.items()},
    )


def _as_result(image: U8, index: int) -> FrameResult:
    height, width = image.shape[:2]
    return FrameResult(Frame(image, index, index / _FPS), Instances.empty((height, width)))
