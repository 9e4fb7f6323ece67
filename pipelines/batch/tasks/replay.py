"""What was found before, played back: a detector and a tracker that compute nothing."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ....models.spec import TrackerSettings
from ....models.types import F32, I64, U8, Detections, Detector, OnePassNetwork
from ...tracking.base import Tracker
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
        """What was found in the next image."""
        return self.next if self.waiting is None else next(self.waiting)


class RecordingTracker:
    """Passes everything on to another tracker, and records what that one returns.

    Attributes:
        recorded: what was returned for each frame.
    """

    recorded: list[Followed]

    def __init__(self, tracker: Tracker) -> None:
        self.recorded = []
        self._tracker = tracker
        self.predict, self.configure, self.reset = tracker.predict, tracker.configure, tracker.reset

    @property
    def tentative(self) -> bool:
        """See `Tracker`."""
        return self._tracker.tentative

    @property
    def lost(self) -> bool:
        """See `Tracker`."""
        return self._tracker.lost

    def follow(
        self, detections: Detections, time_s: float | None = None, size: tuple[int, int] | None = None
    ) -> Follow:
        """See `Tracker`."""
        given = self._tracker.follow(detections, time_s, size)
        self.recorded.append((given, (Detections.empty(), np.zeros(0, np.int64))))
        return given

    def coasted(self, size: tuple[int, int]) -> tuple[Detections, I64]:
        """See `Tracker`."""
        lost = self._tracker.coasted(size)
        self.recorded[-1] = self.recorded[-1][0], lost
        return lost


class ReplayTracker:
    """Returns what a `RecordingTracker` recorded. It is asked once for each frame, and predicts nothing."""

    tentative = lost = False

    def __init__(self, recorded: Iterable[Followed]) -> None:
        self._recorded = iter(recorded)
        self._lost = Detections.empty(), np.zeros(0, np.int64)

    def follow(
        self, detections: Detections, time_s: float | None = None, size: tuple[int, int] | None = None
    ) -> Follow:
        """What was recorded for the next frame."""
        given, self._lost = next(self._recorded)
        return given

    def coasted(self, size: tuple[int, int]) -> tuple[Detections, I64]:
        """What was recorded with it."""
        return self._lost

    def predict(self, ids: I64, time_s: float | None = None) -> F32:
        """Raises RuntimeError: every frame of a recording has its detections."""
        raise RuntimeError("a recording of tracks predicts nothing")

    def configure(self, settings: TrackerSettings, labels: Sequence[str]) -> None:
        """Changes nothing: thresholds were applied when it was recorded."""

    def reset(self) -> None:
        """Changes nothing: cuts were applied when it was recorded."""
