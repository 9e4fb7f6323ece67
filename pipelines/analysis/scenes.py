"""Where one scene ends and another begins: at a gap in time, at a cut, and where a source starts over."""

from collections.abc import Callable
from typing import Final

from ...models.types import U8
from ..types import Frame
from .cuts import Cuts

GAP_S: Final = 2.0
"""Seconds without a frame after which people are new people; longer if frames always come slowly."""

_GAP_STEPS = 4.0  # usual steps between frames that a gap is longer than
_STEP_WEIGHT = 0.2  # of the newest step in the usual one


class Scenes:
    """Tells for each frame of a source whether it continues the one before."""

    def __init__(self, fps: float | None, is_cut: Callable[[U8], bool] | None = None) -> None:
        """Begin with no frame.

        Args:
            fps: frames per second of the source, or None where unknown.
            is_cut: whether a scene begins with an image; by default `Cuts` says so.
        """
        self._is_cut = is_cut or Cuts().begin
        self._last: tuple[int, float] | None = None
        self._step_s = 1 / fps if fps else 0.0

    def begin(self, frame: Frame) -> bool:
        """Whether another scene begins with the next frame."""
        last, self._last = self._last, (frame.sequence, frame.time_s)
        cut = self._is_cut(frame.image)
        if last is None:
            return False
        step_s = max(frame.time_s - last[1], 0.0)
        usual_s = self._step_s or step_s
        self._step_s = usual_s + _STEP_WEIGHT * (step_s - usual_s)
        return cut or frame.sequence != last[0] or step_s > max(GAP_S, _GAP_STEPS * usual_s)
