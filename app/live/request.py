"""What ``sepcam live`` and ``sepcam serve`` both begin with: a source, networks, and a session of the two."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...models.runtime.options import RuntimeOptions
from ...models.types import ConvKind
from ...models.weights.store import WeightStore
from ...models.zoo import models
from ...pipelines.analytics.events import Event
from ...pipelines.analytics.zones import Zone, parse_zone
from ...pipelines.execution.network_pool import NetworkPool, Networks
from ...pipelines.live.adaptive_quality import Quality
from ...pipelines.live.analysis import choice_for
from ...pipelines.live.session import LiveSession
from ...pipelines.live.settings import LiveSettings
from ...pipelines.pipeline import Pipeline
from ...pipelines.sources.open_live import open_live
from ...pipelines.sources.realtime import PacedSource
from ...pipelines.sources.reconnecting import ReconnectingSource
from ...pipelines.types import Blur, DetectEvery, StreamInfo, Task
from ..options.load_networks import load
from ..terminal import console


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """What the user asked for; see the options of ``sepcam live``.

    Attributes:
        source: what ``open_live`` takes.
        size: (width, height) to ask a camera for, or None.
        rate: frames per second to ask a camera for, or None.
        loop: whether a file begins again.
        detector: name in the registry, or ``auto``.
        input_size: of the detector, as ``load_detector`` takes it.
        pose: name in the registry.
        tasks: what to do beside detecting.
        backbone: to begin with.
        classes: names of the classes to report, or None.
        conf: least score, or None.
        max_people: landmarks and masks for at most so many people.
        detect_every: frames from one detection to the next, or ``auto``.
        options: what runs the networks.
        target_fps: rate to keep, None for the camera's.
        reconnect_timeout_s: when to give up a lost source, None for never.
        blur: what to hide.
        lines: each ``x1,y1,x2,y2``.
        zones: each ``x1,y1,x2,y2,...``.
    """

    source: str
    size: tuple[int, int] | None
    rate: float | None
    loop: bool
    detector: str
    input_size: tuple[int, int] | int | None
    pose: str
    tasks: Sequence[Task]
    backbone: ConvKind
    classes: Sequence[str] | None
    conf: float | None
    max_people: int
    detect_every: DetectEvery
    options: RuntimeOptions
    target_fps: float | None
    reconnect_timeout_s: float | None
    blur: Blur
    lines: Sequence[str]
    zones: Sequence[str]

    def parsed_zones(self) -> list[Zone]:
        """The lines and zones.

        Raises:
            SepcamError: If one does not read like that.
        """
        lines = [parse_zone(text, line=True) for text in self.lines]
        return lines + [parse_zone(text, line=False) for text in self.zones]

    def open(self) -> PacedSource | ReconnectingSource:
        """The source.

        Raises:
            SepcamError: If it cannot be opened.
        """
        return open_live(
            self.source,
            size=self.size,
            rate=self.rate,
            loop=self.loop,
            reconnect_timeout_s=self.reconnect_timeout_s,
        )


@dataclass(frozen=True, slots=True)
class Loaded:
    """Networks, ready to begin.

    Attributes:
        pipeline: what a run of its own takes.
        settings: what the switches say at the beginning.
        pool: has the networks of these settings, and gives others.
    """

    pipeline: Pipeline
    settings: LiveSettings
    pool: NetworkPool


def load_networks(request: LiveRequest) -> Loaded:
    """Loads what a request begins with.

    Raises:
        SepcamError: If networks cannot be had, or an option does not fit them.
    """
    pipeline = load(
        request.detector,
        request.pose,
        size_of=lambda name: request.input_size,
        tasks=request.tasks,
        backbone=request.backbone,
        classes=request.classes,
        conf=request.conf,
        max_people=request.max_people,
        options=request.options,
    )
    first = pipeline.detector.name
    settings = LiveSettings(first, request.backbone, frozenset(request.tasks), request.conf, request.blur)
    pool = NetworkPool.of(
        request.pose,
        options=request.options,
        store=WeightStore(notice=console.note),
        max_people=request.max_people,
        # Another detector may not take a size that was meant for the first.
        size_of=lambda name: request.input_size if name == first else None,
        source_of=lambda name: request.detector if name == first and request.detector != "auto" else name,
    )
    pool.add(choice_for(settings, Quality()), Networks(pipeline.detector, pipeline.pose))
    return Loaded(pipeline, settings, pool)


def detector_names(first: str) -> list[str]:
    """The detectors to switch between: the one that was begun with, and those of the registry.

    Never a name that a visitor makes up: some stand for files and for code of the user's.
    """
    return list(dict.fromkeys([first, *(model.name for model in models() if model.task == "detect")]))


def begin(
    request: LiveRequest,
    source: PacedSource | ReconnectingSource,
    loaded: Loaded,
    *,
    prepare_ahead: bool,
    on_event: Callable[[Event], None],
) -> LiveSession:
    """A session of a source and networks, which it closes; the first picture comes after ``start``.

    Raises:
        SepcamError: If a line or a zone lies outside the picture; the source is closed.
    """
    return LiveSession(
        source,
        loaded.pool,
        loaded.settings,
        zones=request.parsed_zones(),
        target_fps=request.target_fps,
        classes=request.classes,
        max_people=request.max_people,
        detect_every=request.detect_every,
        prepare_ahead=prepare_ahead,
        on_event=on_event,
    )


def described(info: StreamInfo) -> str:
    """A source in a line: name, size and rate as they really are."""
    return f"{info.name}: {info.width}x{info.height}" + (f" at {info.fps:.4g} FPS" if info.fps else "")
