"""How to share out the cores, many processes or many threads each, by trying it on the job's own files."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..files.inputs import Input
from ..files.naming import name_targets
from ..state.journal import Entry
from ..tasks.types import FileTask
from .processes import ProcessPool
from .protocol import Advanced, Died, Finished

MEASURED_S: Final = 2.0
"""Seconds of work in each trial."""

COST: Final = 0.05
"""Share of the job's time that another trial may cost."""

WORTH: Final = 1.05
"""Times the frames per second that more workers have to bring, to be worth their memory."""

WORTH_IN_PARTS: Final = 1.15
"""The same where they would have to share files: parts are read twice, and joined in the end."""

_LOADING_S = 120.0
_ENDING_S = 30.0
_SOURCES = 3  # that are tried, until one can be processed


@dataclass(frozen=True, slots=True)
class Split:
    """How the cores are shared out.

    Attributes:
        workers: processes.
        threads: of each network in each of them.
    """

    workers: int
    threads: int

    def __str__(self) -> str:
        workers = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{workers} with {threads}{' each' if self.workers > 1 else ''}"


@dataclass(frozen=True, slots=True)
class Trial:
    """What a split did with a piece of the job.

    Attributes:
        fps: frames per second of all workers, through the whole pipeline.
        starting_s: seconds until all of them had loaded their networks.
        rss: bytes of memory of one of them.
        frames: estimate of how many the whole job has, None where that is unknown.
    """

    fps: float
    starting_s: float
    rss: int = 0
    frames: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The split that was chosen.

    Attributes:
        split: the split.
        why: in a line, with the split.
    """

    split: Split
    why: str


def splits(tasks: int, cores: int, threads: int | None = None) -> Iterator[Split]:
    """The splits that come into question: 1, 2, 4 ... workers, and at last one for each core.

    Args:
        tasks: files or parts of files that can be done at the same time; there are no more workers.
        cores: of this machine.
        threads: of each network in each worker; None shares out the cores.
    """
    most = max(1, min(tasks, cores // (threads or 1)))
    for workers in sorted({most, *(2**n for n in range(most.bit_length()))}):
        yield Split(workers, threads or max(1, cores // workers))


def choose(
    candidates: Sequence[Split],
    attempt: Callable[[Split], Trial | None],
    *,
    files: int,
    max_memory: int | None = None,
) -> Choice:
    """Tries more and more workers, for as long as that is faster and the job long enough to repay the trial.

    Args:
        candidates: with ever more workers; the first one holds where nothing is faster.
        attempt: tries a split; None where that was not possible.
        files: of the job; with more workers than that, they have to share files.
        max_memory: bytes for all workers together, or None. Those of a trial work beside the chosen ones.
    """
    split, *more = candidates
    if not more:
        return Choice(split, str(split))
    best = attempt(split)
    if best is None:
        return Choice(split, f"{split} (no file could be tried)")
    slower = ""
    for other in more:
        if max_memory is not None and (split.workers + other.workers) * best.rss > max_memory:
            slower = f"; no memory to try {other}"
            break
        if best.frames is not None:
            left_s = best.frames / best.fps
            if 2 * best.starting_s + MEASURED_S > COST * left_s:
                slower = f"; more workers would not repay their start-up (about {left_s:.0f} s of work)"
                break
        trial = attempt(other)
        if trial is None:
            break
        if trial.fps < best.fps * (WORTH if other.workers <= files else WORTH_IN_PARTS):
            slower = f"; {other}: {trial.fps:.1f} FPS"
            break
        split, best = other, trial
    return Choice(split, f"{split}: {best.fps:.1f} FPS in a trial{slower}")


class Tryout:
    """Tries splits with real workers, and keeps the last pool that ``choose`` was content with.

    Each worker reads, analyses, draws and encodes the largest file, for a short while.
    """

    def __init__(
        self,
        start: Callable[[Split], ProcessPool],
        entries: Sequence[Entry],
        saves: Sequence[str],
        frames: int | None,
    ) -> None:
        """Prepare the trials; no worker is started.

        Args:
            start: makes the workers of a split.
            entries: what the job has to do.
            saves: which kinds of results.
            frames: after how many frames of each file to stop, or None.
        """
        self._start, self._entries, self._saves, self._frames = start, entries, saves, frames
        self._sources = sorted(entries, key=lambda entry: -entry.bytes)[:_SOURCES]
        self._pools: dict[Split, ProcessPool] = {}

    def attempt(self, split: Split) -> Trial | None:
        """Tries a split; None where no file can be processed, or one takes too long to end.

        Raises:
            SepcamError: If no worker can load its networks.
        """
        begun = time.monotonic()
        pool = self._pools[split] = self._start(split)
        starting_s = 0.0
        while self._sources and self._loaded(pool, split.workers):
            starting_s = starting_s or time.monotonic() - begun
            done = self._run(pool, split.workers, self._sources[0].input)
            if done is None:
                break
            fps, length = done
            if fps:
                return Trial(fps, starting_s, pool.rss, self._job_frames(length))
            self._sources.pop(0)
        self._pools.pop(split).close()
        return None

    def pool(self, split: Split) -> ProcessPool:
        """The workers of this split; all others are ended."""
        chosen = self._pools.pop(split, None)
        self.close()
        return chosen or self._start(split)

    def close(self) -> None:
        """Ends all workers but those that ``pool`` gave away."""
        while self._pools:
            self._pools.popitem()[1].close()

    def _loaded(self, pool: ProcessPool, workers: int) -> bool:
        """Waits until `workers` processes are free; returns whether they are."""
        begun = time.monotonic()
        while pool.free() < workers and time.monotonic() - begun < _LOADING_S:
            pool.wait(0.5)
        return pool.free() >= workers

    def _run(self, pool: ProcessPool, workers: int, source: Input) -> tuple[float, int | None] | None:
        """Frames per second of `workers` processes with a source, 0 if it fails, and its length in frames.

        None where they are not idle again after a while.
        """
        paces = [_Pace() for _ in range(workers)]
        length, running, failed, stopped = None, workers, False, False
        with tempfile.TemporaryDirectory(prefix="sepcam-trial-") as folder:
            tasks = [self._task(number, source, Path(folder)) for number in range(workers)]
            for task in tasks:
                pool.submit(task)
            patience = time.monotonic() + _LOADING_S
            while running and time.monotonic() < patience:
                if not stopped and (failed or all(pace.known for pace in paces)):
                    stopped, patience = True, time.monotonic() + _ENDING_S
                    pool.stop()
                for event in pool.wait(0.1):
                    if isinstance(event, Advanced):
                        length = event.total or length
                        paces[event.task].told(event.frames)
                    elif isinstance(event, Died):
                        running, failed = running - 1, True
                    elif isinstance(event, Finished):
                        failed = failed or not (stopped or event.result.frames)
                        if failed or stopped:
                            running -= 1
                        else:  # a short file, once more
                            paces[event.task].finished(event.result.frames)
                            pool.submit(tasks[event.task])
        if running:
            return None
        return 0.0 if failed else sum(pace.fps for pace in paces), length

    def _task(self, number: int, source: Input, folder: Path) -> FileTask:
        target = name_targets([source], folder / str(number), self._saves)[source.key]
        return FileTask(number, source, target, overwrite=True)

    def _job_frames(self, length: int | None) -> int | None:
        """About how many frames the job has, where all files have as many to the byte as the one tried."""
        size = self._sources[0].bytes
        if length is None or not size:
            return None
        frames = [round(length * entry.bytes / size) for entry in self._entries]
        return sum(frames if self._frames is None else [min(one, self._frames) for one in frames])


class _Pace:
    """How fast a worker is from its first frame on, which may wait for a network of the image's shape."""

    def __init__(self) -> None:
        self._earlier = 0  # frames of earlier rounds
        self._first = self._last = (0.0, 0)

    @property
    def known(self) -> bool:
        return self._last[0] - self._first[0] >= MEASURED_S

    @property
    def fps(self) -> float:
        return (self._last[1] - self._first[1]) / max(self._last[0] - self._first[0], 1e-3)

    def told(self, frames: int) -> None:
        if self.known:
            return
        self._last = time.monotonic(), self._earlier + frames
        if not self._first[1]:
            self._first = self._last

    def finished(self, frames: int) -> None:
        self.told(frames)
        self._earlier += frames
