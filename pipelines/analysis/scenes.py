"""Where one scene ends and another begins: at a gap in time, at a cut, and where a source starts over."""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from ...models.types import F32, U8
from ..types import Frame

GAP_S: Final = 2.0
"""Seconds without a frame after which people are new people; longer if frames always come slowly."""

_GAP_STEPS = 4.0  # usual steps between frames that a gap is longer than
_STEP_WEIGHT = 0.2  # of the newest step in the usual one

THUMBNAIL: tuple[int, int] = (18, 32)
"""Rows and columns of a thumbnail."""

_ALIKE = 0.5  # correlation of two thumbnails from which on they show the same scene
_CHANGED = 20  # levels by which a cell differs where something else is seen
_MOST = 0.5  # fraction of the cells that change within a scene: by a person close by, or a shake
_FLAT = 2.0  # standard deviation, in levels, up to which a thumbnail shows nothing
_READ = 8  # pixels that are read of each row and column of a cell


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


class Cuts:
    """Tells for each frame of a video whether it shows another scene than the one before.

    It does where two thumbnails do not correlate and most of their cells differ. Light that is switched on
    leaves the correlation, and whoever walks past the camera leaves half of the cells. An image of one color
    belongs to no scene: what comes after it is compared with what came before.
    """

    def __init__(self) -> None:
        """The first frame is no cut."""
        self._last: F32 | None = None

    def begin(self, image: U8) -> bool:
        """Whether a scene begins with this (H, W, 3) uint8 BGR image."""
        return self.begin_by(thumbnail_of(image))

    def begin_by(self, thumbnail: U8) -> bool:
        """Whether a scene begins with the image of this (18, 32, 3) uint8 BGR ``thumbnail``."""
        b = thumbnail.astype(np.float32)
        if b.mean(2).std() < _FLAT:
            return False
        a, self._last = self._last, b
        if a is None:
            return False
        changed = (np.abs(a - b) > _CHANGED).any(2).mean()
        return bool(changed > _MOST and np.corrcoef(a.mean(2).ravel(), b.mean(2).ravel())[0, 1] < _ALIKE)


def thumbnail_of(image: U8) -> U8:
    """The (18, 32, 3) uint8 BGR thumbnail of an (H, W, 3) image. Reading some pixels of it is enough."""
    rows, columns = THUMBNAIL
    thin = cv2.resize(image, (_READ * columns, _READ * rows), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.resize(thin, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
