"""Timestamps that always increase, whatever the file says."""

from fractions import Fraction

_FALLBACK_FPS = 25
_JUMP_S = 1


class FrameClock:
    """Turns the timestamps of a file's frames into seconds from its beginning, each later than the last.

    A frame without a timestamp follows the one before it by one frame; one that goes back a little is put
    just after it; a clock that was set back (joined recordings, a counter that overflowed) is carried on.

    Attributes:
        repaired: how many timestamps were missing or went back.
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

    def time_s(self, pts: int | None) -> float:
        """Seconds of the frame with timestamp ``pts`` (ticks), or None where it has none."""
        ticks = self._repair(pts)
        self._last = ticks
        return float(ticks * self._time_base)

    def _repair(self, pts: int | None) -> int:
        if self._last is None:
            return 0 if pts is None else pts + self._shift
        if pts is not None and pts + self._shift > self._last:
            return pts + self._shift
        self.repaired += 1
        if pts is None:
            return self._last + self._step
        if (self._last - pts - self._shift) * self._time_base >= _JUMP_S:
            self._shift = self._last + self._step - pts
            return self._last + self._step
        return self._last + max(1, self._step // 2)
