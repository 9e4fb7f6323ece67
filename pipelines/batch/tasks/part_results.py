"""What was found in the parts of a long file: read from the file, kept, and read again."""

from collections.abc import Iterator, Sequence

import numpy as np

from ....models.types import U8
from ...sinks.base import Sink
from ...sources.video import VideoSource
from ...types import Frame, FrameResult, ModelInfo, RunSummary, StreamInfo
from .segment_store import Segment, keep, kept
from .types import Task, TaskResult


def open_part(task: Task, start_s: float, end_s: float | None) -> VideoSource:
    """The frames of a task's file from one time to another.

    Raises:
        SepcamError: If it cannot be opened.
    """
    return VideoSource(task.source.name, start_s=start_s, end_s=end_s)


def results_of(
    parts: Sequence[Segment], info: StreamInfo, model: ModelInfo, first: int = 0
) -> Iterator[FrameResult]:
    """What was found in parts that follow each other, without images; the first frame has index ``first``."""
    image = no_image(info)
    index = first
    for part in parts:
        for time_s, instances, likely in kept(part.results):
            yield FrameResult(Frame(image, index, time_s), instances, model=model, likely=likely)
            index += 1


def summary_of(result: TaskResult) -> dict[str, object]:
    """What the driver needs to know of a step that an earlier run did."""
    return {"frames": result.frames, "sound": result.sound, "stage_ms": dict(result.stage_ms)}


def no_image(info: StreamInfo) -> U8:
    """An (H, W, 3) uint8 image of zeros in the source's size, which takes no memory."""
    return np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (info.height, info.width, 3))


class KeptResults(Sink):
    """A sink that keeps everything that was found in a part."""

    def __init__(self, part: Segment) -> None:
        self._part = part
        self._frames: list[tuple[float, object, object]] = []

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Adds a frame."""
        self._frames.append((result.frame.time_s, result.instances, result.likely))

    def close(self, summary: RunSummary) -> None:
        """Writes it down."""
        keep(self._part.results, self._frames)

    def abort(self) -> None:
        """Forgets it."""
        self._frames.clear()
