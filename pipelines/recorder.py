"""All sinks of one run, written together, and the count of what went into them."""

import threading
import time
from array import array
from collections.abc import Sequence

import numpy as np

from ..models.types import U8
from .frames import FrameResult, RunSummary
from .sinks import Sink


class Recorder:
    """Hands every frame to every sink, so that all of them hold the same frames wherever a run ends.

    Frames are written from one thread; ``finish`` and ``abort`` may be called from another, and wait for a
    frame that is being written. Nothing is written after them.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = list(sinks)
        self._lock = threading.Lock()
        self._open = True
        self._begun = time.perf_counter()
        self._frames = 0
        self._identities: set[int] = set()
        self._most_people = 0
        self._stages: dict[str, array[float]] = {}

    @property
    def frames(self) -> int:
        """Frames written so far."""
        return self._frames

    @property
    def notices(self) -> list[str]:
        """What the sinks want the user to know, a line each; complete after ``finish``."""
        return [line for sink in self._sinks for line in getattr(sink, "notices", ())]

    def write(self, result: FrameResult, picture: U8 | None) -> None:
        """Writes one frame: what was found in it, and its (H, W, 3) uint8 BGR picture."""
        with self._lock:
            if not self._open:
                return
            for sink in self._sinks:
                sink.write(result, picture)
            self._count(result)

    def finish(self, warnings: Sequence[str] = (), *, complete: bool = True) -> RunSummary:
        """Completes every file.

        Args:
            warnings: what the user should know of the run, a line each.
            complete: whether the source came to its end.

        Raises:
            SepcamError: If a file cannot be completed; call ``abort`` then.
        """
        with self._lock:
            seconds = time.perf_counter() - self._begun
            summary = RunSummary(
                frames=self._frames,
                people=len(self._identities) or self._most_people,
                seconds=seconds,
                fps=self._frames / seconds if seconds > 0 else 0.0,
                stage_ms={name: float(np.median(times)) for name, times in self._stages.items()},
                warnings=tuple(warnings),
                complete=complete,
            )
            self._open = False
            for sink in self._sinks:
                sink.close(summary)
            return summary

    def abort(self) -> None:
        """Leaves no file behind that was not completed."""
        # A write that hangs must not keep the others from being cleared away.
        held = self._lock.acquire(timeout=1.0)
        try:
            self._open = False
            for sink in self._sinks:
                sink.abort()
        finally:
            if held:
                self._lock.release()

    def _count(self, result: FrameResult) -> None:
        self._frames += 1
        found = result.instances
        people = found.people
        if found.track_ids is None:
            self._most_people = max(self._most_people, int(people.sum()))
        else:
            self._identities.update(found.track_ids[people].tolist())
        for name, milliseconds in result.stage_ms.items():
            self._stages.setdefault(name, array("f")).append(milliseconds)
