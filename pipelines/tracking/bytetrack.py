"""Identities: the same person keeps the same number from frame to frame."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ...models.spec import TrackerSettings
from ...models.types import F32, I64, Detections

if TYPE_CHECKING:
    from trackers import BoTSORTTracker

NOMINAL_FPS: Final = 30.0

CARRY_S: Final = 0.25
"""Seconds for which somebody whom the detector misses is shown where the Kalman filter expects them.

On PETS09-S2L1, 10 frames a second, two frames more take HOTA from 58.2 to 58.7 and MOTA from 79.4 to 79.6
(YOLOX-nano at 640; halves: 54.4 to 54.7 and 66.8 to 67.6); four frames give no more than two.
"""

CENTRE: Final = 0.5
"""How far the center of a tracked box goes from where the Kalman filter sees it to where the detector does.

The filter is steady, but late. On PETS09-S2L1 half the way takes HOTA from 58.7 to 58.8 and MOTA from 80.0 to
80.1 (YOLOX-nano at 640; halves: 54.7 to 54.9 and 67.5 to 67.6); a quarter and three quarters give the same.
"""

_LOW, _HIGH, _NEW = 0.101, 0.7, 0.8
"""ByteTrack's own thresholds, to which scores are scaled: it multiplies them with IoUs, and discards 0.1."""

_INSIDE = 0.005  # share of the image's sides that a box keeps off the border: the others are leaving
_UNSEEN = 0.5  # share of the last score that somebody has who is not seen
_LONGEST_S = 0.5  # that a gap counts: while no image came, nobody was seen to leave


@dataclass(slots=True)
class _ClassTracks:
    """The tracks of one class, and the identities given to them."""

    tracker: "BoTSORTTracker"
    ids: dict[int, int] = field(default_factory=dict)
    last: dict[int, tuple[float, float]] = field(default_factory=dict)
    """Time and score of the last sighting, by identity."""

    @property
    def tentative(self) -> bool:
        """Whether something was seen that has no identity yet."""
        return any(track.tracker_id < 0 for track in self.tracker.tracks)

    @property
    def lost(self) -> bool:
        """Whether something that has an identity was not seen in the last frame."""
        return any(track.tracker_id >= 0 and track.time_since_update > 0 for track in self.tracker.tracks)

    def predict(self, steps: float) -> dict[int, F32]:
        """Boxes by identity, this many frames from now, as the Kalman filters' speeds say."""
        boxes: dict[int, F32] = {}
        for track in self.tracker.tracks:
            if track.tracker_id in self.ids:
                x, y, w, h, *speeds = track.state_estimator.kf.state[:, 0]
                center = np.array([x, y]) + steps * np.array(speeds[:2])
                half = np.maximum(np.array([w, h]) + steps * np.array(speeds[2:]), 1.0) / 2
                box = np.concatenate([center - half, center + half])
                boxes[self.ids[track.tracker_id]] = box.astype(np.float32)
        return boxes

    def coasted(self, since: float, size: tuple[int, int]) -> list[tuple[int, F32, float]]:
        """Identities, boxes and scores of those lost since then who should still be in the image."""
        margin = _INSIDE * np.array([size[1], size[0]])
        found: list[tuple[int, F32, float]] = []
        for track in self.tracker.tracks:
            number = self.ids.get(track.tracker_id)
            if number is None or track.time_since_update == 0 or self.last[number][0] < since:
                continue
            box = track.get_state_bbox()
            if (box[:2] > margin).all() and (box[2:] < np.array([size[1], size[0]]) - margin).all():
                found.append((number, box.astype(np.float32), _UNSEEN * self.last[number][1]))
        return found


class ByteTrack:
    """ByteTrack over every class by itself, so that a dog never takes over a person's identity.

    The association is that of Zhang et al., ByteTrack (ECCV 2022): high scores first, fused with IoU, then
    low scores for tracks seen a frame ago. In the ``trackers`` package that is ``BoTSORTTracker`` without
    camera motion; the package's ``ByteTrackTracker`` lacks the score fusion, the Kalman noise that scales
    with the box, and the stricter second association, which costs it a tenth of its HOTA.

    Identities count from 1, belong to this object and are never used again, not even after ``reset``.
    """

    def __init__(
        self, labels: Sequence[str], settings: TrackerSettings | None = None, fps: float | None = None
    ) -> None:
        """Start without tracks.

        Args:
            labels: class names, in the order of ``Detections.labels``.
            settings: thresholds; ``settings_for(detector.name)`` suits a detector.
            fps: frames per second of the source, or None where unknown.
        """
        import trackers  # takes a second, which commands that track nothing should not pay

        self._library = trackers
        self.settings = settings or TrackerSettings()
        self._fps = fps if fps and np.isfinite(fps) and fps > 0 else NOMINAL_FPS
        self._next_id = 1
        self._clock = 0.0
        self._last_time: float | None = None
        self._labels = tuple(labels)
        self._classes: dict[str, _ClassTracks] = {}

    def configure(self, settings: TrackerSettings, labels: Sequence[str]) -> None:
        """See `Tracker`."""
        self.settings = settings
        self._labels = tuple(labels)
        self._classes = {name: tracks for name, tracks in self._classes.items() if name in self._labels}
        for tracks in self._classes.values():
            tracks.tracker.minimum_iou_threshold_second_assoc = settings.second_iou

    def reset(self) -> None:
        """Forget all tracks, as at a cut; identities keep counting."""
        self._classes.clear()
        self._last_time = None

    @property
    def tentative(self) -> bool:
        """Whether something seen in the last frame gets its identity if the next one shows it too."""
        return any(tracks.tentative for tracks in self._classes.values())

    @property
    def lost(self) -> bool:
        """Whether somebody is looked for who was not in the last frame."""
        return any(tracks.lost for tracks in self._classes.values())

    def coasted(self, size: tuple[int, int]) -> tuple[Detections, I64]:
        """Who was not seen in the last update, though in the ``CARRY_S`` before it, and has not left.

        Args:
            size: (height, width) of the image in pixels.

        Returns:
            Where the Kalman filters expect them, with half the score of their last sighting; and (N,) int64
            identities.
        """
        since = self._clock - CARRY_S
        rows = [
            (self._labels.index(name), *row)
            for name, tracks in self._classes.items()
            for row in tracks.coasted(since, size)
        ]
        if not rows:
            return Detections.empty(), np.zeros(0, np.int64)
        labels, ids, boxes, scores = zip(*rows, strict=True)
        found = Detections(np.stack(boxes), np.array(scores, np.float32), np.array(labels, np.int64))
        return found, np.array(ids, np.int64)

    def predict(self, ids: I64, time_s: float | None = None) -> F32:
        """Where these (N,) tracks of the last update should be at a time: (N, 4) float32 x1 y1 x2 y2."""
        steps = self._elapsed(time_s) * self._fps
        boxes = {}
        for tracks in self._classes.values():
            boxes |= tracks.predict(steps)
        return np.array([boxes[int(number)] for number in ids], np.float32).reshape(-1, 4)

    def update(self, detections: Detections, time_s: float | None = None) -> tuple[Detections, I64]:
        """Follow everything into the next frame; see ``follow``.

        Returns:
            What has an identity, best score first: steadier boxes (see ``follow``), all else as it was
            detected; and (N,) int64 identities.
        """
        boxes, rows, ids = self.follow(detections, time_s)
        return replace(detections[rows], boxes=boxes), ids

    def follow(self, detections: Detections, time_s: float | None = None) -> tuple[F32, I64, I64]:
        """Follow everything into the next frame.

        Args:
            detections: what was found in it, down to a low score floor: weak boxes keep tracks alive.
            time_s: the frame's time in seconds. A time that is missing, repeated or goes back counts as one
                frame after the last.

        Returns:
            Of what has an identity, best score first: (N, 4) float32 boxes of the size that the Kalman filter
            sees, between its place and the detector's, not clipped; (N,) rows of ``detections``; (N,) int64
            identities.
        """
        timestamp = self._advance(time_s)
        found = detections
        strong = found.scores >= self.settings.low
        begun = [self._labels[label] for label in found.labels[found.scores >= self.settings.new].tolist()]
        parts = [
            self._update_class(name, found, np.flatnonzero(strong & self._of_class(found, name)), timestamp)
            for name in sorted({*self._classes, *begun}, key=self._labels.index)
        ]
        if not parts:
            return np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.int64)
        boxes, rows, numbers = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(-found.scores[rows], kind="stable")
        return boxes[order], rows[order], numbers[order]

    def _of_class(self, found: Detections, name: str) -> npt.NDArray[np.bool_]:
        """(N,) bool; a detector may give several classes the same name."""
        return np.isin(found.labels, [i for i, label in enumerate(self._labels) if label == name])

    def _advance(self, time_s: float | None) -> float:
        """Seconds on a clock that always moves on, whatever the source says."""
        self._clock += self._elapsed(time_s)
        if time_s is not None and np.isfinite(time_s):
            self._last_time = time_s
        return self._clock

    def _elapsed(self, time_s: float | None) -> float:
        """Seconds since the last frame, as they count."""
        if time_s is None or self._last_time is None or not time_s > self._last_time or np.isinf(time_s):
            return 1.0 / self._fps
        return min(time_s - self._last_time, _LONGEST_S)

    def _update_class(
        self, name: str, found: Detections, rows: I64, timestamp: float
    ) -> tuple[F32, I64, I64]:
        """Boxes, rows and identities of the tracks of one class, to which ``rows`` of ``found`` belong."""
        import supervision as sv

        if name not in self._classes:
            self._classes[name] = _ClassTracks(self._new_tracker())
        tracks = self._classes[name]
        result = tracks.tracker.update(
            sv.Detections(
                xyxy=found.boxes[rows], confidence=self._scaled(found.scores[rows]), data={"row": rows}
            ),
            timestamp=timestamp,
        )
        alive = tracks.tracker.tracked_objects
        assert result.tracker_id is not None and alive.tracker_id is not None
        row = {int(number): i for i, number in enumerate(alive.tracker_id)}
        kept = np.flatnonzero(result.tracker_id >= 0)
        seen = np.asarray(result.data.get("row", ()), np.int64)
        numbers = [self._identity(tracks, int(number)) for number in result.tracker_id[kept]]
        boxes = alive.xyxy[[row[int(number)] for number in result.tracker_id[kept]]]
        tracks.ids = {number: own for number, own in tracks.ids.items() if number in row}
        tracks.last = {own: tracks.last[own] for own in tracks.ids.values() if own in tracks.last}
        scores = found.scores[seen[kept]].tolist()
        tracks.last |= {own: (timestamp, score) for own, score in zip(numbers, scores, strict=True)}
        if not tracks.tracker.tracks:
            del self._classes[name]
        boxes = boxes.astype(np.float32).reshape(-1, 4)
        off = (found.boxes[seen[kept]] - boxes).reshape(-1, 2, 2).mean(1)
        boxes += np.float32(CENTRE) * np.tile(off, 2)
        return boxes, seen[kept], np.array(numbers, np.int64)

    def _scaled(self, scores: F32) -> F32:
        """The scores as a detector would give them that suits ByteTrack's own thresholds.

        Detectors score differently. What counts is where a score lies between the settings' thresholds.
        """
        s = self.settings
        return np.interp(scores, (s.low, s.high, s.new, 1), (_LOW, _HIGH, _NEW, 1)).astype(np.float32)

    def _identity(self, tracks: _ClassTracks, number: int) -> int:
        """This object's identity for a number of the library's, which start again with every tracker."""
        if number not in tracks.ids:
            tracks.ids[number] = self._next_id
            self._next_id += 1
        return tracks.ids[number]

    def _new_tracker(self) -> "BoTSORTTracker":
        s = self.settings
        return self._library.BoTSORTTracker(
            lost_track_buffer=round(s.lost_s * NOMINAL_FPS),
            frame_rate=self._fps,
            track_activation_threshold=_NEW,
            minimum_consecutive_frames=s.confirm_frames,
            minimum_iou_threshold_first_assoc=s.first_iou,
            minimum_iou_threshold_second_assoc=s.second_iou,
            high_conf_det_threshold=_HIGH,
            enable_cmc=False,
            instant_first_frame_activation=False,
        )
