"""Fair turns at something that one thread uses at a time: whoever had it longest ago is next."""

import math
import threading
import time
from collections.abc import Callable
from typing import Final

_MEMORY_S: Final = 1.0
"""Time constant with which earlier use is forgotten."""


class Turns:
    """Hands out turns. Every method may be called from any thread."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nobody.

        Args:
            clock: seconds, monotonic.
        """
        self._clock = clock
        self._changed = threading.Condition()
        self._turns: list[Turn] = []
        self._at_work: Turn | None = None
        self._served = 0

    def join(self) -> "Turn":
        """Somebody more who wants turns; who has had none yet comes first."""
        with self._changed:
            turn = Turn(self)
            self._turns.append(turn)
            return turn

    def _take(self, turn: "Turn") -> None:
        with self._changed:
            turn.waiting = True
            self._changed.wait_for(lambda: turn not in self._turns or self._next() is turn)
            turn.waiting = False
            if turn in self._turns and self._at_work is not turn:
                self._at_work, turn.begun = turn, self._clock()
                self._served += 1
                turn.served = self._served

    def _give(self, turn: "Turn") -> None:
        with self._changed:
            if self._at_work is not turn:
                return
            self._at_work = None
            now = self._clock()
            turn.add(now - turn.begun, now)
            self._changed.notify_all()

    def _leave(self, turn: "Turn") -> None:
        self._give(turn)
        with self._changed:
            if turn in self._turns:
                self._turns.remove(turn)
            self._changed.notify_all()

    def _share(self, turn: "Turn") -> float:
        with self._changed:
            now = self._clock()
            total = sum(one.used(now) for one in self._turns)
            return turn.used(now) / total if total else 1.0

    def _next(self) -> "Turn | None":
        """Whose turn it is: of those who wait, the one who was served longest ago."""
        if self._at_work is not None:
            return self._at_work
        return min((turn for turn in self._turns if turn.waiting), key=lambda one: one.served, default=None)


class Turn:
    """One participant's turns; made by ``Turns.join``.

    Attributes:
        waiting: whether it waits for its turn.
        served: number of its last turn, in the order of all turns; 0 before the first.
        begun: when its last turn began.
    """

    waiting: bool
    served: int
    begun: float

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.waiting, self.served, self.begun = False, 0, 0.0
        self._used_s = self._used_at = 0.0

    def take(self) -> None:
        """Wait for a turn; returns at once if it has one, or has left."""
        self._turns._take(self)

    def give(self) -> None:
        """End the turn; without one, nothing happens."""
        self._turns._give(self)

    def leave(self) -> None:
        """Take no more turns; who waits for one stops waiting."""
        self._turns._leave(self)

    def share(self) -> float:
        """Its part of the time that all turns took lately, between 0 and 1; 1 if there were none."""
        return self._turns._share(self)

    def add(self, seconds: float, now: float) -> None:
        """It used so many seconds until now."""
        self._used_s, self._used_at = self.used(now) + seconds, now

    def used(self, now: float) -> float:
        """Seconds that it used, earlier ones counting less."""
        return self._used_s * math.exp((self._used_at - now) / _MEMORY_S)
