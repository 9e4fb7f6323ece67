"""Which frames get a detection: between two, people are carried by their landmarks and the tracker."""

from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.ops.boxes import iou
from ...models.types import F32, U8
from ..types import DetectEvery
from .motion import Motion

APPEAR_S: Final = 0.3
"""Seconds in which somebody new appears, the second sighting that the tracker wants included."""

HURRY_S: Final = 0.1
"""Seconds from one detection to the next while there is reason for one: motion, somebody lost or in doubt.

On PETS09-S2L1, 10 frames a second, carrying everybody by their speeds alone costs 3 to 7 HOTA at 0.2 s.
"""

_STILL = 0.8  # IoU of a box with itself a little later, from which on it stands still
_JITTER = 0.1  # of a frame's time by which time stamps may be off


class DetectionSchedule:
    """Says for each frame of a source whether to detect in it.

    ``auto`` detects before somebody new could appear later than ``APPEAR_S``; than ``HURRY_S``, while
    something moves where nobody is, somebody is lost, or may not be where they are said to be; and at once
    where somebody was seen for the first time. Motion that turns out to be nobody counts for less the next
    time: a busy street moves all the time. A number N counts frames; the frame after one with somebody
    new is detected in as well, since identities take two sightings in a row.

    Attributes:
        at_least: frames from one detection to the next, at least; for who must save time. Somebody new is
            confirmed at once all the same.
    """

    at_least: int

    def __init__(self, every: DetectEvery) -> None:
        """Begin with a detection.

        Args:
            every: ``auto``, or a number of frames from 1.
        """
        self._every = every
        self.at_least = 1
        self._motion = Motion()
        self.reset()

    def reset(self) -> None:
        """As at a cut: the next frame gets a detection."""
        self._since = 0
        self._detected_s = self._last_s = -np.inf
        self._tentative = self._hurry = self._moved = False
        self._in_vain = False  # whether what moved, since somebody new was last seen, was nobody

    def due(self, image: U8, time_s: float, people: F32) -> bool:
        """Whether to detect in the next frame.

        Args:
            image: its (H, W, 3) uint8 BGR image.
            time_s: its time in seconds.
            people: (N, 4) float32 x1 y1 x2 y2, where everything known is expected in it.
        """
        step_s, self._last_s = time_s - self._last_s, time_s
        self._since += 1
        if self._tentative or not np.isfinite(step_s) or step_s <= 0:
            return True
        if self._since < self.at_least:
            return False
        if self._every != "auto":
            return self._since >= int(self._every)
        # Whoever came right after the last detection is seen in the next one, and again a frame later.
        waited_s = time_s + step_s - self._detected_s - _JITTER * step_s
        if waited_s <= HURRY_S:
            return False
        if self._hurry or waited_s > APPEAR_S:
            return True
        patient = self._in_vain and waited_s <= 2 * HURRY_S
        self._moved = not patient and self._motion.elsewhere(image, time_s, people)
        return self._moved

    def detected(self, image: U8, time_s: float, found: F32, *, tentative: bool, hurry: bool) -> None:
        """A detection took place.

        Args:
            image: as given to ``due``.
            time_s: the frame's time in seconds.
            found: (N, 4) float32, everything that was found.
            tentative: somebody new was seen who has no identity yet.
            hurry: somebody was lost, or may not be where they are said to be.
        """
        self._in_vain = not tentative and (self._in_vain or self._moved)
        self._tentative, self._hurry, self._moved = tentative, hurry, False
        self._since, self._detected_s = 0, time_s
        if self._every == "auto":
            self._motion.settle(image, time_s, found)

    def propagated(self, *, hurry: bool) -> None:
        """A frame went without a detection; ``hurry`` as in ``detected``."""
        self._hurry |= hurry


def predictable(boxes: F32, later: F32, followed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Who is in their box for some time to come, without a look at the detector.

    Those who keep still, and those whose landmarks are followed and on whose way is nobody else: the landmark
    network mixes up people who overlap.

    Args:
        boxes: (N, 4) float32 x1 y1 x2 y2 in this frame.
        later: (N, 4) float32, as expected in ``APPEAR_S``.
        followed: (N,) bool, whose landmarks were found in this frame.

    Returns:
        (N,) bool.
    """
    still = np.diagonal(iou(boxes, later)) >= _STILL
    low, high = np.minimum(boxes[:, :2], later[:, :2]), np.maximum(boxes[:, 2:], later[:, 2:])
    ways = np.concatenate([low, high], 1)
    alone = (iou(ways, ways) > 0).sum(1) <= 1
    return still | (followed & alone)
