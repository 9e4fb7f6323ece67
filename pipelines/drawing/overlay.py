"""Draws results onto frames; touches only the pixels of what is drawn."""

from collections.abc import Sequence

import cv2
import numpy as np

from ...models.types import F32, U8
from ..types import FrameResult, Instances
from .colors import Color, color_of
from .hud import Hud
from .labels import draw_labels
from .masks import draw_mask
from .skeleton import Skeleton
from .text import Style
from .zones import draw_counts


class Overlay:
    """Draws boxes, labels, masks, skeletons and a HUD.

    Args:
        skeleton: the bones, as pairs of 0-based keypoint indices.
        hud: the HUD in the corner, or None.
        keypoint_names: names of the keypoints, which tell left from right; without names every bone is white.
    """

    def __init__(
        self,
        skeleton: Sequence[tuple[int, int]] = (),
        hud: Hud | None = None,
        *,
        keypoint_names: Sequence[str] = (),
    ) -> None:
        self._skeleton = Skeleton(skeleton, keypoint_names)
        self._hud = hud

    def draw(self, image: U8, result: FrameResult) -> None:
        """Draws a result into an (H, W, 3) uint8 BGR image, in place.

        Args:
            image: the frame's image or one of its size; contiguous.
            result: the objects in it. A track is colored by its id; without tracking, an object by its class.
                The nearest object, whose box ends lowest, is drawn last, on top.
        """
        found = result.instances
        style = Style.of(*image.shape[:2])
        colors = _colors(found)
        rows = _rows(found, *image.shape[:2])
        for row in rows:
            mask = found.masks[row] if found.masks is not None else None
            if mask is not None:
                draw_mask(image, mask, colors[row], style.line)
        corners = _corners(found.boxes, image.shape[:2], style.line)
        for row in rows:
            x1, y1, x2, y2 = corners[row]
            cv2.rectangle(image, (x1, y1), (x2, y2), colors[row], style.line)
            if found.keypoints is not None:
                self._skeleton.draw(image, found.keypoints[row], found.boxes[row], style.line)
        panel = self._hud.panel(image.shape[:2], result) if self._hud is not None else None
        draw_labels(image, found, rows[::-1], colors, style, [panel.rect] if panel is not None else [])
        draw_counts(image, result.counts)
        if panel is not None:
            panel.draw(image)


def _rows(found: Instances, height: int, width: int) -> list[int]:
    """The objects that lie in the image at least in part, the farthest first."""
    x1, y1, x2, y2 = found.boxes.T
    # Boxes that are not finite are left out.
    inside = (x2 >= 0) & (y2 >= 0) & (x1 < width) & (y1 < height) & np.isfinite(found.boxes).all(1)
    order = np.argsort(y2, kind="stable")
    return order[inside[order]].tolist()


def _colors(found: Instances) -> list[Color]:
    numbers = found.labels if found.track_ids is None else found.track_ids
    return [color_of(number) for number in numbers.tolist()]


def _corners(boxes: F32, size: tuple[int, ...], line: int) -> list[list[int]]:
    """Boxes in whole pixels; sides outside the image are clamped just out of sight."""
    height, width = size
    farthest = np.array([width, height, width, height]) + line
    return np.clip(np.nan_to_num(boxes).round(), -line - 1, farthest).astype(int).tolist()
