"""All sinks of one run, written together, and the totals of what they were given."""

import math
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ...models.types import U8
from ..analytics.tally import Tally
from ..events import Event
from ..types import FrameResult, RunSummary
from .base import Sink


class FanOut:
    """Writes every frame to every sink, so that all of them hold the same frames wherever a run ends.

    Frames are written from one thread; ``finish`` and ``abort`` may be called from another, and wait for a
    frame that is being written. Nothing is written after them.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = list(sinks)
        self._lock = threading.Lock()
        # A lock of its own: no stage waits for a frame that is being written.
        self._times_lock = threading.Lock()
        self._open = True
        self._begun = time.perf_counter()
        self._tally = Tally()
        self._stages: dict[str, _Times] = {}

    @property
    def frames(self) -> int:
        """Frames written so far."""
        return self._tally.frames

    @property
    def notices(self) -> list[str]:
        """What the sinks want the user to know, a line each; complete after ``finish``."""
        return [line for sink in self._sinks for line in sink.notices]

    @property
    def needs_clean_image(self) -> bool:
        """Whether a sink needs the frame's own image without the drawing; see `Sink`."""
        return any(sink.needs_clean_image for sink in self._sinks)

    def write(self, result: FrameResult, image: U8 | None) -> None:
        """Writes one frame: what was found in it, and its (H, W, 3) uint8 BGR image, see `Sink.write`."""
        with self._lock:
            if not self._open:
                return
            for sink in self._sinks:
                sink.write(result, image)
            self._tally.add(result)

    def took(self, stage: str, seconds: float) -> None:
        """Count the seconds that a stage took for one frame; from any thread."""
        with self._times_lock:
            self._stages.setdefault(stage, _Times()).add(seconds)

    def finish(
        self, warnings: Sequence[str] = (), *, complete: bool = True, events: Sequence[Event] = ()
    ) -> RunSummary:
        """Completes every file.

        Args:
            warnings: what the user should know of the run, a line each.
            complete: whether the source was read to its end.
            events: that happened at the end, see ``Watch.end``.

        Raises:
            SepcamError: If a file cannot be completed; call ``abort`` then.
        """
        with self._lock:
            summary = replace(self.counted(events), warnings=tuple(warnings), complete=complete)
            self._close(summary)
            return summary

    def prepare(self, summary: RunSummary) -> None:
        """Writes all that is left of every file, so that ``close`` with the same summary only names them.

        Raises:
            SepcamError: If a file cannot be completed; call ``abort`` then.
        """
        with self._lock:
            self._prepare(summary)

    def close(self, summary: RunSummary) -> None:
        """Completes every file with a summary that the caller made.

        Raises:
            SepcamError: If a file cannot be completed; call ``abort`` then.
        """
        with self._lock:
            self._close(summary)

    def counted(self, events: Sequence[Event] = ()) -> RunSummary:
        """Totals of what was written so far, and of events at the end."""
        seconds = time.perf_counter() - self._begun
        with self._times_lock:
            stage_ms = {name: times.median_ms() for name, times in self._stages.items()}
        statistics = self._tally.statistics(events)
        return RunSummary(
            frames=self.frames,
            people=statistics.people,
            seconds=seconds,
            fps=self.frames / seconds if seconds > 0 else 0.0,
            stage_ms=stage_ms,
            events=tuple(events),
            statistics=statistics,
        )

    def abort(self) -> None:
        """Deletes every file that was not completed."""
        # A write that hangs must not prevent the other sinks from being aborted.
        held = self._lock.acquire(timeout=1.0)
        try:
            self._open = False
            for sink in self._sinks:
                sink.abort()
        finally:
            if held:
                self._lock.release()

    def _prepare(self, summary: RunSummary) -> None:
        self._open = False
        for sink in self._sinks:
            sink.prepare(summary)

    def _close(self, summary: RunSummary) -> None:
        # All that may fail for want of room comes first: no file appears unless all can.
        self._prepare(summary)
        for sink in self._sinks:
            sink.close(summary)


class _Times:
    """Durations as a histogram in steps of 1 %, so that a long run takes no more memory than a short one."""

    _STEP = 1.01

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        self._counts[round(math.log(max(seconds, 1e-7), self._STEP))] += 1

    def median_ms(self) -> float:
        """The median in milliseconds, accurate to half a percent."""
        left = self._counts.total() / 2
        for step in sorted(self._counts):
            left -= self._counts[step]
            if left <= 0:
                return self._STEP**step * 1e3
        return 0.0
