"""How to share out the cores, many processes or many threads each, by a short measurement."""

import multiprocessing
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection

import numpy as np

from ...models.errors import SepcamError
from ..frames import Frame
from ..sources import SyntheticSource
from .inputs import Input
from .settings import JobSettings
from .workers import memory_in_use

MEASURED_S = 0.7
"""Seconds for each number of threads."""

_FRAMES = 12
_WORTH = 1.05  # times the frames that another process has to bring, to be worth its memory
_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Split:
    """How the cores are shared out.

    Attributes:
        workers: processes.
        threads: of each network in each of them.
    """

    workers: int
    threads: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What a trial found.

    Attributes:
        rates: frames per second of the analysis, by the number of threads.
        rss: bytes of memory that a process takes with its networks loaded.
    """

    rates: Mapping[int, float]
    rss: int


def cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def free_memory() -> int | None:
    """Bytes of memory that programs could still get, None where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            lines = dict(line.split(":", 1) for line in file)
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None


def share(measured: Measured, tasks: int, cores: int, max_memory: int | None) -> Split:
    """The split that promises the most frames per second.

    With ``n`` processes of ``cores / n`` threads, that is ``n`` times the rate of one of them. A process more
    must bring 5 %, there is no more of them than tasks, and all must fit into the memory.

    Args:
        measured: what a trial found.
        tasks: files or parts of files that can be done at the same time.
        cores: of this machine.
        max_memory: bytes for all processes, or None.
    """
    most = max(1, min(cores, tasks))
    if max_memory is not None and measured.rss:
        most = max(1, min(most, max_memory // measured.rss))
    best = Split(1, cores)
    best_rate = measured.rates.get(cores, 0.0)
    for workers in range(2, most + 1):
        threads = max(1, cores // workers)
        known = max((count for count in measured.rates if count <= threads), default=threads)
        rate = workers * measured.rates.get(known, 0.0)
        if rate > best_rate * _WORTH:
            best, best_rate = Split(workers, threads), rate
    return best


def measure(settings: JobSettings, source: Input, cores: int) -> Measured:
    """Analyses the first frames of a source with different numbers of threads, in a process of its own.

    Takes a second or so for each, beside loading; and leaves every network converted, so that workers load
    fast.

    Raises:
        SepcamError: If the networks cannot be loaded.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_trial, args=(theirs, settings, source, cores), daemon=True)
    process.start()
    theirs.close()
    try:
        found = ours.recv() if ours.poll(_TIMEOUT_S) else None
    except EOFError:  # a source that crashes its decoder is told when its turn comes
        found = None
    process.kill()
    process.join()
    if isinstance(found, SepcamError):
        raise found
    return found or Measured({cores: 1.0, 1: 1.0}, 0)


def _trial(pipe: Connection, settings: JobSettings, source: Input, cores: int) -> None:
    try:
        rates = {}
        pipeline = settings.load(threads=cores)
        frames = _frames(source)
        counts = sorted({1, cores, *(2**n for n in range(1, 8) if 2**n < cores)}, reverse=True)
        rss = memory_in_use()
        for count in counts:
            pipeline = pipeline if count == cores else settings.load(threads=count)
            analyser = pipeline.analyser(SyntheticSource().info)
            analyser.analyse(frames[0])
            done, begun = 0, time.perf_counter()
            while time.perf_counter() - begun < MEASURED_S:
                analyser.analyse(frames[done % len(frames)])
                done += 1
            rates[count] = done / (time.perf_counter() - begun)
        pipe.send(Measured(rates, max(rss, 1)))
    except SepcamError as error:
        pipe.send(error)


def _frames(source: Input) -> list[Frame]:
    """The first frames of a source, or, of one that cannot be read, an empty picture."""
    try:
        with source.open(limit=_FRAMES) as opened:
            frames = list(islice(opened, _FRAMES))
    except SepcamError:
        frames = []
    return frames or [Frame(np.zeros((480, 640, 3), np.uint8), 0, 0.0)]
