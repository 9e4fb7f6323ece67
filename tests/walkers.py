"""A source's figures without weights: a detector that reads them off the picture, and pictures to read."""

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence

import numpy as np
from sepcam.models.types import F32, U8, Detections, Part, Poses
from sepcam.pipelines.analysis.analyzer import Analyzer
from sepcam.pipelines.analysis.options import AnalysisOptions
from sepcam.pipelines.execution.network_set import NetworkSet
from sepcam.pipelines.pipeline import Pipeline
from sepcam.pipelines.sources.synthetic import stamp_index
from sepcam.pipelines.types import TASKS, Frame, StreamInfo

KEYPOINTS = 33
SIZE = (320, 240)


class SquareDetector:
    """Finds one person: the white square that ``square_picture`` drew."""

    name = "squares"
    labels: Sequence[str] = ("person", "dog")
    parts: frozenset[Part] = frozenset()

    def detect(self, image: U8) -> Detections:
        rows, columns = np.nonzero(image.min(axis=2) > 200)
        if not len(rows):
            return Detections.empty()
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return Detections(np.array([box], np.float32), np.array([0.9], np.float32), np.zeros(1, np.int64))


def analyzer_of(detector, pose=None, tasks=TASKS, *, fps=None, independent=False, tracker=None, **options):
    """An analyzer of these networks that detects in every frame; ``options`` are `AnalysisOptions`'."""
    asked = AnalysisOptions(tasks=tuple(tasks), **{"detect_every": 1} | options)
    networks = NetworkSet(detector, pose)
    return Analyzer(networks, asked, fps=fps, independent=independent, tracker=tracker)


def pipeline_of(detector=None, pose=None, *, backbone="separable", **options):
    """A pipeline of these networks, the square and its pose by default; it detects in every frame."""
    detector = detector or SquareDetector()
    options = AnalysisOptions(backbone=backbone, **{"detect_every": 1} | options)
    if pose is None and {"pose", "segment"} & set(options.tasks) - detector.parts:
        pose = CenterPose()
    return Pipeline(options, networks=NetworkSet(detector, pose, backbone))


class FragileDetector(SquareDetector):
    """Crashes its process, as a codec might, where a picture is all white."""

    def detect(self, image: U8) -> Detections:
        if image.min() > 230:
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().detect(image)


class CenterPose:
    """Every keypoint lies in the middle of the region, and the mask fills it."""

    name = "centers"
    keypoint_names: Sequence[str] = tuple(f"point {i}" for i in range(KEYPOINTS))
    skeleton: Sequence[tuple[int, int]] = ((0, 1), (1, 2))
    parts: frozenset[Part] = frozenset(("pose", "segment"))

    def estimate(self, image: U8, rois: F32, *, masks: bool) -> Poses:
        points = np.ones((len(rois), KEYPOINTS, 3), np.float32)
        points[..., :2] = rois[:, None, :2]
        logits = np.ones((len(rois), 16, 16), np.float32) if masks else None
        return Poses(rois, points, np.ones(len(rois), np.float32), rois, logits)


def square_picture(index: int, size: tuple[int, int] = (96, 64)) -> U8:
    """A grey (height, width, 3) picture with a white square that moves a pixel a frame."""
    width, height = size
    image = np.full((height, width, 3), 60, np.uint8)
    left = 8 + index % (width // 2)
    image[20:44, left : left + 12] = 255
    return image


class Clock:
    """A camera whose pictures bear the time at which they were taken, in milliseconds since its beginning.

    The square moves ``step`` pixels a frame. By default it stays where it is: however many pictures a loaded
    machine drops, it keeps its identity.
    """

    def __init__(self, fps=30.0, frames=100_000, step=0):
        self.info = StreamInfo("clock", *SIZE, fps, live=True)
        self.warnings: list[str] = []
        self.fps, self.frames, self.step = fps, frames, step
        self.begun = time.monotonic()
        self._closed = threading.Event()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        self.begun = time.monotonic()
        for index in range(self.frames):
            if self._closed.wait(max(0.0, self.begun + index / self.fps - time.monotonic())):
                return
            image = square_picture(index * self.step, SIZE)
            stamp_index(image, self.now_ms())
            yield Frame(image, index, time.monotonic())

    def now_ms(self):
        return round((time.monotonic() - self.begun) * 1e3)

    def close(self):
        self._closed.set()
