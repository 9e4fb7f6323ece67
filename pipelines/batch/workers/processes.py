"""Workers of a job: what the driver asks of a pool of them, and the pool of processes on this machine."""

import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from multiprocessing.connection import Connection, wait
from typing import Any

from ....models.errors import SepcamError
from ....models.hardware import memory_in_use
from ...execution.background import BACKGROUND
from ...execution.memory import return_freed_memory
from ..state.settings import JobSettings
from ..tasks.run import run_task
from ..tasks.types import Report, Task
from .protocol import Advanced, Died, Event, Finished, Ready
from .watchdog import STALL_S, StallWatch

REPORT_S = 0.25
"""Seconds between two words of a worker on how far it is."""

_STOP = "stop"
_HANGUP = getattr(signal, "SIGHUP", None)  # of a closed terminal; Windows has none
_HEARD_BY_THE_DRIVER = (signal.SIGINT, signal.SIGTERM, *((_HANGUP,) if _HANGUP else ()))
_KILLED_S = 10.0  # then it waits for a disk that does not answer, and is left to the system


class ProcessPool:
    """Worker processes on this machine, with the networks loaded once in each.

    The first one loads alone, so that networks which are not yet converted are converted once.
    """

    def __init__(
        self,
        settings: JobSettings,
        workers: int,
        *,
        threads: int | None = None,
        max_memory: int | None = None,
        stall_s: float = STALL_S,
    ) -> None:
        """Start the first worker.

        Args:
            settings: of the job.
            workers: how many processes.
            threads: of each network in each of them; None leaves it to the runtime.
            max_memory: bytes that all of them together may take, or None. One of them always works.
            stall_s: seconds without a finished frame after which a worker is ended.
        """
        self._settings, self._threads = settings, threads
        self._wanted = workers
        self._max_memory, self._stall_s = max_memory, stall_s
        self._workers: dict[int, _Worker] = {}
        self._loaded = False
        self._loaded_rss = 0
        self._start()

    @property
    def size(self) -> int:
        """See `WorkerPool`."""
        return self._wanted

    @property
    def rss(self) -> int:
        """Bytes of memory that a worker took at the most when its networks were loaded."""
        return self._loaded_rss

    def free(self) -> int:
        """See `WorkerPool`."""
        idle = sum(worker.ready and worker.task is None for worker in self._workers.values())
        if self._full():
            return 0 if idle < len(self._workers) else min(idle, 1)
        return idle

    def submit(self, task: Task) -> None:
        """See `WorkerPool`."""
        worker = next(one for one in self._workers.values() if one.ready and one.task is None)
        worker.task = task.id
        worker.watch.begun()
        worker.send(task)

    def wait(self, timeout_s: float) -> Sequence[Event]:
        """See `WorkerPool`."""
        by_pipe: dict[Any, _Worker] = {worker.pipe: worker for worker in self._workers.values()}
        events: list[Event] = []
        for pipe in wait(list(by_pipe), timeout_s):
            events += self._heard(by_pipe[pipe])
        for worker in list(self._workers.values()):
            if (why := worker.watch.stalled()) is not None:
                worker.process.kill()
                events.append(self._gone(worker, why))
        return events

    def stop(self) -> None:
        """See `WorkerPool`; tasks that are taken later are done as ever."""
        for worker in self._workers.values():
            worker.send(_STOP)

    def close(self) -> None:
        """See `WorkerPool`."""
        for worker in self._workers.values():
            worker.process.kill()
        for worker in self._workers.values():
            worker.process.join()
            worker.pipe.close()
        self._workers.clear()

    def _start(self) -> None:
        number = next(number for number in count(1) if number not in self._workers)
        self._workers[number] = _Worker(number, self._settings, self._threads, StallWatch(self._stall_s))

    def _fill(self) -> None:
        """As many workers as wanted and fit into the memory; more than one only after one has loaded."""
        while len(self._workers) < (self._most() if self._loaded else 1):
            self._start()

    def _most(self) -> int:
        if self._max_memory is None or not self._loaded_rss:
            return self._wanted
        return max(1, min(self._wanted, self._max_memory // self._loaded_rss))

    def _full(self) -> bool:
        """Whether the workers take as much memory as they may."""
        taken = sum(worker.rss for worker in self._workers.values())
        return self._max_memory is not None and taken > self._max_memory

    def _renew(self, worker: "_Worker") -> None:
        """Releases the memory that a worker took for a large image."""
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()
        del self._workers[worker.number]

    def _heard(self, worker: "_Worker") -> list[Event]:
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            return [self._gone(worker)]
        if isinstance(message, SepcamError):
            raise message
        if isinstance(message, Ready):
            worker.ready, self._loaded = True, True
            self._loaded_rss = max(self._loaded_rss, message.rss)
        elif isinstance(message, Advanced):
            worker.watch.moved(message.frames, message.total)
        elif isinstance(message, Finished):
            worker.task = None
            worker.watch.ended()
        worker.rss = message.rss
        # A new worker in its place would take no less than one that has just loaded.
        if isinstance(message, Finished) and self._full() and worker.rss > self._loaded_rss:
            self._renew(worker)
        self._fill()
        return [message]

    def _gone(self, worker: "_Worker", why: str | None = None) -> Died:
        worker.process.join(_KILLED_S)
        reason = why or _reason(worker.process.exitcode)
        del self._workers[worker.number]
        worker.pipe.close()
        if not worker.ready:
            raise SepcamError(f"a worker process ended before its networks were loaded ({reason})")
        self._fill()
        return Died(worker.number, worker.task, reason)


class _Worker:
    """A worker process as the driver sees it."""

    def __init__(self, number: int, settings: JobSettings, threads: int | None, watch: StallWatch) -> None:
        context = multiprocessing.get_context("spawn")
        self.number, self.watch = number, watch
        self.ready = False
        self.task: int | None = None
        self.rss = 0
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=_work,
            args=(theirs, number, settings, threads),
            name=f"sepcam-worker-{number}",
            daemon=True,
        )
        self.process.start()
        theirs.close()

    def send(self, message: object) -> None:
        with suppress(OSError):  # it is gone, which ``wait`` is about to see
            self.pipe.send(message)


def _work(pipe: Connection, number: int, settings: JobSettings, threads: int | None) -> None:
    """A worker's whole life. It ends as soon as the driver is gone, whatever it is doing."""
    for name in _HEARD_BY_THE_DRIVER:
        signal.signal(name, signal.SIG_IGN)  # what the user says to all, the driver passes on
    return_freed_memory()
    inbox = _Inbox(pipe)
    try:
        networks = settings.load(threads=threads)
    except SepcamError as error:
        pipe.send(error)
        return
    inbox.send(Ready(number, memory_in_use()))
    for task in inbox:
        result = run_task(task, settings, networks, inbox.reporter(number, task.id))
        inbox.send(Finished(number, task.id, result, memory_in_use()))


class _Inbox:
    """Tasks from the driver, and word to it; a thread listens, so that work can be stopped, and ended."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._stopped = threading.Event()
        BACKGROUND.thread("inbox", self._listen).start()

    def __iter__(self) -> "_Inbox":
        return self

    def __next__(self) -> Task:
        return self._tasks.get()

    def send(self, event: Event) -> None:
        try:
            self._pipe.send(event)
        except OSError:
            os._exit(1)

    def reporter(self, number: int, task: int) -> Report:
        """A ``Report`` that tells the driver now and then, and ends the task once that is wanted."""
        told_at = 0.0

        def report(frames: int, total: int | None) -> None:
            nonlocal told_at
            if self._stopped.is_set():
                raise KeyboardInterrupt
            if time.monotonic() - told_at >= REPORT_S or frames == total:
                told_at = time.monotonic()
                self.send(Advanced(number, task, frames, total, memory_in_use()))

        return report

    def _listen(self) -> None:
        while True:
            try:
                message = self._pipe.recv()
            except (EOFError, OSError):
                # Nobody waits for a result. Partial files stay; the next run clears them away.
                os._exit(1)
            if message == _STOP:
                self._stopped.set()
            else:
                self._stopped.clear()
                self._tasks.put(message)


def _reason(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return f"its worker process was killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"its worker process was killed by signal {-code}"
    return f"its worker process ended with exit code {code}"
