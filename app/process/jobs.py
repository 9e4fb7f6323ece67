"""The work of ``sepcam process`` on many files: a job that can be stopped and gone on with at any time."""

import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from ...models.errors import SepcamError
from ...models.hardware import memory_available, usable_cores
from ...models.registry import known
from ...models.weights.store import WeightStore
from ...models.zoo import choose_detector
from ...pipelines.batch.driver import Driver, Policy
from ...pipelines.batch.files.inputs import Found, Input, find_inputs
from ...pipelines.batch.planning import agree, plan
from ...pipelines.batch.state.job_folder import JobFolder, JobInfo, versions
from ...pipelines.batch.state.journal import UNDONE, Entry, Journal
from ...pipelines.batch.state.settings import JobSettings
from ...pipelines.batch.workers.autotune import Split, Tryout, choose, splits
from ...pipelines.batch.workers.processes import ProcessPool
from ...pipelines.batch.workers.protocol import WorkerPool
from ...pipelines.batch.workers.watchdog import STALL_S
from ...pipelines.files.addresses import STDIN, is_address, shown
from ...pipelines.sinks.outputs import check_writable
from ...pipelines.sinks.registry import check_fits
from ..options.load_networks import SizeOf, load
from ..terminal import console
from ..terminal.signals import ENDING, handled
from . import report as batch_report
from .counts import show_counts, write_summary
from .progress import Bars, JsonLines, Lines, tell_summary
from .single import FileRequest, run_single

_FIELDS: Final = MappingProxyType({"save": "saves", "start": "start_s", "line": "zones", "zone": "zones"})
"""The settings of a job whose parameters of ``sepcam process`` have another name."""

_PART_BYTES = 5_000_000  # of a file that is worth more than one worker

DONE, SOME_FAILED, FAILED, INTERRUPTED = 0, 1, 2, 130


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
    retries: int = 1
    max_memory: int | None = None
    stall_s: float = STALL_S
    cluster: str | None = None
    log_json: bool = False
    typed: frozenset[str] = frozenset()

    @property
    def place(self) -> Path | str:
        """Where the results are, as people may see it."""
        return shown(self.store) if self.store else self.out


def run(request: JobRequest, settings: JobSettings, size_of: SizeOf) -> int:
    """Does one file here and now, or many as a job.

    A job keeps its folder, ``.sepcam`` in the output folder. A single file that is named needs none, unless
    it is asked for with ``--workers``, ``--resume`` or ``--fresh``.

    Args:
        request: of the user.
        settings: what is done to every file; the detector may still be ``auto``.
        size_of: the input size of a detector.

    Returns:
        The exit code: 0; 1 where some files could not be processed, 2 where none; 130 after an interrupt.

    Raises:
        SepcamError: If the only file cannot be processed, or the job cannot start or continue.
    """
    if request.resume:
        request, settings = _resumed(request, settings)
    if not request.inputs:
        raise SepcamError("Missing argument 'INPUT': name videos, images, folders, addresses or cameras")
    found = find_inputs(request.inputs, recursive=request.recursive)
    as_job = request.resume or request.fresh or request.log_json or request.workers is not None
    as_job = as_job or request.cluster is not None
    if not as_job and not found.searched and len(found.inputs) + len(found.missing) == 1:
        return _run_one(request, found, settings, size_of)
    if request.follow:
        raise SepcamError("--follow reads one recording: name one file, and leave the options of jobs out")
    if found.inputs:
        settings = _resolved(settings, size_of)
    return run_job(request, found, settings)


def _run_one(request: JobRequest, found: Found, settings: JobSettings, size_of: SizeOf) -> int:
    if found.missing:
        raise SepcamError(found.missing[0])
    for line in found.left_out:
        console.note(line)
    annotations = settings.coco_annotations
    single = FileRequest(
        request.out,
        settings.saves,
        settings.drawing,
        request.overwrite,
        settings.start_s,
        settings.frames,
        coco_annotations=None if annotations is None else Path(annotations),
        stream=settings.stream,
        deinterlace=settings.deinterlace,
        follow=request.follow,
        watching=settings.watching,
        hiding=settings.hiding,
    )
    return run_single(
        found.inputs[0], single, lambda: load(settings.analysis, size_of, threads=request.threads)
    )


def _resumed(request: JobRequest, settings: JobSettings) -> tuple[JobRequest, JobSettings]:
    """What the job in the output folder is, with what was typed."""
    job = JobFolder(request.out).info()
    asked = {_FIELDS.get(name, name) for name in request.typed}
    typed = {name: value for name, value in settings.to_json().items() if name in asked}
    if not request.inputs:
        request = replace(request, inputs=job.inputs, recursive=job.recursive)
    return request, JobSettings.from_json(job.settings.to_json() | typed)


def _resolved(settings: JobSettings, size_of: SizeOf) -> JobSettings:
    """With the input size that its detector takes."""
    options = settings.analysis
    if options.input_size is None:
        name = choose_detector(options.classes) if options.detector == "auto" else options.detector
        options = replace(options, input_size=size_of(name))
    return replace(settings, analysis=options)


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
    inputs = _job_inputs(found.inputs, settings)
    info = JobInfo(settings, _anywhere(request.inputs), request.recursive, model_hashes(settings), versions())
    check_writable(request.out)
    folder = JobFolder(request.out, request.store)
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
                f"{one.name} can be read by this process only: give it as the only input, without --workers"
            )
        try:
            check_fits(one.title, settings.saves, "images" if one.images else "video")
        except SepcamError as error:
            if not one.found:
                raise
            console.note(f"{error}; it is left out")
            continue
        kept.append(one)
    if not kept:
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
    if request.log_json:
        tell_summary(batch_report.totals(now, begun))
        return complete
    if len(now) > 1:
        console.show(batch_report.table(now))
        for line in batch_report.notes(now):
            console.say(line)
    counted = [(entry.input.title, entry.statistics) for entry in now if entry.statistics is not None]
    show_counts(counted)
    for line in batch_report.closing_lines(now, request.place, begun):
        console.say(line)
    if "summary" in settings.saves and counted:
        console.say(f"summary: {write_summary(request.out, now)}")
    if not complete:
        console.note("stopped; the same command continues where it stopped")
    return complete


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
        if word != STDIN and (Path(word).exists() or ("*" in word and not is_address(word)))
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
