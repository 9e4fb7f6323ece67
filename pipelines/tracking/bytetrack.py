"""Identities: the same person keeps the same number from frame to frame."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.ops.coco import KEYPOINTS
from ...models.spec import TrackerSettings
from ...models.types import F32, I64, Detections
from .association import ClassTracks, Rules, Sighted
from .coasting import Clock, Missed, coasted

CENTER: Final = 0.5
"""How far the center of a tracked box goes from where the Kalman filter sees it to where the detector does.

The filter is steady, but late. On PETS09-S2L1 half the way takes HOTA from 58.7 to 58.8 and MOTA from 80.0 to
80.1 (YOLOX-nano at 640; halves: 54.7 to 54.9 and 67.5 to 67.6); a quarter and three quarters give the same.
"""

_LOW, _HIGH, _NEW = 0.101, 0.7, 0.8
"""ByteTrack's own thresholds, to which scores are scaled: it multiplies them with IoUs, and discards 0.1."""

_TORSO = [KEYPOINTS.index(f"{side}_{joint}") for joint in ("shoulder", "hip") for side in ("left", "right")]
_TO_TORSO = np.float32(0.5)  # of the way from the middle of the box to that of the torso


class ByteTrack:
    """ByteTrack over every class by itself, so that a dog never takes over a person's identity.

    The association is in `association`. Identities count from 1, belong to this object and are never used
    again, not even after ``reset``.
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
        self.settings = settings or TrackerSettings()
        self._next_id = 1
        self._clock = Clock(fps)
        self._labels = tuple(labels)
        self._classes: dict[str, ClassTracks] = {}
        self._seen: dict[int, tuple[float, float]] = {}
        """Time and score of the last sighting, by identity."""

    def configure(self, settings: TrackerSettings, labels: Sequence[str]) -> None:
        """See `Tracker`."""
        self.settings = settings
        self._labels = tuple(labels)
        self._classes = {name: tracks for name, tracks in self._classes.items() if name in self._labels}

    def reset(self) -> None:
        """Forget all tracks, as at a cut; identities keep counting."""
        self._classes.clear()
        self._seen.clear()
        self._clock.cut()

    @property
    def tentative(self) -> bool:
        """Whether something seen in the last frame gets its identity if the next one shows it too."""
        return any((tracks.ids < 0).any() for tracks in self._classes.values())

    @property
    def lost(self) -> bool:
        """Whether somebody is looked for who was not in the last frame."""
        return any(((tracks.ids >= 0) & (tracks.unseen > 0)).any() for tracks in self._classes.values())

    def coasted(self, size: tuple[int, int]) -> tuple[Detections, I64]:
        """Who was not seen in the last update, though in the ``CARRY_S`` before it, and has not left.

        Args:
            size: (height, width) of the image in pixels.

        Returns:
            Where the Kalman filters expect them, with half the score of their last sighting; and (N,) int64
            identities.
        """
        missed = (
            Missed(box.astype(np.float32), *self._seen[number], self._labels.index(name), number)
            for name, tracks in self._classes.items()
            if (rows := np.flatnonzero((tracks.ids >= 0) & (tracks.unseen > 0))).size
            for number, box in zip(tracks.ids[rows].tolist(), tracks.filters.boxes()[rows], strict=True)
        )
        return coasted(missed, self._clock.now_s, size)

    def predict(self, ids: I64, time_s: float | None = None) -> F32:
        """Where these (N,) tracks of the last update should be at a time: (N, 4) float32 x1 y1 x2 y2."""
        steps = self._clock.elapsed(time_s) * self._clock.fps
        boxes: F32 = np.zeros((len(ids), 4), np.float32)
        for tracks in self._classes.values() if len(ids) else ():
            mine, theirs = np.nonzero(ids[:, None] == tracks.ids)
            boxes[mine] = tracks.filters.ahead(steps)[theirs]
        return boxes

    def follow(
        self, detections: Detections, time_s: float | None = None, size: tuple[int, int] | None = None
    ) -> tuple[F32, I64, I64]:
        """Follow everything into the next frame.

        Args:
            detections: what was found in it, down to a low score floor: weak boxes keep tracks alive. With
                colors, people are told apart by these and by their torso's motion too.
            time_s: the frame's time in seconds. A time that is missing, repeated or goes back counts as one
                frame after the last.
            size: (height, width) of the frame in pixels. With it and colors, whoever was lost in the middle
                of the frame gets the same identity when they are seen again within `returns.RETURN_S`.

        Returns:
            Of what has an identity, best score first: (N, 4) float32 boxes of the size that the Kalman filter
            sees, between its place and the detector's, not clipped; (N,) rows of ``detections``; (N,) int64
            identities.
        """
        elapsed_s = self._clock.advance(time_s)
        found = detections
        strong = found.scores >= self.settings.low
        begun = {self._labels[label] for label in found.labels[found.scores >= self.settings.new].tolist()}
        parts = [
            self._update_class(
                name, found, np.flatnonzero(strong & self._of_class(found, name)), elapsed_s, size
            )
            for name in sorted(begun.union(self._classes), key=self._labels.index)
        ]
        if not parts:
            return np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.int64)
        boxes, rows, numbers = (np.concatenate(column) for column in zip(*parts, strict=True))
        alive = {int(number) for tracks in self._classes.values() for number in tracks.ids}
        self._seen = {number: seen for number, seen in self._seen.items() if number in alive}
        self._seen |= {
            number: (self._clock.now_s, score)
            for number, score in zip(numbers.tolist(), found.scores[rows].tolist(), strict=True)
        }
        order = np.argsort(-found.scores[rows], kind="stable")
        return boxes[order], rows[order], numbers[order]

    def _of_class(self, found: Detections, name: str) -> npt.NDArray[np.bool_]:
        """(N,) bool; a detector may give several classes the same name."""
        if len(self._labels) == 1:
            return np.ones(len(found), np.bool_)
        return np.isin(found.labels, [i for i, label in enumerate(self._labels) if label == name])

    def _update_class(
        self, name: str, found: Detections, rows: I64, elapsed_s: float, size: tuple[int, int] | None
    ) -> tuple[F32, I64, I64]:
        """Boxes, rows and identities of the tracks of one class, to which ``rows`` of ``found`` belong."""
        tracks = self._classes.setdefault(name, ClassTracks())
        sighted = _sighted(found[rows], self._scaled(found.scores[rows]), size)
        seen, places = tracks.update(sighted, elapsed_s, self._clock.fps, self._rules, self._next_id)
        numbers = tracks.ids[places]
        self._next_id = max(self._next_id, int(numbers.max(initial=0)) + 1)
        if not tracks.waits:
            del self._classes[name]
        boxes = tracks.filters.boxes()[places].astype(np.float32)
        rows = rows[seen]
        off = (found.boxes[rows] - boxes).reshape(-1, 2, 2).mean(1)
        boxes += np.float32(CENTER) * np.tile(off, 2)
        return boxes, rows, numbers

    @property
    def _rules(self) -> Rules:
        s = self.settings
        return Rules(_HIGH, _NEW, s.first_iou, s.second_iou, s.confirm_frames, s.lost_s)

    def _scaled(self, scores: F32) -> F32:
        """The scores as a detector would give them that suits ByteTrack's own thresholds.

        Detectors score differently. What counts is where a score lies between the settings' thresholds.
        """
        s = self.settings
        return np.interp(scores, (s.low, s.high, s.new, 1), (_LOW, _HIGH, _NEW, 1)).astype(np.float32)


def _sighted(found: Detections, scores: F32, size: tuple[int, int] | None) -> Sighted:
    """What was found, with scores that suit ByteTrack.

    With colors, the point that is followed lies halfway from the middle of the box to that of the torso, if
    there is one: arms and legs, and what hides them, move the box. Without them this gains nothing.
    """
    if found.colors is None:
        return Sighted.of(found.boxes, scores)
    points = ((found.boxes[:, :2] + found.boxes[:, 2:]) / 2).astype(np.float32)
    if found.keypoints is not None and found.keypoints.shape[1] == len(KEYPOINTS):
        torso = found.keypoints[:, _TORSO]
        seen = torso[..., 2].any(1)
        points[seen] += _TO_TORSO * (torso[seen, :, :2].mean(1) - points[seen])
    return Sighted(found.boxes, scores, points, found.colors, size)
