"""Rates, latencies and drops of a run, measured over the last seconds."""

import threading
import time
from collections import deque
from collections.abc import Callable

import numpy as np

from ..types import MeterSnapshot

WINDOW_S = 2.0
STAGE_FRAMES = 100
"""Frames that the stage times are medians of: a stage that stops running disappears after this many."""

_LATENCIES = 256  # frames
_EVENTS = 2048  # bounds the memory of a rate, however fast events come


class Rate:
    """Events per second over a sliding window; right from the second event on, 0 once nothing comes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: deque[float] = deque(maxlen=_EVENTS)

    def tick(self) -> None:
        """Counts an event that happens now."""
        self._times.append(self._clock())
        self._forget(self._times[-1])

    def per_second(self) -> float | None:
        """The rate, or None before the second event.

        Intervals are counted, not events: n events span n - 1 of them. What is still missing after the last
        event counts once it is longer than the usual interval, so a rate falls as soon as events stay away.
        """
        if len(self._times) < 2:
            return None
        span, intervals = self._times[-1] - self._times[0], len(self._times) - 1
        if span <= 0:
            return None
        usual, waiting = span / intervals, self._clock() - self._times[-1]
        if waiting > max(WINDOW_S, 2 * usual):
            return 0.0
        return intervals / (span + max(0.0, waiting - usual))

    def _forget(self, now: float) -> None:
        # Two are kept whatever their age, so that slow events have a rate as well.
        while len(self._times) > 2 and self._times[0] < now - WINDOW_S:
            self._times.popleft()


class Meter:
    """Measures one run. Threads may tell it things at the same time; its memory does not grow."""

    def __init__(
        self, source_fps: float | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start measuring.

        Args:
            source_fps: what the source says of itself, if it does.
            clock: seconds, monotonic.
        """
        self._nominal = source_fps
        self._arrivals = Rate(clock=clock)
        self._finishes = Rate(clock=clock)
        self._stages: dict[str, deque[tuple[int, float]]] = {}
        self._latencies: deque[float] = deque(maxlen=_LATENCIES)
        self._frames = 0
        self._dropped = 0
        self._lock = threading.Lock()

    def arrived(self) -> None:
        """A frame came from the source."""
        with self._lock:
            self._arrivals.tick()

    def dropped(self, count: int = 1) -> None:
        """Frames were left out because newer ones had arrived."""
        with self._lock:
            self._dropped += count

    def stage(self, name: str, seconds: float) -> None:
        """A stage took so long for one frame."""
        with self._lock:
            times = self._stages.setdefault(name, deque(maxlen=STAGE_FRAMES))
            times.append((self._frames, seconds * 1e3))

    def finished(self, latency_s: float | None = None) -> None:
        """Called when a frame is done, with the seconds since it arrived."""
        with self._lock:
            self._frames += 1
            self._finishes.tick()
            if latency_s is not None:
                self._latencies.append(latency_s * 1e3)

    def snapshot(self) -> MeterSnapshot:
        """All figures as they are now."""
        with self._lock:
            p50, p95 = np.percentile(self._latencies, [50, 95]) if self._latencies else (None, None)
            return MeterSnapshot(
                source_fps=self._nominal or self._arrivals.per_second(),
                processing_fps=self._finishes.per_second(),
                stage_ms=self._stage_ms(),
                latency_ms_p50=None if p50 is None else float(p50),
                latency_ms_p95=None if p95 is None else float(p95),
                frames=self._frames,
                dropped=self._dropped,
            )

    def _stage_ms(self) -> dict[str, float]:
        oldest = self._frames - STAGE_FRAMES
        recent = {
            name: [ms for frame, ms in times if frame >= oldest] for name, times in self._stages.items()
        }
        return {name: float(np.median(ms)) for name, ms in recent.items() if ms}
