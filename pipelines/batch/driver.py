"""The driver of a job: hands files to workers, and records the outcome of each."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Protocol

from ...models.files import DiskFullError, clear_leftovers
from ...models.registry import find_detector
from ...models.zoo import choose_detector
from ..analysis.options import AnalysisOptions
from ..files.file_types import IMAGE_SUFFIXES
from ..sinks.outputs import Target
from ..sinks.registry import sink_kinds
from .state.job_folder import JobFolder
from .state.journal import UNDONE, Entry, Journal
from .state.settings import JobSettings
from .tasks.plan import LEAST_PART_S, FileInParts, Steps, WholeFile
from .tasks.types import Task, TaskResult
from .workers.protocol import Advanced, Died, Event, Finished, WorkerPool

POLL_S = 0.5

_LEAST_BYTES_PER_S = 10_000  # of any video: shorter files are not even opened


class Observer(Protocol):
    """Hears what happens; shows it, or writes it down."""

    def began(self, entry: Entry) -> None:
        """A file was handed to a worker."""
        ...

    def advanced(self, entry: Entry, worker: int, frames: int, total: int | None) -> None:
        """A worker is so far with a file."""
        ...

    def retried(self, entry: Entry, reason: str) -> None:
        """A file failed, and gets another attempt."""
        ...

    def ended(self, entry: Entry, result: TaskResult) -> None:
        """A file is done, stopped, skipped or set aside; the entry says which."""
        ...


@dataclass(slots=True)
class _Work:
    """A file that is under way."""

    entry: Entry
    steps: Steps


@dataclass(frozen=True, slots=True)
class Policy:
    """How a job treats its files.

    Attributes:
        retries: more attempts for a file that failed in a way that may pass.
        overwrite: whether results that the job did not make may be replaced.
        least_part_s: least seconds of a part of a long file.
    """

    retries: int = 1
    overwrite: bool = False
    least_part_s: float = LEAST_PART_S


class Driver:
    """Runs a job to its end: every file that waits in the journal is done, or set aside with its reason."""

    def __init__(
        self,
        folder: JobFolder,
        journal: Journal,
        pool: WorkerPool,
        observer: Observer,
        *,
        settings: JobSettings,
        policy: Policy = Policy(),
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Prepare.

        Args:
            folder: of the job, whose lock the caller holds.
            journal: is written by nobody else.
            pool: does the work.
            observer: called at each event.
            settings: of the job.
            policy: how it treats its files.
            stopped: whether the user wants to end; asked every half second.
        """
        self._folder, self._journal, self._pool, self._observer = folder, journal, pool, observer
        self._settings, self._policy, self._stopped = settings, policy, stopped
        self._ids = count(1)
        self._waiting: deque[Entry] = deque()
        self._work: list[_Work] = []
        self._running: dict[int, tuple[_Work, Task]] = {}
        self._disk_full: str | None = None

    def run(self) -> bool:
        """Does everything that waits.

        Returns:
            False where it was stopped before.

        Raises:
            SepcamError: If nothing more can be done: no worker loads, or the disk is full.
        """
        for entry in self._journal.entries():
            if entry.state in UNDONE:
                self._clear(entry)
                self._waiting.append(entry)
        asked = False
        while self._running or ((self._waiting or self._work) and not asked and self._disk_full is None):
            if not asked and self._disk_full is None:
                self._hand_out()
            for event in self._pool.wait(POLL_S):
                self._heard(event)
            if self._stopped() and not asked:
                asked = True
                self._pool.stop()
        if self._disk_full is not None:
            raise DiskFullError(f"{self._disk_full}; then the same command continues where it stopped")
        return not self._waiting and not asked

    def _hand_out(self) -> None:
        for _ in range(self._pool.free()):
            number = next(self._ids)
            found = next(((work, task) for work in self._work if (task := work.steps.next(number))), None)
            while found is None and self._waiting:
                work = self._begin(self._waiting.popleft())
                task = work.steps.next(number)
                found = None if task is None else (work, task)
            if found is None:
                return
            self._running[number] = found
            self._pool.submit(found[1])

    def _begin(self, entry: Entry) -> _Work:
        ours = entry.started is not None or self._policy.overwrite
        files: dict[str, Path] = {save: self._folder.out / path for save, path in entry.planned.items()}
        target = Target(entry.input.name, files)
        steps: Steps
        if self._in_parts(entry):
            steps = FileInParts(
                entry.input,
                target,
                self._folder.parts(entry.id),
                workers=self._pool.size,
                overwrite=ours,
                tracked="track" in self._settings.analysis.tasks,
                counted=bool(self._settings.zones),
                least_s=self._policy.least_part_s,
            )
        else:
            steps = WholeFile(entry.input, target, overwrite=ours)
        self._journal.begin(entry.id)
        self._observer.began(entry)
        work = _Work(entry, steps)
        self._work.append(work)
        return work

    def _in_parts(self, entry: Entry) -> bool:
        """Whether a file is so long that the other workers would wait for it."""
        settings, path = self._settings, entry.input.path
        if self._pool.size < 2 or entry.input.images or path is None or not path.is_file():
            return False
        # An animated image is a video that cannot be searched.
        if (
            path.suffix.lower() in IMAGE_SUFFIXES
            or entry.bytes < 2 * self._policy.least_part_s * _LEAST_BYTES_PER_S
        ):
            return False
        if any(save != "video" and sink_kinds()[save].image for save in settings.saves):
            return False
        if settings.analysis.detect_every != 1 or settings.start_s or settings.frames is not None:
            return False
        if settings.stream is not None or not settings.deinterlace:
            return False
        if "segment" in settings.analysis.tasks and _finds_masks(settings.analysis):
            return False  # its masks are made later, of those alone who are reported, from what it saw
        others = sum(one.bytes for one in self._waiting) + sum(one.entry.bytes for one in self._work)
        return entry.bytes * self._pool.size > others + entry.bytes

    def _heard(self, event: Event) -> None:
        if isinstance(event, Advanced) and event.task in self._running:
            work, task = self._running[event.task]
            frames, total = work.steps.progress(task, event.frames, event.total)
            self._observer.advanced(work.entry, event.worker, frames, total)
        elif isinstance(event, Finished):
            self._done(event.task, event.result)
        elif isinstance(event, Died) and event.task is not None:
            self._clear(self._running[event.task][0].entry)
            self._done(event.task, TaskResult(error=event.reason, again=True))

    def _done(self, number: int, result: TaskResult) -> None:
        work, task = self._running.pop(number)
        final = work.steps.done(task, result)
        if final is not None:
            self._work.remove(work)
            self._ended(work, final)

    def _ended(self, work: _Work, result: TaskResult) -> None:
        entry, attempts = work.entry, work.entry.attempts + 1
        if result.disk_full:
            self._journal.wait(entry.id, attempts=entry.attempts, error=result.error)
            self._disk_full = result.error
            self._pool.stop()
            return
        if result.error is not None and result.again and attempts <= self._policy.retries:
            self._journal.wait(entry.id, attempts=attempts, error=result.error)
            self._waiting.append(replace(entry, attempts=attempts, started=entry.started or 0.0))
            self._observer.retried(entry, result.error)
            return
        self._observer.ended(self._written(entry, result, attempts), result)

    def _written(self, entry: Entry, result: TaskResult, attempts: int) -> Entry:
        """Writes the end of a file down; the entry as it is now."""
        if result.error is not None:
            self._journal.fail(entry.id, result.error, attempts=attempts)
            return replace(entry, state="failed", error=result.error, attempts=attempts)
        if result.skipped is not None:
            self._journal.skip(entry.id, result.skipped)
            return replace(entry, state="skipped", error=result.skipped)
        if not result.outputs:  # stopped before there was anything
            self._journal.wait(entry.id, attempts=entry.attempts)
            return replace(entry, state="waiting")
        if not result.complete:
            attempts = entry.attempts  # it did not fail: the job was ended
        outputs = [replace(one, path=self._folder.relative(Path(one.path))) for one in result.outputs]
        self._journal.finish(
            entry.id,
            outputs,
            attempts=attempts,
            frames=result.frames,
            people=result.people,
            seconds=result.seconds,
            warnings=result.warnings,
            complete=result.complete,
            statistics=result.statistics,
        )
        return replace(
            entry,
            state="done" if result.complete else "stopped",
            attempts=attempts,
            frames=result.frames,
            people=result.people,
            statistics=result.statistics,
            seconds=result.seconds,
            warnings=tuple(result.warnings),
            outputs=tuple(outputs),
            error=None,
        )

    def _clear(self, entry: Entry) -> None:
        for path in entry.planned.values():
            clear_leftovers(self._folder.out / path)


def _finds_masks(options: AnalysisOptions) -> bool:
    """Whether the detector finds masks along with boxes."""
    name = choose_detector(options.classes) if options.detector == "auto" else options.detector
    spec = find_detector(name)
    return spec is not None and "segment" in spec.parts
