"""Tracks of one class, and how detections are joined to them from frame to frame.

ByteTrack's association (Zhang et al., ECCV 2022) with BoT-SORT's filter: high scores first, their overlap
multiplied by the score; then low scores for tracks seen a frame ago; then what is left of the high scores for
tracks that were seen once. The same as ``BoTSORTTracker`` of the ``trackers`` package without camera motion,
against which the tests hold it, in a tenth of its time, and without its imports, which take seconds.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...models.ops.boxes import iou
from ...models.types import F32, I64
from .assignment import assign
from .kalman import F64, BoxFilters

_NOBODY = -1  # identity of what was seen too seldom to have one
_DISCARDED = 0.1  # scores up to it count for nothing
_ONCE_SEEN = 0.3  # least overlap, times the score, with a track that was seen once

Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rules:
    """When what is joined; scores in [0, 1].

    Attributes:
        high: scores from which on detections are joined first.
        new: scores from which on they begin a track.
        first: the least overlap, times the score, in the first round.
        second: the least overlap in the second round.
        confirm: frames in which something is seen before it gets an identity.
        lost_s: seconds for which an identity is kept unseen.
    """

    high: float
    new: float
    first: float
    second: float
    confirm: int
    lost_s: float


class ClassTracks:
    """The tracks of one class.

    Attributes:
        filters: where each of N tracks is.
        ids: (N,) int64 identities, -1 for those that have none yet.
        unseen: (N,) int64, updates since the last sighting.
    """

    def __init__(self) -> None:
        """Start without tracks."""
        self.filters = BoxFilters.of(np.zeros((0, 4), np.float32))
        self.ids: I64 = np.zeros(0, np.int64)
        self.unseen: I64 = np.zeros(0, np.int64)
        self._unseen_s: F64 = np.zeros(0)
        self._sightings: I64 = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self.ids)

    def update(
        self, boxes: F32, scores: F32, elapsed_s: float, fps: float, rules: Rules, next_id: int
    ) -> tuple[I64, I64]:
        """Join one frame's detections.

        Args:
            boxes: (M, 4) float32 x1 y1 x2 y2.
            scores: (M,) float32.
            elapsed_s: seconds since the last update, above 0.
            fps: usual frames per second of the source.
            rules: when what is joined.
            next_id: the first identity that has not been given out.

        Returns:
            The rows of detections that have an identity, and of their tracks; in the order in which they were
            joined, and so of new identities, which count up from ``next_id``.
        """
        self._predict(elapsed_s, fps, rules.lost_s)
        predicted = self.filters.boxes().astype(np.float32)
        known = (self.ids != _NOBODY) | (self._sightings >= rules.confirm)
        high = np.flatnonzero(scores >= rules.high)
        low = np.flatnonzero((scores > _DISCARDED) & (scores < rules.high))
        recent, lost = np.flatnonzero(known & (self.unseen == 1)), np.flatnonzero(self.unseen > 1)
        once = np.flatnonzero(~known & (self.unseen == 1))
        pool = np.concatenate([recent, lost])

        left = np.ones(len(boxes), np.bool_)

        def join(rows: I64, tracks: I64, least: float, *, fused: bool) -> tuple[I64, I64]:
            if not (len(rows) and len(tracks)):
                return rows[:0], tracks[:0]
            similar = iou(predicted[tracks], boxes[rows])
            mine, theirs = assign(similar * scores[rows] if fused else similar, least)
            rows, tracks = rows[theirs], tracks[mine]
            self._see(tracks, boxes[rows])
            left[rows] = False
            return rows, tracks

        first = join(high, pool, rules.first, fused=True)
        second = join(low, recent[self.unseen[recent] == 1], rules.second, fused=False)
        third = join(high[left[high]], once, _ONCE_SEEN, fused=True)
        rows, tracks = (np.concatenate(column) for column in zip(first, second, third, strict=True))
        self._identify(tracks, rules.confirm, next_id)
        kept = self._begin(boxes[left & (scores >= max(rules.new, rules.high))], known)
        place = np.cumsum(kept) - 1
        named = self.ids[place[tracks]] != _NOBODY
        return rows[named], place[tracks[named]]

    def _predict(self, elapsed_s: float, fps: float, lost_s: float) -> None:
        self.filters.predict(elapsed_s * fps, fps)
        self.unseen += 1
        self._unseen_s += elapsed_s
        self._keep(self._unseen_s <= lost_s)

    def _see(self, tracks: I64, boxes: F32) -> None:
        if len(tracks):
            self.filters.update(tracks, boxes)
            self.unseen[tracks], self._unseen_s[tracks] = 0, 0.0
            self._sightings[tracks] += 1

    def _identify(self, tracks: I64, confirm: int, next_id: int) -> None:
        new = tracks[(self.ids[tracks] == _NOBODY) & (self._sightings[tracks] >= confirm)]
        self.ids[new] = next_id + np.arange(len(new))

    def _begin(self, boxes: F32, known: Rows) -> Rows:
        """Forget whoever was seen once and not again, and begin tracks; which of the old ones are kept."""
        kept = known | (self.unseen == 0)
        self._keep(kept)
        n = len(boxes)
        if n:
            self.filters = self.filters.joined(BoxFilters.of(boxes))
            self.ids = np.concatenate([self.ids, np.full(n, _NOBODY)])
            self.unseen = np.concatenate([self.unseen, np.zeros(n, np.int64)])
            self._unseen_s = np.concatenate([self._unseen_s, np.zeros(n)])
            self._sightings = np.concatenate([self._sightings, np.ones(n, np.int64)])
        return kept

    def _keep(self, rows: Rows) -> None:
        if not rows.all():
            self.filters = self.filters[rows]
            self.ids, self.unseen = self.ids[rows], self.unseen[rows]
            self._unseen_s, self._sightings = self._unseen_s[rows], self._sightings[rows]
