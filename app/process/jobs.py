"""The work of ``sepcam process`` on many files: a job that can be stopped and gone on with at any time."""

import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ...models.errors import SepcamError
from ...models.hardware import memory_available, usable_cores
from ...models.registry import known
from ...models.weights.store import WeightStore
from ...models.zoo import choose_detector
from ...pipelines.batch.driver import Driver, Policy
from ...pipelines.batch.files.inputs import Found, Input, is_glob
from ...pipelines.batch.planning import agree, plan, without_results
from ...pipelines.batch.state.job_folder import JobFolder, JobInfo, versions
from ...pipelines.batch.state.journal import UNDONE, Entry, Journal
from ...pipelines.batch.state.settings import JobSettings
from ...pipelines.batch.workers.autotune import Split, Tryout, choose, splits
from ...pipelines.batch.workers.processes import ProcessPool
from ...pipelines.batch.workers.protocol import WorkerPool
from ...pipelines.files.addresses import STDIN
from ...pipelines.sinks.outputs import check_writable
from ...pipelines.sinks.registry import check_fits
from ...pipelines.statistics import Statistics
from ..terminal import console
from ..terminal.signals import ENDING, handled
from . import report as batch_report
from .counts import show_counts, write_summary
from .progress import Bars, JsonLines, Lines, tell_summary
from .request import JobRequest

_FIELDS: Final = MappingProxyType(
    {"save": "saves", "start": "start_s", "line": "zones", "zone": "zones", "small_people": "input_size"}
)
"""The settings of a job whose parameters of ``sepcam process`` have another name."""

_PART_BYTES = 5_000_000  # of a file that is worth more than one worker

DONE, SOME_FAILED, FAILED, INTERRUPTED = 0, 1, 2, 130


def resumed(request: JobRequest, settings: JobSettings) -> tuple[JobRequest, JobSettings]:
    """What the job in the output folder is, with what was typed."""
    job = JobFolder(request.out).info()
    asked = {_FIELDS.get(name, name) for name in request.typed}
    typed = {name: value for name, value in settings.to_json().items() if name in asked}
    if not request.inputs:
        request = replace(request, inputs=job.inputs, recursive=job.recursive)
    return request, JobSettings.from_json(job.settings.to_json() | typed)


def run_job(request: JobRequest, found: Found, settings: JobSettings) -> int:
    """Does every file, or what earlier runs have left of it.

    Returns:
        The exit code: 0; 1 where some files could not be processed, 2 where none; 130 after an interrupt.

    Raises:
        SepcamError: If the job cannot start or continue.
    """
    for line in found.missing:
        console.fail(line)
    for line in found.left_out:
        console.note(line)
    if not found.inputs:
        return FAILED
    folder = JobFolder(request.out, request.store)
    inputs = _job_inputs(without_results(folder, found.inputs, folder.known_outputs()), settings)
    info = JobInfo(settings, _anywhere(request.inputs), request.recursive, model_hashes(settings), versions())
    check_writable(request.out)
    if request.store is not None:
        console.note(f"job: {request.out} (for --status); results: {request.place}")
    with folder.locked():
        if request.fresh:
            folder.forget()
        new = not folder.exists
        if not new:
            agree(folder, info)
        with folder.journal() as journal:
            try:
                plan(folder, journal, inputs, info, overwrite=request.overwrite or request.fresh)
                folder.write(info)
                complete = _drive(request, folder, journal, settings)
            except SepcamError:
                if new and not any(entry.started for entry in journal.entries()):
                    folder.forget()  # nothing was begun with settings that may be wrong
                raise
            entries = journal.entries()
    return _code(entries, len(found.missing), complete=complete)


def _job_inputs(inputs: Sequence[Input], settings: JobSettings) -> Sequence[Input]:
    """The inputs that a job can take.

    Of what a search found, images or videos that some kind of results is not for are left out, with a line.

    Raises:
        SepcamError: If one can be read by this process alone.
    """
    kept = []
    for one in inputs:
        if one.name == STDIN or one.name.startswith(("/dev/fd/", "/dev/stdin", "/proc/self/")):
            raise SepcamError(
                f"{one.name} can be read by this process only: give it as the only input, without options of "
                "jobs"
            )
        try:
            check_fits(one.title, settings.saves, "images" if one.images else "video")
        except SepcamError as error:
            if not one.found:
                raise
            console.note(f"{error}; it is left out")
            continue
        kept.append(one)
    if inputs and not kept:
        raise SepcamError(f"nothing is left for --save {','.join(settings.saves)}: leave some of these out")
    return kept


def _drive(request: JobRequest, folder: JobFolder, journal: Journal, settings: JobSettings) -> bool:
    """Processes the files that wait, and prints the outcome; returns whether the job is complete."""
    entries = journal.entries()
    begun, complete = time.time(), True
    if any(entry.state in UNDONE for entry in entries):
        with (
            _interrupts() as stopped,
            closing(make_pool(request, settings, entries)) as pool,
            _view(request, entries) as view,
        ):
            driver = Driver(
                folder,
                journal,
                pool,
                view,
                settings=settings,
                policy=Policy(request.retries, request.overwrite or request.fresh),
                stopped=lambda: bool(stopped),
            )
            complete = driver.run()
    now = journal.entries()
    counted = [(entry.input.title, entry.statistics) for entry in now if entry.statistics is not None]
    if request.log_json:
        tell_summary(batch_report.totals(now, begun))
    else:
        _show_outcome(request, now, counted, begun)
    if "summary" in settings.saves and counted:
        page = write_summary(request.out, now)
        if not request.log_json:
            console.say(f"summary: {page}")
    if not complete and not request.log_json:
        console.note("stopped; the same command continues where it stopped")
    return complete


def _show_outcome(
    request: JobRequest, entries: list[Entry], counted: Sequence[tuple[str, Statistics]], begun: float
) -> None:
    """Prints what became of each file, what was counted, and the sums."""
    if len(entries) > 1:
        console.show(batch_report.table(entries))
        for line in batch_report.notes(entries):
            console.say(line)
    show_counts(counted)
    for line in batch_report.closing_lines(entries, request.place, begun):
        console.say(line)


def _view(request: JobRequest, entries: Sequence[Entry]) -> Lines | JsonLines:
    if request.log_json:
        return JsonLines()
    return Bars(request.place, entries) if sys.stderr.isatty() else Lines(request.place)


def _anywhere(words: Sequence[str]) -> tuple[str, ...]:
    """The inputs in words that mean the same in every folder."""
    return tuple(
        f"@{Path(word[1:]).absolute()}"
        if word.startswith("@")
        else str(Path(word).absolute())
        if word != STDIN and (Path(word).exists() or is_glob(word))
        else word
        for word in words
    )


def make_pool(request: JobRequest, settings: JobSettings, entries: list[Entry]) -> WorkerPool:
    """Who does the work."""
    if request.cluster is not None:
        from ...pipelines.batch.workers.ray_pool import RayPool

        count = request.workers if isinstance(request.workers, int) else None
        return RayPool(
            settings,
            request.cluster or None,
            count,
            threads=request.threads,
            stall_s=request.stall_s,
            store=None if request.store is None else (str(request.out), request.store),
            say=console.note,
        )
    memory = request.max_memory
    if memory is None:
        memory = memory_available() * 3 // 4

    def start(split: Split) -> ProcessPool:
        return ProcessPool(
            settings, split.workers, threads=split.threads, max_memory=memory, stall_s=request.stall_s
        )

    if isinstance(request.workers, int):
        return start(Split(request.workers, request.threads or max(1, usable_cores() // request.workers)))
    waiting = [entry for entry in entries if entry.state in UNDONE]
    # A long file is as good as several, since it is done in parts.
    tasks = (
        1
        if settings.analysis.runtime.device == "cuda"
        else sum(1 + entry.bytes // _PART_BYTES for entry in waiting)
    )
    with closing(Tryout(start, waiting, settings.saves, settings.frames)) as tryout:
        candidates = list(splits(tasks, usable_cores(), request.threads))
        choice = choose(candidates, tryout.attempt, files=len(waiting), max_memory=memory)
        console.note(choice.why)
        return tryout.pool(choice.split)


def model_hashes(settings: JobSettings) -> dict[str, str]:
    """SHA-256 of the weights of each network of a job, fetched if need be; none for a plugin.

    Raises:
        SepcamError: If there is no such network, or its weights are unavailable.
    """
    store = WeightStore(notice=console.note)
    options = settings.analysis
    names = [options.detector]
    if options.detector == "auto":
        names = sorted({choose_detector(options.classes, photographs=value) for value in (False, True)})
    if {"pose", "segment"} & set(options.tasks):
        names.append(options.pose)
    hashes = {}
    with console.downloads() as report:
        for name in names:
            if known(name):
                hashes[name] = store.digest(name, report)
    return hashes


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """A list that fills with the signals by which the user asks for the end; the second one ends at once."""
    heard: list[int] = []

    def note(number: int, frame: object) -> None:
        if heard:
            raise KeyboardInterrupt
        heard.append(number)
        console.note("stopping: the files under way are completed as far as they are; again to end at once")

    with handled((signal.SIGINT, *ENDING), note):
        yield heard


def _code(entries: list[Entry], missing: int, *, complete: bool) -> int:
    if not complete:
        return INTERRUPTED
    failed = missing + sum(entry.state == "failed" for entry in entries)
    if not failed:
        return DONE
    return SOME_FAILED if any(entry.state == "done" for entry in entries) else FAILED
