"""The protocol between a job's driver and its workers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..tasks.types import Task, TaskResult


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker has loaded its networks.

    Attributes:
        worker: its number.
        rss: bytes of memory that it takes, 0 where that is unknown.
    """

    worker: int
    rss: int


@dataclass(frozen=True, slots=True)
class Advanced:
    """A task is so far.

    Attributes:
        worker: who does it.
        task: its id.
        frames: frames that are done.
        total: frames that there are, or None.
        rss: bytes of memory that the worker takes now, 0 where that is unknown.
    """

    worker: int
    task: int
    frames: int
    total: int | None
    rss: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """A task is done, well or badly.

    Attributes:
        worker: who did it.
        task: its id.
        result: its outcome.
        rss: bytes of memory that the worker takes now, 0 where that is unknown.
    """

    worker: int
    task: int
    result: TaskResult
    rss: int = 0


@dataclass(frozen=True, slots=True)
class Died:
    """A worker is gone; the pool replaces it by itself.

    Attributes:
        worker: its number.
        task: the id of the task that it was at, None where it had none.
        reason: what is known, e.g. "killed by SIGSEGV".
    """

    worker: int
    task: int | None
    reason: str


Event = Ready | Advanced | Finished | Died


class WorkerPool(Protocol):
    """Who does the tasks of a job: processes of this machine, or actors on a cluster."""

    @property
    def size(self) -> int:
        """How many tasks can be done at the same time."""
        ...

    def free(self) -> int:
        """How many tasks can be taken now; the driver hands out no more, so nothing piles up."""
        ...

    def submit(self, task: Task) -> None:
        """Takes a task; its events come from ``wait``, the last one `Finished` or `Died`."""
        ...

    def wait(self, timeout_s: float) -> Sequence[Event]:
        """What happened since the last call; waits for something if need be, so long at the most.

        Raises:
            SepcamError: If no worker can load its networks; the reason.
        """
        ...

    def stop(self) -> None:
        """Asks the tasks under way to end early; their results come as ever."""
        ...

    def close(self) -> None:
        """Ends all workers at once, whatever they do."""
        ...
