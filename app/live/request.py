"""What ``sepcam live`` and ``sepcam serve`` both begin with: a source, networks, and a session of the two."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ...models.registry import REGISTRY
from ...models.weights.store import WeightStore
from ...pipelines.events import Event
from ...pipelines.execution.network_pool import NetworkPool
from ...pipelines.execution.turns import Turn
from ...pipelines.live.adaptive_quality import Quality
from ...pipelines.live.analysis import choice_for
from ...pipelines.live.session import LiveSession
from ...pipelines.live.settings import LiveSettings
from ...pipelines.pipeline import Pipeline
from ...pipelines.sources.realtime import PacedSource
from ...pipelines.sources.reconnecting import ReconnectingSource
from ...pipelines.types import StreamInfo
from ..options.live import LiveRequest
from ..options.load_networks import load
from ..terminal import console


@dataclass(frozen=True, slots=True)
class Loaded:
    """Networks, ready to begin.

    Attributes:
        pipeline: what a run of its own takes.
        settings: what the switches say at the beginning.
        pool: has the networks of these settings, and loads others.
    """

    pipeline: Pipeline
    settings: LiveSettings
    pool: NetworkPool


def load_networks(request: LiveRequest) -> Loaded:
    """Loads what a request begins with; all of it, in both forms, runs in the same precision.

    Raises:
        SepcamError: If networks are unavailable, or an option does not fit them.
    """
    asked = request.analysis
    pipeline = load(asked, both_forms=True)
    networks = pipeline.networks
    first = networks.detector.name
    settings = LiveSettings(
        first,
        asked.backbone,
        frozenset(asked.tasks),
        asked.conf,
        request.hiding.blur,
        request.hiding.hide,
        hud=request.drawing.hud_detail,
    )
    pool = NetworkPool.of(
        asked.pose,
        options=pipeline.runtime,
        store=WeightStore(notice=console.note),
        max_people=asked.max_people,
        # Another detector may not take a size that was meant for the first.
        size_of=lambda name: asked.input_size if name == first else None,
        source_of=lambda name: asked.detector if name == first and asked.detector != "auto" else name,
    )
    pool.add(choice_for(settings, Quality()), networks)
    return Loaded(pipeline, settings, pool)


def detector_names(first: str) -> list[str]:
    """The detectors to switch between: the one that was begun with, and those of the registry.

    Never a name that a visitor makes up: some stand for files and for code of the user's.
    """
    return list(
        dict.fromkeys([first, *(model.name for model in REGISTRY.values() if model.task == "detect")])
    )


def begin(
    request: LiveRequest,
    source: PacedSource | ReconnectingSource,
    loaded: Loaded,
    *,
    prepare_ahead: bool,
    on_event: Callable[[Event], None],
    turn: Turn | None = None,
) -> LiveSession:
    """A session of a source and networks, which it closes; the first image comes after ``start``.

    With a turn, the networks are those of other sessions too, and stay open.

    Raises:
        SepcamError: If a line or a zone lies outside the image; the source is closed.
    """
    return LiveSession(
        source,
        loaded.pool,
        loaded.settings,
        zones=request.watching.zones,
        target_fps=request.target_fps,
        options=replace(request.analysis, runtime=loaded.pipeline.runtime),
        drawing=request.drawing,
        prepare_ahead=prepare_ahead,
        turn=turn,
        on_event=on_event,
    )


def described(info: StreamInfo, name: str | None = None) -> str:
    """A source in a line: name (its own by default), size and rate as they really are."""
    return f"{name or info.name}: {info.width}x{info.height}" + (
        f" at {info.fps:.4g} FPS" if info.fps else ""
    )
