"""Trails: the way that people came in the last seconds."""

from collections import deque
from typing import Final

import cv2
import numpy as np

from ...models.types import U8
from ..types import FrameResult
from .colors import Color

TRAIL_S: Final = 2.0
"""Seconds that a trail goes back."""


class Trails:
    """Remembers where the tracks of one run were: the middle of the lower edge of their boxes."""

    def __init__(self) -> None:
        self._points: dict[int, deque[tuple[float, float, float]]] = {}
        self._last_s, self._sequence = float("-inf"), 0

    def update(self, result: FrameResult) -> None:
        """Adds a frame; one that was added before changes nothing."""
        now = result.frame.time_s
        if now == self._last_s:
            return
        sequence = result.frame.sequence
        if now < self._last_s or sequence != self._sequence:  # a file that is played again
            self._points.clear()
        self._last_s, self._sequence = now, sequence
        found = result.instances
        ids = [] if found.track_ids is None else found.track_ids.tolist()
        for number, (x1, _, x2, y2) in zip(ids, found.boxes.tolist(), strict=False):
            if np.isfinite(x1 + x2 + y2):
                self._points.setdefault(number, deque()).append((now, (x1 + x2) / 2, y2))
        for number in list(self._points):
            points = self._points[number]
            while points and now - points[0][0] > TRAIL_S:
                points.popleft()
            if not points:
                del self._points[number]

    def draw(self, image: U8, colors: dict[int, Color], line: int) -> None:
        """Draws the trails of tracks into an (H, W, 3) uint8 BGR image, in place.

        Args:
            image: drawn on in place.
            colors: of the tracks by identity; others have no trail.
            line: thickness in pixels.
        """
        reach = 4 * max(image.shape[:2])
        for number, color in colors.items():
            points = self._points.get(number, ())
            if len(points) > 1:
                way = np.array([(x, y) for _, x, y in points]).clip(-reach, reach)
                cv2.polylines(image, [way.round().astype(np.int32)], False, color, line, cv2.LINE_AA)
