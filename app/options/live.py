"""The options that ``sepcam live`` and ``sepcam serve`` share."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...pipelines.analysis.options import AnalysisOptions
from ...pipelines.analytics.options import WatchOptions
from ...pipelines.drawing.options import DrawOptions
from ...pipelines.types import Blur
from . import shared
from .analysis import AnalysisArguments

if TYPE_CHECKING:
    from ...pipelines.sources.realtime import PacedSource
    from ...pipelines.sources.reconnecting import ReconnectingSource


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """What the user asked for; see the options of ``sepcam live``.

    Attributes:
        source: what ``open_live`` takes.
        analysis: what to do, and with which networks to start.
        drawing: what is drawn, and how.
        size: (width, height) to ask a camera for, or None.
        rate: frames per second to ask a camera for, or None.
        loop: whether a file begins again.
        target_fps: rate to keep, None for the camera's.
        reconnect_timeout_s: when to give up a lost source, None for never.
        blur: what to hide.
        watching: the lines and zones where people are counted.
    """

    source: str
    analysis: AnalysisOptions
    drawing: DrawOptions
    size: tuple[int, int] | None
    rate: float | None
    loop: bool
    target_fps: float | None
    reconnect_timeout_s: float | None
    blur: Blur
    watching: WatchOptions

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
            loop=self.loop,
            reconnect_timeout_s=self.reconnect_timeout_s,
        )


@dataclass(frozen=True, slots=True)
class LiveArguments(AnalysisArguments):
    """What was typed."""

    detect_every: shared.DetectEveryOption = "auto"
    input_size: shared.LiveInputSizeOption = "own"
    size: shared.SizeOption = None
    rate: shared.RateOption = None
    loop: shared.LoopOption = False
    target_fps: shared.TargetFpsOption = None
    reconnect_timeout: shared.ReconnectTimeoutOption = None
    blur: shared.BlurOption = "nothing"

    def request(self, source: str, watching: WatchOptions, drawing: DrawOptions) -> LiveRequest:
        """What it means for a source; checked before anything heavy is imported.

        Raises:
            SepcamError: If a value is not valid.
        """
        analysis = replace(self.options(), input_size=shared.input_size(self.input_size))
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
            blur=self.blur,
            watching=watching,
        )
