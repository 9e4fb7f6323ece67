"""The work of ``sepcam compare``: measures what was requested and collects it in one report."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ...models.cache import sha256_of
from ...models.errors import SepcamError
from ...models.hardware import physical_cores
from ...models.profiling import machine, roofline
from ...models.profiling.variants import Subject, external, paper_network, registered
from ...models.registry import networks_of
from ...models.runtime.compile import resolve
from ...models.runtime.options import RuntimeOptions
from ...models.types import DEFAULT_POSE, U8, ConvKind
from ...models.weights.store import Progress, WeightStore, silent
from ...pipelines.analysis.options import AnalysisOptions
from ...pipelines.evaluation.paired_timing import Tick
from ...pipelines.pipeline import Pipeline
from ...pipelines.sources.excerpts import Clips, open_clips
from ...pipelines.types import FrameResult
from .entries import options_entry
from .findings import findings
from .measure_network import NetworkMeasurement
from .measure_pipeline import KINDS, PipelineMeasurement
from .memory import footprint
from .published import PAPER, TRAINED_ALIKE
from .report import SCHEMA, VERSION
from .side_by_side import LONGEST_S, record

_IMAGES = 6  # different images that a single network is fed in turn
_EXPLAIN_S, _LOAD_S = 8.0, 8.0  # typical times, for the progress bar


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """What to compare.

    Attributes:
        source: what ``open_source`` takes; all networks get its frames.
        options: the ways of running to compare, not yet resolved.
        detectors: names of detectors; each makes a pipeline with the pose network.
        pose: name of the pose network.
        networks: names of networks of the registry; with them no pipeline is compared.
        models: other networks, see ``external.builder``; with them no pipeline is compared.
        size: (height, width) of their input in pixels.
        rounds: per subject; None for as many as ``seconds`` allows.
        seconds: for all rounds together, where ``rounds`` is None.
        seed: of the random order and inputs.
        command: the command line, for the record.
        video: where to write a video of the first pipeline's two sides, or None.
        overwrite: whether a file of that name may be replaced.
    """

    source: str
    options: Sequence[RuntimeOptions]
    detectors: Sequence[str] = ()
    pose: str = DEFAULT_POSE
    networks: Sequence[str] = ()
    models: Sequence[str] = ()
    size: tuple[int, int] = (224, 224)
    rounds: int | None = None
    seconds: float = 60.0
    seed: int = 0
    command: str = ""
    video: Path | None = None
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class _Job:
    title: str
    seconds: float  # expected
    run: Callable[[Tick], None]


class Comparison:
    """Everything to do for a request, and the result.

    Attributes:
        report: the content of the JSON file.
        seen: drawn frames of the first pipeline, for each backbone.
        seconds: how long ``run`` is expected to take.
    """

    report: dict[str, Any]
    seen: dict[ConvKind, list[FrameResult]]
    seconds: float

    def __init__(self, request: CompareRequest, store: WeightStore) -> None:
        """Read the source and plan the work.

        Args:
            request: what to compare.
            store: where weights are; they should be there already.

        Raises:
            SepcamError: If the source cannot be read, or a network is unknown or does not fit.
        """
        self._request, self._store = request, store
        self._options = [_fixed(options) for options in request.options]
        self._ceilings: dict[RuntimeOptions, roofline.Ceiling] = {}
        self._seen_frames = open_clips(request.source, clips=_IMAGES, length=2)
        self.report = self._header(self._seen_frames)
        self.seen = {}
        self._jobs = self._plan()
        self.seconds = sum(job.seconds for job in self._jobs)

    def run(self, announce: Callable[[float, str], None]) -> None:
        """Measures. An interrupt ends it early; the report is then marked partial.

        Args:
            announce: called with the part of ``seconds`` that is done, and the present step.

        Raises:
            SepcamError: If something cannot be loaded or run.
            KeyboardInterrupt: If it was interrupted before anything was measured.
        """
        done = 0.0
        try:
            for job in self._jobs:
                announce(done, job.title)
                job.run(lambda share, job=job, done=done: announce(done + share * job.seconds, job.title))
                done += job.seconds
        except KeyboardInterrupt:
            if not self.report["results"]:
                raise
            self.report["partial"] = True
        self.report["findings"] = findings(self.report)

    def _plan(self) -> list[_Job]:
        """The steps in order: the answer to the question first, its reasons later."""
        request = self._request
        networks = self._networks()
        shares = len(self._options) * (4 * len(request.detectors) + 2 * len(networks) + 1)
        second = request.seconds / shares
        jobs = []
        for options in self._options:
            where = f"{options.runtime}, {_threads(options)}"
            jobs.append(_Job(f"the machine's limits ({where})", 2, partial(self._limits, options)))
            for name in request.detectors:
                run = partial(self._pipeline, name, options, 4 * second)
                expected = 4 * second + _LOAD_S + (2 * LONGEST_S if self._is_filmed(name, options) else 0)
                jobs.append(_Job(f"{' + '.join(networks_of(name, request.pose))} ({where})", expected, run))
            for share, subject in (*((2, n) for n in networks), (1, paper_network())):
                run = partial(self._network, subject, options, share * second)
                jobs.append(_Job(f"{subject.name} ({where})", share * second + _EXPLAIN_S, run))
        return jobs

    def _networks(self) -> list[Subject]:
        request = self._request
        if request.models:
            return [external(spec, request.size, seed=request.seed) for spec in request.models]
        pipelines = [networks_of(name, request.pose) for name in request.detectors]
        wanted = request.networks or dict.fromkeys(name for names in pipelines for name in names)
        return [registered(name, self._store) for name in wanted]

    def _limits(self, options: RuntimeOptions, tick: Tick) -> None:
        del tick
        found = self._ceilings[options] = roofline.ceiling(options)
        entry = {"options": options_entry(options)} | asdict(found) | {"ridge": found.ridge}
        self.report["ceilings"].append(entry)

    def _pipeline(self, detector: str, options: RuntimeOptions, seconds: float, tick: Tick) -> None:
        request = self._request
        pipelines: dict[ConvKind, Pipeline] = {
            kind: Pipeline(
                # In every frame, so that both do the same work.
                AnalysisOptions(detector, request.pose, backbone=kind, detect_every=1, runtime=options),
                store=self._store,
            )
            for kind in KINDS
        }
        measurement = PipelineMeasurement(pipelines, request.source, options, seed=request.seed)
        try:
            measurement.time(rounds=request.rounds, seconds=seconds, tick=tick)
        finally:
            self._add(measurement.result)
            self.seen = self.seen or measurement.seen
        if request.video is not None and self._is_filmed(detector, options):
            record(pipelines, request.source, request.video, overwrite=request.overwrite)
        measurement.count([registered(name, self._store) for name in networks_of(detector, request.pose)])
        pipelines.clear()
        for kind in KINDS:
            taken = footprint([detector, request.pose], kind, options, source=request.source)
            measurement.result["variants"][kind].update(taken)

    def _is_filmed(self, detector: str, options: RuntimeOptions) -> bool:
        """Whether the video shows this pipeline: the first one."""
        first = detector, options
        return self._request.video is not None and first == (self._request.detectors[0], self._options[0])

    def _network(self, subject: Subject, options: RuntimeOptions, seconds: float, tick: Tick) -> None:
        images = _images(self._seen_frames, subject.size)
        seed = self._request.seed
        measurement = NetworkMeasurement(subject, images, options, self._ceilings[options], seed=seed)
        try:
            measurement.time(rounds=self._request.rounds, seconds=seconds, tick=tick)
        finally:
            if subject.name == paper_network().name and measurement.result:
                measurement.result["paper"] = PAPER
            self._add(measurement.result)
        measurement.explain()
        measurement.measure_memory()

    def _add(self, result: dict[str, Any]) -> None:
        if result:
            self.report["results"].append(result)

    def _header(self, taken: Clips) -> dict[str, Any]:
        request, path = self._request, Path(self._request.source)
        settings = {"rounds": request.rounds, "seconds": request.seconds, "seed": request.seed}
        environment = machine.describe()
        if any(options.device == "cuda" for options in self._options):
            environment["gpu"] = machine.gpu_name()
        info = taken.info
        return {
            "schema": SCHEMA,
            "version": VERSION,
            "partial": False,
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "command": request.command,
            "settings": settings,
            "environment": environment,
            "source": {
                "name": info.name,
                "sha256": sha256_of(path) if path.is_file() else None,
                "width": info.width,
                "height": info.height,
                "fps": info.fps,
            },
            "findings": [],
            "trained_alike": TRAINED_ALIKE,
            "ceilings": [],
            "results": [],
        }


def _fixed(options: RuntimeOptions) -> RuntimeOptions:
    """Resolved options with an explicit number of threads."""
    resolved = resolve(options)
    if resolved.device == "cuda":
        return resolved
    threads = resolved.threads or physical_cores()
    return RuntimeOptions(resolved.runtime, resolved.device, resolved.precision, threads)


def _threads(options: RuntimeOptions) -> str:
    if options.device == "cuda":
        return "GPU"
    return f"{options.threads} thread{'s' if options.threads != 1 else ''}"


def _images(taken: Clips, size: tuple[int, int]) -> U8:
    """(B, H, W, 3) uint8 BGR, frames of the source at a network's input size."""
    images = []
    for clip in taken.clips:
        with clip() as source:
            frame = next(iter(source))
        images.append(cv2.resize(frame.image, size[::-1], interpolation=cv2.INTER_AREA))
    return np.asarray(images, np.uint8)


def available(
    names: Sequence[str], store: WeightStore, warn: Callable[[str], None], progress: Progress = silent
) -> list[str]:
    """Which of these networks have weights, fetched if need be; warns about the others.

    Raises:
        SepcamError: If none has.
    """
    found = []
    for name in names:
        try:
            store.fetch(name, progress=progress)
            found.append(name)
        except SepcamError as error:
            warn(f"{name} is left out: {error}")
    if not found:
        raise SepcamError("no network's weights are available: see sepcam models fetch")
    return found
