"""Keeps a live image smooth on a slow machine by doing less, in an order that hurts least."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ...models.registry import find_detector

DETECT_EVERY: Final = (2, 3, 5, 8)
POSE_EVERY: Final = (2, 3, 4, 6, 8)

_SETTLE_S = 0.7
_PATIENCE_S = 3.0
_MOST_PATIENCE_S = 48.0
_OVER, _UNDER, _IDLE = 1.05, 0.65, 0.35  # shares of the time per frame
_LEAST_FRAMES = 5
_FAR_OVER = 1.5  # of the time per frame: where no time is lost on watching
_FAR_FRAMES = 4


@dataclass(frozen=True, slots=True)
class Quality:
    """How much is done for each frame.

    Attributes:
        detect_every: frames from one detection to the next, at least; 1 leaves it to the analysis.
        pose_every: frames in which each person's landmarks and mask are renewed once.
        size: (height, width) of the detector's input, None for its own.
    """

    detect_every: int = 1
    pose_every: int = 1
    size: tuple[int, int] | None = None

    def __str__(self) -> str:
        parts = []
        if self.detect_every > 1:
            parts.append(f"detecting every {self.detect_every} frames")
        if self.pose_every > 1:
            parts.append(f"poses every {self.pose_every} frames")
        if self.size is not None:
            parts.append(f"detector at {self.size[0]} px")
        return ", ".join(parts) or "full quality"


def quality_levels(detector: str, *, pose: bool = True) -> tuple[Quality, ...]:
    """The steps from everything down to the least, for a detector by its registry name.

    First detections become rarer, then people are renewed in turn, then the detector's input shrinks.
    """
    steps = [Quality(), *(Quality(every) for every in DETECT_EVERY)]
    if pose:
        steps += [Quality(DETECT_EVERY[-1], every) for every in POSE_EVERY]
    last = steps[-1]
    spec = find_detector(detector)
    smaller = () if spec is None else spec.smaller_inputs
    return (*steps, *(Quality(last.detect_every, last.pose_every, size) for size in smaller))


class AdaptiveQuality:
    """Decides, frame by frame, how much can be done.

    It goes down one step when frames take longer than there is time for (two, and at once, where they take
    far too long), and up one when they would fit with room to spare: soon where there is much, after a while
    where there is little. When a step up proves too much, it waits twice as long before the next try.
    """

    def __init__(self, steps: tuple[Quality, ...], *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with the first step.

        Args:
            steps: see ``ladder``.
            clock: seconds, monotonic.
        """
        self._clock = clock
        self._patience_s = _PATIENCE_S
        self._rose_at: float | None = None
        self.use(steps)

    @property
    def level(self) -> int:
        """How many steps down it is."""
        return self._level

    @property
    def quality(self) -> Quality:
        """What can be done now."""
        return self._steps[self._level]

    def use(self, steps: tuple[Quality, ...]) -> None:
        """Take other steps (another detector, other tasks), from the first on."""
        self._steps = steps
        self._level = 0
        self._begin()

    def frame(self, seconds: float, target_fps: float) -> Quality:
        """A frame took so long in the slowest stage; what to do for the next one, to reach a rate."""
        self._count += 1
        self._busy_s += seconds
        self._slowest_s = max(self._slowest_s, seconds)
        if self._far_over(target_fps):
            self._down(2)
            return self.quality
        spent = self._clock() - self._since
        if self._count >= _LEAST_FRAMES and spent >= _SETTLE_S:
            load = self._busy_s / self._count * target_fps
            if load > _OVER:
                self._down(1)
            elif load >= _UNDER:
                self._begin()  # a comfortable stretch does not add up to a step up
            elif spent >= self._patience(load):
                self._up()
        return self.quality

    def _far_over(self, target_fps: float) -> bool:
        """Whether frames take far too long, also without the slowest one: that may be an exception."""
        if self._count < _FAR_FRAMES:
            return False
        return (self._busy_s - self._slowest_s) / (self._count - 1) * target_fps > _FAR_OVER

    def _patience(self, load: float) -> float:
        """Seconds before a step up: few where there is much room, unless one has just proved too much."""
        return _SETTLE_S if load < _IDLE and self._patience_s == _PATIENCE_S else self._patience_s

    def _down(self, steps: int) -> None:
        if self._rose_at is not None and self._clock() - self._rose_at < 2 * self._patience_s:
            self._patience_s = min(2 * self._patience_s, _MOST_PATIENCE_S)
        self._rose_at = None
        self._level = min(self._level + steps, len(self._steps) - 1)
        self._begin()

    def _up(self) -> None:
        if self._level:
            self._level -= 1
            self._rose_at = self._clock()
        else:
            self._patience_s = _PATIENCE_S
        self._begin()

    def _begin(self) -> None:
        self._since = self._clock()
        self._count = 0
        self._busy_s = self._slowest_s = 0.0
