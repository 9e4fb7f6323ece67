"""What all trackers share: how time passes from frame to frame, and who is shown though nobody saw them."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from ...models.types import F32, I64, Detections

NOMINAL_FPS: Final = 30.0
"""Frames per second where the source does not say, and those in which the ``trackers`` package counts."""

CARRY_S: Final = 0.25
"""Seconds for which somebody whom the detector misses is shown where the Kalman filter expects them.

On PETS09-S2L1, 10 frames a second, two frames more take HOTA from 58.2 to 58.7 and MOTA from 79.4 to 79.6
(YOLOX-nano at 640; halves: 54.4 to 54.7 and 66.8 to 67.6); four frames give no more than two.
"""

_LONGEST_S = 0.5  # that a gap counts: while no image came, nobody was seen to leave
_INSIDE = 0.005  # fraction of the image's sides that a box keeps off the border: the others are leaving
_UNSEEN = 0.5  # fraction of the last score that somebody has who is not seen


class Clock:
    """The time that a tracker goes by, which never stands still or goes back.

    A time that is missing, repeated or goes back counts as one frame after the last.

    Attributes:
        fps: frames per second of the source.
        now_s: seconds since the first frame, as they count.
    """

    fps: float
    now_s: float

    def __init__(self, fps: float | None) -> None:
        """Start, with the frames per second of the source, or None where unknown."""
        self.fps = fps if fps and np.isfinite(fps) and fps > 0 else NOMINAL_FPS
        self.now_s = 0.0
        self._last_s: float | None = None

    def advance(self, time_s: float | None) -> float:
        """Go on to the frame of this time; returns the seconds since the last one, as they count."""
        elapsed_s = self.elapsed(time_s)
        self.now_s += elapsed_s
        if time_s is not None and np.isfinite(time_s):
            self._last_s = time_s
        return elapsed_s

    def elapsed(self, time_s: float | None) -> float:
        """Seconds from the last frame to this time, as they count."""
        if time_s is None or self._last_s is None or not time_s > self._last_s or np.isinf(time_s):
            return 1.0 / self.fps
        return min(time_s - self._last_s, _LONGEST_S)

    def cut(self) -> None:
        """Forget the time of the last frame, as at a cut."""
        self._last_s = None


class Missed(NamedTuple):
    """Somebody who is followed and was not in the last frame.

    Attributes:
        box: (4,) x1 y1 x2 y2, where the Kalman filter expects them.
        seen_s: when they were seen last, by the clock.
        score: their score then.
        label: 0-based index of the class.
        number: the identity.
    """

    box: F32
    seen_s: float
    score: float
    label: int
    number: int


def coasted(missed: Iterable[Missed], now_s: float, size: tuple[int, int]) -> tuple[Detections, I64]:
    """Those who were seen within the last ``CARRY_S`` and have not left.

    Args:
        missed: who was not in the last frame.
        now_s: the clock's time.
        size: (height, width) of the image in pixels.

    Returns:
        Where they are expected, with half their last score; and (N,) int64 identities.
    """
    sides = np.array([size[1], size[0]])
    margin = _INSIDE * sides
    kept = [
        one
        for one in missed
        if one.seen_s >= now_s - CARRY_S
        and (one.box[:2] > margin).all()
        and (one.box[2:] < sides - margin).all()
    ]
    if not kept:
        return Detections.empty(), np.zeros(0, np.int64)
    found = Detections(
        np.stack([one.box for one in kept]).astype(np.float32),
        np.array([_UNSEEN * one.score for one in kept], np.float32),
        np.array([one.label for one in kept], np.int64),
    )
    return found, np.array([one.number for one in kept], np.int64)
