"""The options that ``sepcam live`` and ``sepcam serve`` share."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..options import shared
from ..options.analysis import AnalysisArguments

if TYPE_CHECKING:
    from .request import LiveRequest


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
    line: shared.LineOption = None
    zone: shared.ZoneOption = None

    def request(self, source: str) -> "LiveRequest":
        """What it means for a source; checked before anything heavy is imported.

        Raises:
            SepcamError: If a value is not valid.
        """
        analysis = replace(self.options(), input_size=shared.input_size(self.input_size))
        size = shared.image_size(self.size)
        from .request import LiveRequest

        return LiveRequest(
            source=source,
            analysis=analysis,
            size=size,
            rate=self.rate,
            loop=self.loop,
            target_fps=self.target_fps,
            reconnect_timeout_s=self.reconnect_timeout,
            blur=self.blur,
            lines=tuple(self.line or ()),
            zones=tuple(self.zone or ()),
        )
