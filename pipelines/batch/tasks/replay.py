"""What was found before, played back: a detector and a tracker that compute nothing."""

from collections.abc import Iterable, Iterator

import numpy as np

from ....models.types import I64, U8, Detections, Detector, OnePassNetwork
from ...tracking.bytetrack import Tracker
from .segment_store import Follow, Followed


class Replay:
    """A detector that finds what was found before."""

    def __init__(self, detector: Detector) -> None:
        self.name, self.labels, self.parts = detector.name, detector.labels, detector.parts
        if isinstance(detector, OnePassNetwork):
            self.keypoint_names, self.skeleton = detector.keypoint_names, detector.skeleton
        self.next = Detections.empty()
        self.waiting: Iterator[Detections] | None = None

    def detect(self, image: U8) -> Detections:
        """What was found in the next picture."""
        return self.next if self.waiting is None else next(self.waiting)


class NotingTracker(Tracker):
    """A tracker that notes all that it gave."""

    noted: list[Followed]

    def follow(self, detections: Detections, time_s: float | None = None) -> Follow:
        """See `Tracker`."""
        given = super().follow(detections, time_s)
        self.noted.append((given, (Detections.empty(), np.zeros(0, np.int64))))
        return given

    def coasted(self, size: tuple[int, int]) -> tuple[Detections, I64]:
        """See `Tracker`."""
        lost = super().coasted(size)
        self.noted[-1] = self.noted[-1][0], lost
        return lost


class FollowingTracker(Tracker):
    """A tracker that gives what another one noted."""

    def __init__(self, noted: Iterable[Followed]) -> None:
        super().__init__()
        self._noted = iter(noted)
        self._lost = Detections.empty(), np.zeros(0, np.int64)

    def follow(self, detections: Detections, time_s: float | None = None) -> Follow:
        """What was noted for the next frame."""
        given, self._lost = next(self._noted)
        return given

    def coasted(self, size: tuple[int, int]) -> tuple[Detections, I64]:
        """What was noted with it."""
        return self._lost
