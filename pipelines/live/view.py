"""The drawing stage of a live session, and who is under the pointer."""

from typing import Final

import cv2
import numpy as np

from ...models.types import U8
from ..drawing.anonymize import Anonymizer
from ..drawing.options import DrawOptions
from ..drawing.overlay import Overlay
from ..drawing.trails import Trails
from ..types import FrameResult, ModelInfo
from .analysis import Analyzed

_DIM: Final = 0.35


_AROUND = 0.08  # of the followed person's box is left bright beyond it


class LiveDrawing:
    """Draws analyzed frames onto their own images, first what hides people. One thread uses it.

    Args:
        options: what is drawn, and how; None is the default.
    """

    def __init__(self, options: DrawOptions | None = None) -> None:
        self._options = options or DrawOptions()
        self._anonymizer, self._trails = Anonymizer(), Trails()
        self._model = ModelInfo()
        self._overlay = self._overlay_of(self._model)

    def draw(self, analyzed: Analyzed) -> None:
        """Draws everything but the HUD, in place."""
        model = analyzed.result.model
        if model != self._model:
            self._model = model
            self._overlay = self._overlay_of(model)
        image, result, settings = analyzed.result.frame.image, analyzed.result, analyzed.settings
        self._anonymizer.hide(
            image, result.instances, analyzed.low_confidence, settings.blur, result.frame.time_s
        )
        self._overlay.draw(image, result)
        if settings.follow is not None:
            dim_others(image, result, settings.follow)

    def _overlay_of(self, model: ModelInfo) -> Overlay:
        return Overlay(
            model.skeleton,
            keypoint_names=model.keypoint_names,
            options=self._options,
            trails=self._trails,
        )


def dim_others(image: U8, result: FrameResult, track_id: int) -> None:
    """Darkens an (H, W, 3) uint8 BGR image but for the person with an identity, in place.

    Where that person is not in the image, nothing is darkened.
    """
    found = result.instances
    rows = [] if found.track_ids is None else np.flatnonzero(found.track_ids == track_id).tolist()
    if not rows:
        return
    x1, y1, x2, y2 = (float(v) for v in found.boxes[rows[0]])
    dx, dy = _AROUND * (x2 - x1), _AROUND * (y2 - y1)
    height, width = image.shape[:2]
    left, right = max(0, int(x1 - dx)), min(width, int(x2 + dx) + 1)
    top, bottom = max(0, int(y1 - dy)), min(height, int(y2 + dy) + 1)
    for area in (image[:top], image[bottom:], image[top:bottom, :left], image[top:bottom, right:]):
        if area.size:
            cv2.convertScaleAbs(area, area, alpha=_DIM)


def person_at(result: FrameResult, x: float, y: float) -> int | None:
    """The identity of the person whose box is at a point (pixels), the smallest one where several are."""
    found = result.instances
    if found.track_ids is None:
        return None
    boxes = found.boxes
    inside = (boxes[:, 0] <= x) & (x < boxes[:, 2]) & (boxes[:, 1] <= y) & (y < boxes[:, 3]) & found.people
    rows = np.flatnonzero(inside)
    if not len(rows):
        return None
    areas = (boxes[rows, 2:] - boxes[rows, :2]).prod(1)
    return int(found.track_ids[rows[np.argmin(areas)]])
