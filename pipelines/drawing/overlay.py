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
from .options import DrawOptions
from .skeleton import Skeleton
from .text import Style
from .trails import Trails
from .zones import draw_counts


class Overlay:
    """Draws boxes, labels, masks, skeletons, trails and a HUD onto the frames of one run.

    Args:
        skeleton: the bones, as pairs of 0-based keypoint indices.
        hud: the HUD in the corner, or None.
        keypoint_names: names of the keypoints, which tell left from right; without names every bone is white.
        options: what is drawn, and how.
        trails: where the tracks were; None begins with this run.
    """

    def __init__(
        self,
        skeleton: Sequence[tuple[int, int]] = (),
        hud: Hud | None = None,
        *,
        keypoint_names: Sequence[str] = (),
        options: DrawOptions | None = None,
        trails: Trails | None = None,
    ) -> None:
        self._skeleton = Skeleton(skeleton, keypoint_names)
        self._hud = hud
        self._options = options or DrawOptions()
        self._trails = trails or Trails()

    def draw(self, image: U8, result: FrameResult) -> None:
        """Draws a result into an (H, W, 3) uint8 BGR image, in place.

        Args:
            image: the frame's image or one of its size; contiguous.
            result: the objects in it. Where colors say who it is, a track is colored by its id; without
                tracking, an object of a photograph by its number, and one of a video by its class. The
                nearest object, whose box ends lowest, is drawn last, on top.
        """
        found, layers = result.instances, self._options.layers
        height, width = image.shape[:2]
        style = Style.of(height, width, self._options.scale)
        colors = self._colors(result)
        rows = _rows(found, height, width)
        if found.masks is not None and "masks" in layers:
            for row in rows:
                mask = found.masks[row]
                if mask is not None:
                    draw_mask(image, mask, colors[row], style.line, self._options.mask_opacity)
        if found.track_ids is not None and "trails" in layers:
            self._trails.update(result)
            ids = found.track_ids.tolist()
            self._trails.draw(image, {ids[row]: colors[row] for row in rows}, style.line + 1)
        self._draw_figures(image, found, rows, colors, style)
        panel = None
        if self._hud is not None and "hud" in layers:
            panel = self._hud.panel((height, width), result)
        taken = [panel.rect] if panel is not None else []
        if "zones" in layers:
            taken += draw_counts(image, result.counts, self._options.scale)
        if not {"labels", "ids", "conf"}.isdisjoint(layers):
            draw_labels(image, found, rows[::-1], colors, style, layers, taken)
        if panel is not None:
            panel.draw(image)

    def _draw_figures(
        self, image: U8, found: Instances, rows: Sequence[int], colors: Sequence[Color], style: Style
    ) -> None:
        """Draws boxes and skeletons, person by person."""
        layers = self._options.layers
        by_side = self._options.color_by == "side"
        corners = _corners(found.boxes, image.shape[:2], style.line)
        for row in rows:
            if "boxes" in layers:
                x1, y1, x2, y2 = corners[row]
                cv2.rectangle(image, (x1, y1), (x2, y2), colors[row], style.line)
            if found.keypoints is not None and "skeletons" in layers:
                color = None if by_side else colors[row]
                self._skeleton.draw(image, found.keypoints[row], found.boxes[row], style.line, color)

    def _colors(self, result: FrameResult) -> list[Color]:
        """The color of each object."""
        found = result.instances
        if self._options.color_by == "class":
            numbers = found.labels
        elif found.track_ids is not None:
            numbers = found.track_ids
        elif result.frame.name:
            numbers = np.arange(1, len(found) + 1)
        else:  # the order of objects changes from frame to frame
            numbers = found.labels
        return [color_of(number) for number in numbers.tolist()]


def _rows(found: Instances, height: int, width: int) -> list[int]:
    """The objects that lie in the image at least in part, the farthest first."""
    x1, y1, x2, y2 = found.boxes.T
    # Boxes that are not finite are left out.
    inside = (x2 >= 0) & (y2 >= 0) & (x1 < width) & (y1 < height) & np.isfinite(found.boxes).all(1)
    order = np.argsort(y2, kind="stable")
    return order[inside[order]].tolist()


def _corners(boxes: F32, size: tuple[int, ...], line: int) -> list[list[int]]:
    """Boxes in whole pixels; sides outside the image are clamped just out of sight."""
    height, width = size
    farthest = np.array([width, height, width, height]) + line
    return np.clip(np.nan_to_num(boxes).round(), -line - 1, farthest).astype(int).tolist()
