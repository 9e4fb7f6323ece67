"""What runs on the machines of a cluster: networks that stay loaded, and files that come and go."""

import os
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

from ....models.errors import SepcamError
from ....models.hardware import memory_in_use
from ...execution.memory import return_freed_memory
from ...sinks.outputs import Target
from ..files.transfer import fetched, put, put_in_store
from ..state.journal import Output
from ..state.settings import JobSettings
from ..tasks.run import run_task
from ..tasks.types import FileTask, Task, TaskResult


class ClusterWorker:
    """A worker, in a process on some machine of the cluster; one thread works, others answer."""

    def __init__(
        self, settings: JobSettings, threads: int, wanted: str, folder: str, store: tuple[str, str] | None
    ) -> None:
        """Nothing is loaded yet.

        Args:
            settings: of the job.
            threads: of each network.
            wanted: version of Sepcam that the driver has.
            folder: in which relative paths begin, if it is on this machine too.
            store: the output folder, and the address at which its results are to be; or None.
        """
        return_freed_memory()
        with suppress(OSError):
            os.chdir(folder)
        self._settings, self._threads, self._version = settings, threads, wanted
        self._store = store
        self._networks: Any = None
        self._stopped = threading.Event()
        self._progress: tuple[int, int, int | None, int] = 0, 0, None, 0

    def load(self) -> int:
        """Loads the networks, once; the bytes of memory that are in use then."""
        if version() != self._version:
            raise SepcamError(
                f"a machine of the cluster has sepcam {version()}, and the one that began the job "
                f"{self._version}: install the same"
            )
        if self._networks is None:
            self._networks = self._settings.load(threads=self._threads)
        return memory_in_use()

    def run(self, task: Task) -> tuple[TaskResult, int]:
        """Does a task on files of this machine, and puts the results in their places."""

        def report(frames: int, total: int | None) -> None:
            if self._stopped.is_set():
                raise KeyboardInterrupt
            self._progress = task.id, frames, total, self._progress[-1] + 1

        self._progress = task.id, 0, None, 0
        self.load()  # it may have been lost while it had nothing to do, and be a new one
        with tempfile.TemporaryDirectory(prefix="sepcam-") as scratch:
            result = run_here(task, self._settings, self._networks, report, Path(scratch), self._store)
        return result, memory_in_use()

    def progress(self) -> tuple[int, int, int | None, int]:
        """The last task; frames of it that are done, and that there are, or None; how often it has moved."""
        return self._progress

    def stop(self) -> None:
        """Ends the task under way early, and every other."""
        self._stopped.set()


def run_here(
    task: Task,
    settings: JobSettings,
    networks: Any,  # noqa: ANN401 - a Pipeline
    report: Callable[[int, int | None], None],
    scratch: Path,
    store: tuple[str, str] | None = None,
) -> TaskResult:
    """Does a task with all its files in a folder of this machine; see `run_task`.

    Parts of a file lie in the job's own folder, which all machines share.
    """
    if not isinstance(task, FileTask):
        return run_task(task, settings, networks, report)

    def moved() -> None:
        with suppress(KeyboardInterrupt):  # it is too early to end, and not the thread for it
            report(0, None)

    try:
        source = fetched(task.source, scratch / "in", moved)
    except SepcamError as error:
        return TaskResult(error=str(error), again=True)
    places: dict[str, tuple[Path, Path]] = {
        save: (scratch / str(number) / path.name, path)
        for number, (save, path) in enumerate(task.target.files.items())
    }
    made = Target(source.name, {save: here for save, (here, _) in places.items()})
    result = run_task(replace(task, source=source, target=made), settings, networks, report)
    if result.error is not None:
        return replace(result, error=result.error.replace(source.name, task.source.title))
    try:
        for here, path in places.values():
            if not here.exists():
                continue
            if store is None:
                put(here, path, overwrite=task.overwrite)
            else:
                address = f"{store[1]}/{path.relative_to(store[0]).as_posix()}"
                put_in_store(here, address, overwrite=task.overwrite)
    except SepcamError as error:
        return TaskResult(error=str(error))
    finals = {str(here): str(path) for here, path in places.values()}
    outputs = tuple(Output(finals[one.path], one.bytes, one.sha256) for one in result.outputs)
    return replace(result, outputs=outputs)


def version() -> str:
    """The version of Sepcam on this machine."""
    return metadata.version("sepcam")
