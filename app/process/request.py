"""What the user asked ``sepcam process`` for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from ...pipelines.batch.workers.watchdog import STALL_S
from ...pipelines.files.addresses import shown

RETRIES: Final = 1
"""More attempts for a file, where nothing was said."""


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What the user asked for, beside what is done to every file.

    Attributes:
        inputs: as typed; none to continue with those of the job.
        recursive: whether to search folders of folders.
        out: the output folder.
        store: where the results go, if not there but to an address that fsspec knows; None otherwise.
        follow: whether the only input is a recording that is still being written.
        overwrite: whether results that the job did not make may be replaced.
        resume: whether there must be a job already, whose settings hold but for those that were typed.
        fresh: whether to forget what is done already.
        workers: how many processes, ``auto``, or None where nothing was said.
        threads: of each network, None to share out the cores.
        retries: more attempts for a file that failed in a way that may pass.
        max_memory: bytes that all workers together may take, or None.
        stall_s: seconds without a finished frame after which a file is given up.
        cluster: address of a Ray cluster to work on, "" for the one that runs here, None for this machine.
        log_json: whether to print JSON in place of text.
        typed: names of the parameters of ``sepcam process`` that were given.
    """

    inputs: tuple[str, ...]
    recursive: bool
    out: Path
    store: str | None = None
    follow: bool = False
    overwrite: bool = False
    resume: bool = False
    fresh: bool = False
    workers: int | Literal["auto"] | None = None
    threads: int | None = None
    retries: int = RETRIES
    max_memory: int | None = None
    stall_s: float = STALL_S
    cluster: str | None = None
    log_json: bool = False
    typed: frozenset[str] = frozenset()

    @property
    def cares_for_workers(self) -> bool:
        """Whether something is asked for that only worker processes can do."""
        return (self.retries, self.max_memory, self.stall_s) != (RETRIES, None, STALL_S)

    @property
    def place(self) -> Path | str:
        """Where the results are, as people may see it."""
        return shown(self.store) if self.store else self.out
