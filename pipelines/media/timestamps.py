"""Timestamps that always increase, whatever the file says."""

from collections.abc import Iterable
from fractions import Fraction

_FALLBACK_FPS = 25
_JUMP_S = 1
LEAP_S = 100 * 86_400
"""Seconds from which a step forward means that a clock was set (from 1970 to today), and no gap."""


class BestEffort:
    """Chooses between the two timestamps of decoded frames, as FFmpeg's ``best_effort_timestamp`` does.

    Some containers (AVI, MXF) store H.264's presentation timestamps in decoding order, so that they go back;
    the frames' decoding timestamps are right there. Source: ``guess_correct_pts`` in libavcodec/decode.c.
    """

    def __init__(self, ahead: Iterable[tuple[int | None, int | None]] = ()) -> None:
        """Start.

        Args:
            ahead: presentation and decoding timestamps of the first frames, which ``choose`` will get too:
                so the first frames are right as well.
        """
        self._faulty_pts = self._faulty_dts = 0
        self._last_pts: int | None = None
        self._last_dts: int | None = None
        self._chosen: int | None = None
        self._step = 0
        for pts, dts in ahead:
            self.choose(pts, dts)
        self._last_pts = self._last_dts = self._chosen = None

    def choose(self, pts: int | None, dts: int | None) -> int | None:
        """The timestamp of the next frame in order of presentation, in ticks.

        Args:
            pts: its presentation timestamp, or None where the file has none.
            dts: the decoding timestamp of the packet that completed it, or None.

        Returns:
            None where the frame has neither.
        """
        if dts is not None and self._last_dts is not None:
            self._faulty_dts += dts <= self._last_dts
        if pts is not None and self._last_pts is not None:
            self._faulty_pts += pts <= self._last_pts
        self._last_dts = pts if dts is None else dts
        self._last_pts = dts if pts is None else pts
        chosen = pts if pts is not None and self._faulty_pts <= self._faulty_dts else dts
        if chosen is None and pts is not None and self._chosen is not None:
            # The last frames come out of the decoder without a packet, and so without its timestamp.
            chosen = self._chosen + self._step
        if chosen is not None and self._chosen is not None:
            self._step = chosen - self._chosen
        self._chosen = chosen
        return chosen


class FrameClock:
    """Maps the timestamps of a file's frames to seconds from its beginning, each later than the last.

    A frame without a timestamp follows the one before it by one frame; one that goes back a little is put
    just after it; a clock that was set (joined recordings, a counter that overflowed) continues.

    Attributes:
        repaired: how many timestamps were missing, went back or leapt ahead.
    """

    repaired: int

    def __init__(self, time_base: Fraction, fps: float | None, origin_s: Fraction) -> None:
        """Start a clock.

        Args:
            time_base: seconds per tick.
            fps: usual frames per second, or None if unknown.
            origin_s: the time that is called 0.
        """
        self.repaired = 0
        self._time_base = time_base
        self._step = max(1, round(1 / (Fraction(fps or _FALLBACK_FPS) * time_base)))
        self._shift = -round(origin_s / time_base)
        self._last: int | None = None

    @property
    def shift_s(self) -> Fraction:
        """Seconds that are added to the file's timestamps now."""
        return self._shift * self._time_base

    def time_s(self, pts: int | None) -> float:
        """Seconds from the beginning of the frame with timestamp ``pts`` (ticks; None where it has none)."""
        ticks = self._repair(pts)
        self._last = ticks
        return float(ticks * self._time_base)

    def _repair(self, pts: int | None) -> int:
        if self._last is None:
            return 0 if pts is None else pts + self._shift
        if pts is None:
            self.repaired += 1
            return self._last + self._step
        ahead_s = (pts + self._shift - self._last) * self._time_base
        if 0 < ahead_s < LEAP_S:
            return pts + self._shift
        self.repaired += 1
        if not -_JUMP_S < ahead_s <= 0:
            self._shift = self._last + self._step - pts
            return self._last + self._step
        return self._last + max(1, self._step // 2)
