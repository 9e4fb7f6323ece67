"""The options that ``sepcam live`` and ``sepcam serve`` share."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ...pipelines.analysis.options import AnalysisOptions
from ...pipelines.analytics.options import WatchOptions
from ...pipelines.drawing.options import DrawOptions
from ...pipelines.hiding.options import Hiding
from ...pipelines.watching.options import EventOptions
from . import shared
from .analysis import AnalysisArguments
from .config_file import ConfigOption, PresetOption

if TYPE_CHECKING:
    from ...pipelines.sources.realtime import PacedSource
    from ...pipelines.sources.reconnecting import ReconnectingSource
    from ...pipelines.sources.v4l2 import Exposure


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """What the user asked for; see the options of ``sepcam live``.

    Attributes:
        source: what ``open_live`` takes.
        analysis: what to do, and with which networks to start.
        drawing: what is drawn, and how.
        size: (width, height) to ask a camera for, or None.
        rate: frames per second to ask a camera for, or None.
        exposure: to ask a camera for, or None.
        mirror: whether left and right are exchanged.
        loop: whether a file begins again.
        target_fps: rate to keep, None for the camera's.
        reconnect_timeout_s: when to give up a lost source, None for never.
        hiding: what is made unrecognizable.
        watching: the lines and zones where people are counted.
        events: the rules by which events are recorded.
    """

    source: str
    analysis: AnalysisOptions
    drawing: DrawOptions
    size: tuple[int, int] | None
    rate: float | None
    loop: bool
    target_fps: float | None
    reconnect_timeout_s: float | None
    hiding: Hiding
    watching: WatchOptions
    events: EventOptions = field(default_factory=EventOptions)
    exposure: "Exposure | None" = None
    mirror: bool = False

    def open(self) -> "PacedSource | ReconnectingSource":
        """The source.

        Raises:
            SepcamError: If it cannot be opened.
        """
        from ...pipelines.sources.open_live import open_live

        return open_live(
            self.source,
            size=self.size,
            rate=self.rate,
            exposure=self.exposure,
            mirror=self.mirror,
            loop=self.loop,
            reconnect_timeout_s=self.reconnect_timeout_s,
        )


@dataclass(frozen=True, slots=True)
class LiveArguments(AnalysisArguments):
    """What was typed."""

    preset: PresetOption = None
    config: ConfigOption = None
    detect_every: shared.DetectEveryOption = "auto"
    input_size: shared.LiveInputSizeOption = "own"
    small_people: shared.SmallPeopleOption = False
    size: shared.SizeOption = None
    rate: shared.RateOption = None
    exposure: shared.ExposureOption = None
    mirror: shared.MirrorOption = False
    loop: shared.LoopOption = False
    target_fps: shared.TargetFpsOption = None
    reconnect_timeout: shared.ReconnectTimeoutOption = None

    def request(
        self,
        source: str,
        watching: WatchOptions,
        drawing: DrawOptions,
        hiding: Hiding,
        events: EventOptions,
    ) -> LiveRequest:
        """What it means for a source; checked before anything heavy is imported.

        Raises:
            SepcamError: If a value is not valid.
        """
        from ...models.zoo import choose_detector
        from .load_networks import size_rule

        analysis = self.options()
        if self.small_people:
            text = "auto" if self.input_size == "own" else self.input_size
            name = analysis.detector
            if name == "auto":
                name = choose_detector(analysis.classes)
            analysis = replace(analysis, input_size=size_rule(text, small_people=True)(name))
        else:
            analysis = replace(analysis, input_size=shared.input_size(self.input_size))
        size = shared.image_size(self.size)

        return LiveRequest(
            source=source,
            analysis=analysis,
            drawing=drawing,
            size=size,
            rate=self.rate,
            loop=self.loop,
            target_fps=self.target_fps,
            reconnect_timeout_s=self.reconnect_timeout,
            hiding=hiding,
            watching=watching,
            events=events,
            exposure=shared.exposure(self.exposure),
            mirror=self.mirror,
        )
