"""Tracks of one class, and how detections are joined to them from frame to frame.

ByteTrack's association (Zhang et al., ECCV 2022) with BoT-SORT's filter: high scores first, their overlap
multiplied by the score; then low scores for tracks seen a frame ago; then what is left of the high scores for
tracks that were seen once. The same as ``BoTSORTTracker`` of the ``trackers`` package without camera motion,
against which the tests hold it, in a tenth of its time, and without its imports, which take seconds.

Where the colors of the detections are known, they count for high scores nearly as much as the overlap, and
whoever is lost and seen again later is known by them (`returns`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...models.ops.boxes import iou
from ...models.types import F32, I64
from .assignment import assign
from .colors import COLORS, Strangers
from .kalman import F64, BoxFilters
from .returns import RETURN_S, Absent, returned

_NOBODY = -1  # identity of what was seen too seldom to have one
_PASSED_ON = -2  # identity of a track whose own was given to a new one
_DISCARDED = 0.1  # scores up to it count for nothing
_ONCE_SEEN = 0.3  # least overlap, times the score, with a track that was seen once

_SHARE = np.float32(0.45)  # of the colors in what the first round goes by; the rest is the overlap's
_NEAR = np.float32(0.05)  # overlap below which nobody is joined, whatever their colors
_USUAL = 0.95  # the most that strangers' colors are taken to be alike
_NEWEST = np.float32(0.1)  # of the newest colors in those of a track
_AWAY_S = 0.3  # seconds unseen after which somebody may appear somewhere else; above `coasting.CARRY_S`

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


@dataclass(frozen=True, slots=True)
class Sighted:
    """What was found of one class in one frame.

    Attributes:
        boxes: (M, 4) float32 x1 y1 x2 y2 in pixels.
        scores: (M,) float32.
        points: (M, 2) float32 x, y of the body, whose motion is followed: the boxes' middles are good enough.
        colors: (M, `COLORS`) float32, zeros where they are unknown; None where all are.
        size: (height, width) of the image in pixels; None if it is unknown, and then nobody returns.
    """

    boxes: F32
    scores: F32
    points: F32
    colors: F32 | None = None
    size: tuple[int, int] | None = None

    @classmethod
    def of(cls, boxes: F32, scores: F32) -> "Sighted":
        """Boxes and scores alone."""
        return cls(boxes, scores, ((boxes[:, :2] + boxes[:, 2:]) / 2).astype(np.float32))

    @property
    def bodies(self) -> F32:
        """(M, 4) float32 x1 y1 x2 y2, boxes of the same size around the points."""
        half = (self.boxes[:, 2:] - self.boxes[:, :2]) / 2
        return np.concatenate([self.points - half, self.points + half], 1).astype(np.float32)


class ClassTracks:
    """The tracks of one class.

    Attributes:
        filters: where each of N tracks is.
        ids: (N,) int64 identities, below 0 for those that have none.
        unseen: (N,) int64, updates since the last sighting.
    """

    def __init__(self) -> None:
        """Start without tracks."""
        self.filters = BoxFilters.of(np.zeros((0, 4), np.float32), np.zeros((0, 2), np.float32))
        self.ids: I64 = np.zeros(0, np.int64)
        self.unseen: I64 = np.zeros(0, np.int64)
        self._unseen_s: F64 = np.zeros(0)
        self._sightings: I64 = np.zeros(0, np.int64)
        self._colors: F32 = np.zeros((0, COLORS), np.float32)
        self._absent = Absent.nobody()
        self._strangers = Strangers()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def waits(self) -> bool:
        """Whether somebody is followed, or may return."""
        return bool(len(self.ids) or len(self._absent.ids))

    def update(
        self, found: Sighted, elapsed_s: float, fps: float, rules: Rules, next_id: int
    ) -> tuple[I64, I64]:
        """Join one frame's detections.

        Args:
            found: the detections.
            elapsed_s: seconds since the last update, above 0.
            fps: usual frames per second of the source.
            rules: when what is joined.
            next_id: the first identity that has not been given out.

        Returns:
            The rows of detections that have an identity, and of their tracks; in the order in which they were
            joined, and so of new identities, which count up from ``next_id``.
        """
        self._predict(elapsed_s, fps, rules.lost_s)
        if found.colors is not None:
            colored = found.colors.any(1)
            self._strangers.learn(found.boxes[colored], found.colors[colored])
        scores, bodies, predicted = found.scores, found.bodies, self.filters.bodies().astype(np.float32)
        known = (self.ids != _NOBODY) | (self._sightings >= rules.confirm)
        high = np.flatnonzero(scores >= rules.high)
        low = np.flatnonzero((scores > _DISCARDED) & (scores < rules.high))
        recent, lost = np.flatnonzero(known & (self.unseen == 1)), np.flatnonzero(self.unseen > 1)
        once = np.flatnonzero(~known & (self.unseen == 1))
        pool = np.concatenate([recent, lost])

        left = np.ones(len(scores), np.bool_)

        def join(rows: I64, tracks: I64, least: float, colors: F32 | None, *, fused: bool) -> tuple[I64, I64]:
            if not (len(rows) and len(tracks)):
                return rows[:0], tracks[:0]
            similar = iou(predicted[tracks], bodies[rows])
            if colors is not None:
                similar = _with_colors(similar, self._colors[tracks], colors[rows], self._strangers.usual)
            mine, theirs = assign(similar * scores[rows] if fused else similar, least)
            rows, tracks = rows[theirs], tracks[mine]
            self._see(tracks, found, rows)
            left[rows] = False
            return rows, tracks

        first = join(high, pool, rules.first, found.colors, fused=True)
        second = join(low, recent[self.unseen[recent] == 1], rules.second, None, fused=False)
        third = join(high[left[high]], once, _ONCE_SEEN, None, fused=True)
        rows, tracks = (np.concatenate(column) for column in zip(first, second, third, strict=True))
        self._identify(tracks, rules.confirm, next_id, found.size)
        begun = np.flatnonzero(left & (scores >= max(rules.new, rules.high)))
        kept = self._begin(found, begun, known)
        place = np.cumsum(kept) - 1
        named = self.ids[place[tracks]] != _NOBODY
        return rows[named], place[tracks[named]]

    def _predict(self, elapsed_s: float, fps: float, lost_s: float) -> None:
        self.filters.predict(elapsed_s * fps, fps)
        self.unseen += 1
        self._unseen_s += elapsed_s
        gone = self._unseen_s > lost_s
        away = self._absent
        away.unseen_s[:] += elapsed_s
        if len(away.ids) or gone.any():
            self._absent = away[away.unseen_s <= RETURN_S].joined(self._missing(gone & (self.ids >= 0)))
            self._keep(~gone)

    def _see(self, tracks: I64, found: Sighted, rows: I64) -> None:
        if not len(tracks):
            return
        self.filters.update(tracks, found.boxes[rows], found.points[rows])
        self.unseen[tracks], self._unseen_s[tracks] = 0, 0.0
        self._sightings[tracks] += 1
        if found.colors is not None:
            known = found.colors[rows].any(1)
            tracks, new = tracks[known], found.colors[rows[known]]
            old = self._colors[tracks]
            mixed = np.where(old.any(1, keepdims=True), old + _NEWEST * (new - old), new)
            self._colors[tracks] = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)

    def _missing(self, rows: Rows) -> Absent:
        """Some of the tracks, as far as their colors are known."""
        rows = rows & self._colors.any(1)
        return Absent(self.ids[rows], self.filters.place[rows, :4], self._colors[rows], self._unseen_s[rows])

    def _identify(self, tracks: I64, confirm: int, next_id: int, size: tuple[int, int] | None) -> None:
        new = tracks[(self.ids[tracks] == _NOBODY) & (self._sightings[tracks] >= confirm)]
        if len(new) and size is not None:
            absent = self._absent.joined(self._missing((self.ids >= 0) & (self._unseen_s > _AWAY_S)))
            places, colors = self.filters.place[new, :4], self._colors[new]
            back, whom = returned(absent, places, colors, size, self._strangers.rare)
            numbers = absent.ids[whom]
            self.ids[np.isin(self.ids, numbers)] = _PASSED_ON
            self._absent = self._absent[~np.isin(self._absent.ids, numbers)]
            self.ids[new[back]] = numbers
            new = np.delete(new, back)
        self.ids[new] = next_id + np.arange(len(new))

    def _begin(self, found: Sighted, begun: I64, known: Rows) -> Rows:
        """Forget whoever was seen once and not again, and begin tracks; which of the old ones are kept."""
        kept = (known | (self.unseen == 0)) & (self.ids != _PASSED_ON)
        self._keep(kept)
        n = len(begun)
        if n:
            colors = np.zeros((n, COLORS), np.float32) if found.colors is None else found.colors[begun]
            self.filters = self.filters.joined(BoxFilters.of(found.boxes[begun], found.points[begun]))
            self.ids = np.concatenate([self.ids, np.full(n, _NOBODY)])
            self.unseen = np.concatenate([self.unseen, np.zeros(n, np.int64)])
            self._unseen_s = np.concatenate([self._unseen_s, np.zeros(n)])
            self._sightings = np.concatenate([self._sightings, np.ones(n, np.int64)])
            self._colors = np.concatenate([self._colors, colors])
        return kept

    def _keep(self, rows: Rows) -> None:
        if not rows.all():
            self.filters, self._colors = self.filters[rows], self._colors[rows]
            self.ids, self.unseen = self.ids[rows], self.unseen[rows]
            self._unseen_s, self._sightings = self._unseen_s[rows], self._sightings[rows]


def _with_colors(overlap: F32, ours: F32, theirs: F32, usual: float) -> F32:
    """(N, M) similarity by overlap and colors, where these are known of both; ``usual`` is strangers'."""
    usual = min(usual, _USUAL)
    alike = (np.maximum(ours @ theirs.T - usual, 0) / (1 - usual)).astype(np.float32)
    both = np.where(overlap > _NEAR, overlap + _SHARE * (alike - overlap), 0)
    return np.where(np.logical_and.outer(ours.any(1), theirs.any(1)), both, overlap)
