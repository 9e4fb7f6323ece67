"""Trackers of the ``trackers`` package: SORT, OC-SORT and C-BIoU, each over every class by itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...models.spec import TrackerSettings
from ...models.types import F32, I64, Detections
from .coasting import NOMINAL_FPS, Clock, Missed, coasted

if TYPE_CHECKING:
    from trackers.core.base import BaseTracker

Make = Callable[[TrackerSettings, float], "BaseTracker"]
"""Makes a tracker of the package for thresholds and frames per second."""


@dataclass(slots=True)
class _ClassTracks:
    """The tracks of one class, and the identities given to them."""

    tracker: Any  # BaseTracker, whose tracks its declaration does not describe
    ids: dict[int, int] = field(default_factory=dict)
    last: dict[int, tuple[float, float]] = field(default_factory=dict)
    """Time and score of the last sighting, by identity."""


class PackageTracker:
    """A tracker of the package as a `Tracker`.

    Boxes are those of its Kalman filters. Identities count from 1 and are never used again.
    """

    def __init__(
        self, make: Make, labels: Sequence[str], settings: TrackerSettings, fps: float | None = None
    ) -> None:
        """Start without tracks.

        Args:
            make: makes the tracker of one class.
            labels: class names, in the order of ``Detections.labels``.
            settings: thresholds; ``settings_for(detector.name)`` suits a detector.
            fps: frames per second of the source, or None where unknown.
        """
        self._make, self._settings = make, settings
        self._labels = tuple(labels)
        self._classes: dict[str, _ClassTracks] = {}
        self._next_id = 1
        self._clock = Clock(fps)

    @property
    def tentative(self) -> bool:
        """See `Tracker`."""
        return any(
            track.tracker_id < 0 for tracks in self._classes.values() for track in tracks.tracker.tracks
        )

    @property
    def lost(self) -> bool:
        """See `Tracker`."""
        return any(
            track.tracker_id >= 0 and track.time_since_update > 0
            for tracks in self._classes.values()
            for track in tracks.tracker.tracks
        )

    def configure(self, settings: TrackerSettings, labels: Sequence[str]) -> None:
        """See `Tracker`. Thresholds hold for tracks of classes that appear from now on."""
        self._settings, self._labels = settings, tuple(labels)
        self._classes = {name: tracks for name, tracks in self._classes.items() if name in self._labels}

    def reset(self) -> None:
        """See `Tracker`."""
        self._classes.clear()
        self._clock.cut()

    def follow(
        self, detections: Detections, time_s: float | None = None, size: tuple[int, int] | None = None
    ) -> tuple[F32, I64, I64]:
        """See `Tracker`. A time that is missing, repeated or goes back counts as one frame after the last."""
        self._clock.advance(time_s)
        named = np.array([self._labels[label] for label in detections.labels.tolist()], object)
        begun = {*self._classes, *named[detections.scores >= self._settings.new].tolist()}
        parts = [
            self._follow_class(
                name, detections, np.flatnonzero((named == name) & (detections.scores >= self._settings.low))
            )
            for name in sorted(begun, key=self._labels.index)
        ]
        if not parts:
            return np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.int64)
        boxes, rows, ids = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(-detections.scores[rows], kind="stable")
        return boxes[order], rows[order], ids[order]

    def predict(self, ids: I64, time_s: float | None = None) -> F32:
        """See `Tracker`."""
        steps, boxes = self._clock.elapsed(time_s) * self._clock.fps, {}
        for tracks in self._classes.values():
            for track in tracks.tracker.tracks:
                if track.tracker_id in tracks.ids:
                    state = track.state_estimator.kf.state[:, 0]
                    middle = state[:2] + steps * state[4:6]
                    half = np.maximum(state[2:4] + steps * state[6:8], 1.0) / 2
                    boxes[tracks.ids[track.tracker_id]] = np.concatenate([middle - half, middle + half])
        return np.array([boxes[int(number)] for number in ids], np.float32).reshape(-1, 4)

    def coasted(self, size: tuple[int, int]) -> tuple[Detections, I64]:
        """See `Tracker`."""
        missed = (
            Missed(track.get_state_bbox(), *tracks.last[number], self._labels.index(name), number)
            for name, tracks in self._classes.items()
            for track in tracks.tracker.tracks
            if track.time_since_update > 0 and (number := tracks.ids.get(track.tracker_id)) is not None
        )
        return coasted(missed, self._clock.now_s, size)

    def _follow_class(self, name: str, found: Detections, rows: I64) -> tuple[F32, I64, I64]:
        """Boxes, rows and identities of the tracks of one class, to which ``rows`` of ``found`` belong."""
        import supervision as sv

        if name not in self._classes:
            self._classes[name] = _ClassTracks(self._make(self._settings, self._clock.fps))
        tracks = self._classes[name]
        given = sv.Detections(xyxy=found.boxes[rows], confidence=found.scores[rows], data={"row": rows})
        result = tracks.tracker.update(given, timestamp=self._clock.now_s)
        alive = {track.tracker_id: track for track in tracks.tracker.tracks if track.tracker_id >= 0}
        kept = np.flatnonzero(result.tracker_id >= 0)
        numbers = result.tracker_id[kept].tolist()
        tracks.ids = {number: own for number, own in tracks.ids.items() if number in alive}
        for number in numbers:
            if number not in tracks.ids:
                tracks.ids[number], self._next_id = self._next_id, self._next_id + 1
        ids = np.array([tracks.ids[number] for number in numbers], np.int64)
        seen = np.asarray(result.data.get("row", ()), np.int64)[kept]
        sightings = {
            own: (self._clock.now_s, float(score)) for own, score in zip(ids, found.scores[seen], strict=True)
        }
        tracks.last = {own: tracks.last[own] for own in tracks.ids.values() if own in tracks.last} | sightings
        boxes = np.array([alive[number].get_state_bbox() for number in numbers], np.float32).reshape(-1, 4)
        return boxes, seen, ids


def sort(settings: TrackerSettings, fps: float) -> "BaseTracker":
    """SORT: Bewley et al. 2016, https://arxiv.org/abs/1602.00763."""
    from trackers import SORTTracker

    return SORTTracker(
        track_activation_threshold=settings.new,
        minimum_iou_threshold=settings.second_iou,
        **_shared(settings, fps),
    )


def ocsort(settings: TrackerSettings, fps: float) -> "BaseTracker":
    """OC-SORT: Cao et al. 2023, https://arxiv.org/abs/2203.14360."""
    from trackers import OCSORTTracker

    return OCSORTTracker(
        high_conf_det_threshold=settings.new,
        minimum_iou_threshold=settings.second_iou,
        **_shared(settings, fps),
    )


def cbiou(settings: TrackerSettings, fps: float) -> "BaseTracker":
    """C-BIoU: Yang et al. 2023, https://arxiv.org/abs/2211.14317."""
    from trackers import CBIoUTracker

    return CBIoUTracker(
        track_activation_threshold=settings.new,
        high_conf_det_threshold=settings.high,
        minimum_iou_threshold_first_assoc=settings.first_iou * settings.high,
        minimum_iou_threshold_second_assoc=settings.second_iou,
        instant_first_frame_activation=False,
        **_shared(settings, fps),
    )


def _shared(settings: TrackerSettings, fps: float) -> dict[str, Any]:
    """What all of them are made with; the state is center, width and height, of which `predict` knows."""
    from trackers.utils.state_representations import XCYCWHStateEstimator

    return {
        "lost_track_buffer": round(settings.lost_s * NOMINAL_FPS),
        "frame_rate": fps,
        "minimum_consecutive_frames": settings.confirm_frames,
        "state_estimator_class": XCYCWHStateEstimator,
    }
