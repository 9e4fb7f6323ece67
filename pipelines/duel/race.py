"""A race: the frames of a duel once more, each side at the rate that it reached."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from ...models.types import U8, ConvKind
from .result import KINDS

MOST_FRAMES: Final = 150
"""Frames that a race keeps, from the beginning of the duel."""

_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Runner:
    """One side at a moment of a race.

    Attributes:
        image: (H, W, 3) uint8 BGR, the last frame that it has finished.
        frames: how many it has finished.
    """

    image: U8
    frames: int


class Race:
    """Replays a duel: each frame is shown when its side, alone on the machine, would have finished it.

    The times are those measured in the duel. At the end of the frames a side starts again with the first. One
    thread uses it.
    """

    def __init__(self) -> None:
        self._images: dict[ConvKind, list[np.ndarray]] = {kind: [] for kind in KINDS}  # as JPEG
        self._done_s: dict[ConvKind, list[float]] = {kind: [] for kind in KINDS}

    def __len__(self) -> int:
        return len(self._images[KINDS[0]])

    def add(self, images: Mapping[ConvKind, U8], times_ms: Mapping[ConvKind, float]) -> None:
        """Keeps a frame, if there is room for it.

        Args:
            images: (H, W, 3) uint8 BGR, of both sides.
            times_ms: milliseconds that each took.
        """
        if len(self) >= MOST_FRAMES:
            return
        for kind in KINDS:
            _, data = cv2.imencode(".jpg", images[kind], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
            self._images[kind].append(data)
            done = self._done_s[kind]
            done.append((done[-1] if done else 0.0) + times_ms[kind] / 1e3)

    def at(self, seconds: float) -> dict[ConvKind, Runner]:
        """Both sides so many seconds after the start; there must be a frame."""
        return {kind: self._runner(kind, seconds) for kind in KINDS}

    def _runner(self, kind: ConvKind, seconds: float) -> Runner:
        done = self._done_s[kind]
        laps, rest = divmod(max(seconds, 0.0), max(done[-1], 1e-6))
        frames = int(laps) * len(done) + bisect_right(done, rest)
        image = cv2.imdecode(self._images[kind][max(frames - 1, 0) % len(done)], cv2.IMREAD_COLOR)
        return Runner(np.asarray(image, np.uint8), frames)
