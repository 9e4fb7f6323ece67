"""Whether a task still moves: a codec that hangs says nothing, so silence is all there is to see."""

import time
from collections.abc import Callable
from typing import Final

STALL_S: Final = 120.0
"""Seconds without a finished frame after which a task is given up; far more than any frame takes."""

_ENDING = 10
"""Times as long may it take to complete the files after the last frame: a large one is copied as a whole."""

_GAP_S = 5.0
"""Most seconds of silence that count at once: a job that was suspended (Ctrl-Z) has heard nothing either."""


class StallWatch:
    """For how long a worker's task has not moved."""

    def __init__(self, limit_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is under way yet.

        Args:
            limit_s: seconds without a finished frame that are too many.
            clock: tells the time in seconds.
        """
        self._limit_s, self._clock = limit_s, clock
        self._asked_at: float | None = None
        self._silent_s = 0.0
        self._ending = False

    def begun(self) -> None:
        """A task is under way from now on."""
        self.moved(0, None)

    def moved(self, frames: int, total: int | None) -> None:
        """Called with the frames that are done, and the total, if that is known."""
        self._asked_at, self._silent_s = self._clock(), 0.0
        self._ending = total is not None and frames >= total

    def ended(self) -> None:
        """Nothing is under way any more."""
        self._asked_at = None

    def stalled(self) -> str | None:
        """What to tell of a task that hangs; None of one that moves, and where there is none. Ask often."""
        if self._asked_at is None:
            return None
        now = self._clock()
        self._silent_s += min(now - self._asked_at, _GAP_S)
        self._asked_at = now
        limit_s = self._limit_s * (_ENDING if self._ending else 1)
        if self._silent_s <= limit_s:
            return None
        what = "its files were not completed" if self._ending else "no frame was finished"
        return f"it hangs: {what} in {limit_s:g} s (--stall-timeout)"
