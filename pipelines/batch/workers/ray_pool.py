"""Workers on a Ray cluster: actors that load the networks once and do one task after another."""

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any, Final, TextIO
from urllib.parse import urlsplit

from ....models.errors import SepcamError
from ..state.settings import JobSettings
from ..tasks.types import Task
from .protocol import Advanced, Died, Event, Finished, Ready
from .ray_worker import ClusterWorker, version
from .watchdog import STALL_S, StallWatch

MOST_CORES: Final = 4
"""Cores of a worker where nothing else is asked for: what the networks make good use of."""

_ENVIRONMENT = ("SEPCAM_CACHE", "SEPCAM_PRECISION")  # variables that workers get from here
_REACH_S = 10.0
_POLL_S = 1.0
_LONG_S = 30.0
_UNTIL_LOADED = -1  # Ray counts every moment in which a lost worker is not back, so no number would do.
_GONE = "its worker on the cluster is gone: it crashed, ran out of memory, or its machine was lost"


class RayPool:
    """A `WorkerPool` of actors. Ray starts them where there is room, and again elsewhere when they are lost.

    A worker has one task at a time, and nothing but tasks, words on the progress and results goes through the
    object store, a few kB each: it never fills, however many files there are.
    """

    def __init__(
        self,
        settings: JobSettings,
        address: str | None = None,
        workers: int | None = None,
        *,
        threads: int | None = None,
        stall_s: float = STALL_S,
        store: tuple[str, str] | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Join the cluster and ask it for workers.

        Args:
            settings: of the job.
            address: of the cluster, ``host:port`` or ``ray://host:port``; None takes the one that runs here
                or that RAY_ADDRESS names, or else begins one on this machine.
            workers: how many; None is as many as there is room for now.
            threads: of each network in each worker, which gets that many cores; None is all of them, up
                to `MOST_CORES`.
            stall_s: seconds without a finished frame after which a worker is begun again.
            store: the output folder, and the address at which its results are to be in its place; None
                where they are to be in the folder, which all machines share.
            say: told what the user should know, a line each.

        Raises:
            SepcamError: If Ray is not installed, or there is no cluster at the address, or no room in it.
        """
        self._ray = _ray()
        self._say = say
        self._store = store
        self._quiet = redirect_stdout(_WithoutRay(sys.stdout))
        self._quiet.__enter__()
        try:
            self._join(address)
            cores, most = self._room(threads, on_gpu=settings.analysis.runtime.device == "cuda")
        except BaseException:
            self.close()
            raise
        options = {
            "num_cpus": cores,
            "num_gpus": int(settings.analysis.runtime.device == "cuda"),
            "max_restarts": -1,
        }
        make = self._ray.remote(ClusterWorker).options(**options, max_concurrency=4)
        self._actors = [
            _Worker(
                number,
                make.remote(settings, threads or cores, version(), os.getcwd(), store),
                StallWatch(stall_s),
            )
            for number in range(1, (workers or most) + 1)
        ]
        self._say(f"cluster: {len(self._actors)} workers with {cores} cores each")
        self._calls: dict[Any, tuple[_Worker, str]] = {}
        self._asked_at = self._began = time.monotonic()
        self._waiting_told = False
        for worker in self._actors:
            self._load(worker)

    @property
    def size(self) -> int:
        """See `WorkerPool`; one, so that no file is cut, where the parts would lie on this machine alone."""
        return len(self._actors) if self._store is None else 1

    def free(self) -> int:
        """See `WorkerPool`."""
        return sum(worker.ready and worker.task is None for worker in self._actors)

    def submit(self, task: Task) -> None:
        """See `WorkerPool`."""
        worker = next(one for one in self._actors if one.ready and one.task is None)
        worker.task, worker.beat, worker.why = task.id, 0, _GONE
        worker.watch.begun()
        self._calls[worker.actor.run.remote(task)] = worker, "run"

    def wait(self, timeout_s: float) -> Sequence[Event]:
        """See `WorkerPool`."""
        self._ask()
        calls = list(self._calls)
        done, rest = self._ray.wait(calls, timeout=timeout_s)
        if rest:
            done += self._ray.wait(rest, num_returns=len(rest), timeout=0)[0]
        events: list[Event] = []
        for call in done:
            events += self._heard(call, *self._calls.pop(call))
        return events

    def stop(self) -> None:
        """See `WorkerPool`."""
        for worker in self._actors:
            worker.actor.stop.remote()

    def close(self) -> None:
        """See `WorkerPool`."""
        for worker in getattr(self, "_actors", ()):
            self._ray.kill(worker.actor)
        self._ray.shutdown()
        self._quiet.__exit__(None, None, None)

    def _join(self, address: str | None) -> None:
        if address not in (None, "auto", "local"):
            _reach(address)
        passed_on = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        environment = {"env_vars": passed_on} if passed_on else None
        try:
            self._ray.init(
                address=address, runtime_env=environment, log_to_driver=False, logging_level="ERROR"
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            where = address or "this machine"
            why = " ".join(str(error).split())
            raise SepcamError(f"there is no Ray cluster at {where} that can be joined: {why}") from error

    def _room(self, threads: int | None, *, on_gpu: bool) -> tuple[int, int]:
        """Cores of a worker, and how many workers there is room for."""
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        wanted = "GPU" if on_gpu else "CPU"
        nodes = [node for node in nodes if node.get(wanted, 0) >= 1 and node.get("CPU", 0) >= 1]
        if not nodes:
            raise SepcamError(f"no machine of the cluster has a {wanted} to give")
        cores = threads or min(MOST_CORES, *(int(node["CPU"]) for node in nodes))
        most = sum(
            min(int(node["CPU"]) // cores, int(node["GPU"]) if on_gpu else sys.maxsize) for node in nodes
        )
        if not most:
            raise SepcamError(f"no machine of the cluster has {cores} cores: give fewer --threads")
        return cores, most

    def _load(self, worker: "_Worker") -> None:
        worker.ready = False
        self._calls[worker.actor.load.options(max_task_retries=_UNTIL_LOADED).remote()] = worker, "load"

    def _ask(self) -> None:
        """Asks those who are at work how far they are, now and then."""
        now = time.monotonic()
        if now - self._asked_at < _POLL_S:
            return
        self._asked_at = now
        asked = {worker.number for worker, what in self._calls.values() if what == "progress"}
        for worker in self._actors:
            if (why := worker.watch.stalled()) is not None:
                worker.watch.ended()
                worker.why = why
                self._ray.kill(worker.actor, no_restart=False)
            elif worker.task is not None and worker.number not in asked:
                self._calls[worker.actor.progress.remote()] = worker, "progress"
        if not self._waiting_told and now - self._began > _LONG_S and not any(w.loaded for w in self._actors):
            self._waiting_told = True
            self._say("cluster: still no worker is ready: cores in use, or crashes (see Ray's logs)")

    def _heard(self, call: Any, worker: "_Worker", what: str) -> list[Event]:  # noqa: ANN401 - an ObjectRef
        try:
            answer = self._ray.get(call)
        except self._ray.exceptions.RayActorError:
            return self._gone(worker, what)
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error, SepcamError):
                raise SepcamError(str(getattr(error, "cause", error))) from error
            raise
        if what == "load":
            worker.ready = worker.loaded = True
            return [Ready(worker.number, answer)]
        if what == "progress":
            task, frames, total, beat = answer
            if task != worker.task:
                return []
            if beat != worker.beat:
                worker.beat = beat
                worker.watch.moved(frames, total)
            return [Advanced(worker.number, task, frames, total)]
        task, worker.task = worker.task, None
        worker.watch.ended()
        return [] if task is None else [Finished(worker.number, task, *answer)]

    def _gone(self, worker: "_Worker", what: str) -> list[Event]:
        if what == "progress":
            return []  # the task itself says so too
        if what == "load":
            self._actors.remove(worker)
            if not self._actors:
                raise SepcamError("no worker is left on the cluster")
            return []
        task, worker.task = worker.task, None
        worker.watch.ended()
        self._load(worker)
        return [Died(worker.number, task, worker.why)]


@dataclass(slots=True)
class _Worker:
    """An actor as the driver sees it.

    Attributes:
        number: from 1.
        actor: its handle.
        watch: sees whether its task moves.
        ready: whether it has its networks now.
        loaded: whether it ever had.
        task: the id of the task that it is at.
        beat: how often that task had moved when the worker was asked last.
        why: what to tell if it is gone.
    """

    number: int
    actor: Any
    watch: StallWatch
    ready: bool = False
    loaded: bool = False
    task: int | None = None
    beat: int = 0
    why: str = _GONE


class _WithoutRay:
    """Standard output without what Ray's threads say there of workers that died, which is no result."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        if threading.current_thread().name.startswith("ray_"):
            return len(text)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)


def _reach(address: str) -> None:
    """Makes sure that somebody listens there, since Ray itself takes minutes to find out that nobody does."""
    parts = urlsplit(address if "://" in address else f"//{address}")
    try:
        port = parts.port
    except ValueError:
        port = None
    if not parts.hostname or port is None:
        raise SepcamError(f"{address!r} is not the address of a Ray cluster: give host:port")
    try:
        socket.create_connection((parts.hostname, port), _REACH_S).close()
    except OSError as error:
        raise SepcamError(f"there is no Ray cluster at {address}: {error.strerror or error}") from error


def _ray() -> Any:  # noqa: ANN401 - a module
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")  # or it says at the end what was not to be said before
    try:
        import ray
    except ImportError as error:
        raise SepcamError("--cluster ray needs Ray: pip install 'sepcam[cluster]'") from error
    return ray
