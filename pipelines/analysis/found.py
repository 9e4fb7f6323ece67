"""What an analysis finds in a frame, and how long it takes."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...models.types import F32, Crop
from ..types import Instances, MaskCrop


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a frame.

    Attributes:
        instances: all of it but the masks of a one-pass network.
        masks: these, of its first instances; None if there are none. They may be computed when they are read.
        stage_ms: milliseconds that each stage took.
        likely: see `FrameResult`.
        tentative: see `FrameResult`; all of it but the masks of a one-pass network.
        later_masks: these; None if there are none.
    """

    instances: Instances
    masks: Sequence[Crop] | None
    stage_ms: dict[str, float]
    likely: F32
    tentative: Instances | None = None
    later_masks: Sequence[Crop] | None = None

    def complete(self) -> tuple[Instances, dict[str, float]]:
        """All of it, and the milliseconds that each stage took, in the order of the stages."""
        if self.masks is None:
            return self.instances, self.stage_ms
        clock = Stopwatch()
        masks = _cut_out(self.masks)
        lost = len(self.instances) - len(masks)
        instances = replace(self.instances, masks=[*masks, *[None] * lost])
        clock.lap("masks")
        return instances, self.stage_ms | clock.laps

    def completed_tentative(self) -> Instances | None:
        """What is tentative, with its masks."""
        if self.tentative is None or self.later_masks is None:
            return self.tentative
        return replace(self.tentative, masks=_cut_out(self.later_masks))


def _cut_out(crops: Sequence[Crop]) -> list[MaskCrop | None]:
    """The masks, None for those that are empty."""
    return [MaskCrop(*crop) if crop[0].any() else None for crop in crops]


class Stopwatch:
    """Milliseconds per stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Note the time since the last stage."""
        now = time.perf_counter()
        self.laps[stage] = (now - self._last) * 1e3
        self._last = now
