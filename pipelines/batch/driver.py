"""The driver of a job: hands files to workers, and writes down what became of each."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Protocol

from ..outputs import Save, Target
from ..partial_file import DiskFullError, clear_leftovers
from .folder import JobFolder
from .journal import UNDONE, Entry, Journal
from .tasks import FileTask, TaskResult
from .workers import Advanced, Died, Event, Finished, WorkerPool

POLL_S = 0.5


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
    """A file that a worker has."""

    entry: Entry
    task: FileTask


class Driver:
    """Runs a job to its end: every file that waits in the journal is done, or set aside with its reason."""

    def __init__(
        self,
        folder: JobFolder,
        journal: Journal,
        pool: WorkerPool,
        observer: Observer,
        *,
        retries: int = 1,
        overwrite: bool = False,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Prepare.

        Args:
            folder: of the job, whose lock the caller holds.
            journal: is written by nobody else.
            pool: does the work.
            observer: hears what happens.
            retries: more attempts for a file that failed in a way that may pass.
            overwrite: whether results that the job did not make may be replaced.
            stopped: whether the user wants to end; asked every half second.
        """
        self._folder, self._journal, self._pool, self._observer = folder, journal, pool, observer
        self._retries, self._overwrite, self._stopped = retries, overwrite, stopped
        self._ids = count(1)
        self._waiting: deque[Entry] = deque()
        self._running: dict[int, _Work] = {}
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
        while self._running or (self._waiting and not asked and self._disk_full is None):
            if not asked and self._disk_full is None:
                self._hand_out()
            for event in self._pool.wait(POLL_S):
                self._heard(event)
            if self._stopped() and not asked:
                asked = True
                self._pool.stop()
        if self._disk_full is not None:
            raise DiskFullError(f"{self._disk_full}; then the same command goes on where it stopped")
        return not self._waiting and not asked

    def _hand_out(self) -> None:
        for _ in range(min(self._pool.free(), len(self._waiting))):
            entry = self._waiting.popleft()
            ours = entry.started is not None or self._overwrite
            files: dict[Save, Path] = {save: self._folder.out / path for save, path in entry.planned.items()}
            task = FileTask(
                next(self._ids), entry.id, entry.input, Target(entry.input.name, files), overwrite=ours
            )
            self._journal.begin(entry.id)
            self._running[task.id] = _Work(entry, task)
            self._pool.submit(task)
            self._observer.began(entry)

    def _heard(self, event: Event) -> None:
        if isinstance(event, Advanced) and event.task in self._running:
            entry = self._running[event.task].entry
            self._observer.advanced(entry, event.worker, event.frames, event.total)
        elif isinstance(event, Finished):
            self._ended(self._running.pop(event.task), event.result)
        elif isinstance(event, Died) and event.task is not None:
            work = self._running.pop(event.task)
            self._clear(work.entry)
            self._ended(work, TaskResult(error=event.reason, again=True))

    def _ended(self, work: _Work, result: TaskResult) -> None:
        entry, attempts = work.entry, work.entry.attempts + 1
        if result.disk_full:
            self._journal.wait(entry.id, attempts=entry.attempts, error=result.error)
            self._disk_full = result.error
            self._pool.stop()
            return
        if result.error is not None and result.again and attempts <= self._retries:
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
        )
        return replace(
            entry,
            state="done" if result.complete else "stopped",
            attempts=attempts,
            frames=result.frames,
            people=result.people,
            seconds=result.seconds,
            warnings=tuple(result.warnings),
            outputs=tuple(outputs),
            error=None,
        )

    def _clear(self, entry: Entry) -> None:
        for path in entry.planned.values():
            clear_leftovers(self._folder.out / path)
