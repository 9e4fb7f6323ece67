"""Draws a person's skeleton: bones colored by side, joints on top, as thick as suits the person's size."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from ...models.types import F32, U8
from .colors import DARK, LEFT, RIGHT, WHITE, Color

MIN_JOINT_SCORE: Final = 0.5
"""Score from which a keypoint is drawn."""

I32 = npt.NDArray[np.int32]
_SHIFT = 4  # fractional bits of the coordinates, so that skeletons move smoothly
_COLORS: Final[dict[int, Color]] = {0: WHITE, -1: RIGHT, 1: LEFT}  # by side; drawn in this order


class Skeleton:
    """The bones of a keypoint layout and their colors.

    Args:
        pairs: the bones, as pairs of 0-based keypoint indices.
        names: names of the keypoints: ``left_`` and ``right_`` give their bones the color of their side.
            Without names every bone is white.
    """

    def __init__(self, pairs: Sequence[tuple[int, int]], names: Sequence[str] = ()) -> None:
        self._pairs = np.array(pairs, np.int64).reshape(-1, 2)
        side = [name.startswith("left_") - name.startswith("right_") for name in names]
        sides = np.array(side, np.int64) if side else np.zeros(self._pairs.max(initial=0) + 1, np.int64)
        self._sides = np.sign(sides[self._pairs].sum(1))

    @property
    def bones(self) -> list[tuple[int, int, Color]]:
        """The two keypoint indices and the color of each bone."""
        return [
            (a, b, _COLORS[side])
            for (a, b), side in zip(self._pairs.tolist(), self._sides.tolist(), strict=True)
        ]

    def draw(self, image: U8, points: F32, box: F32, line: int, color: Color | None = None) -> None:
        """Draws one person's skeleton in place.

        Args:
            image: (H, W, 3) uint8 BGR, contiguous.
            points: (K, 3) float32 x, y in pixels, score. Joints below ``MIN_JOINT_SCORE`` are left out, with
                their bones; a bone to a joint outside the image ends at its border.
            box: (4,) float32 x1 y1 x2 y2 of the person; its size sets the thickness of the lines.
            line: thickness of the image's other lines, in pixels.
            color: of all bones; None colors them by side.
        """
        height, width = image.shape[:2]
        x, y, score = points.T
        inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        reach = max(height, width)  # beyond it, nobody's limb begins in the image
        near = (np.abs(x) < 2 * reach) & (np.abs(y) < 2 * reach) & (score >= MIN_JOINT_SCORE)
        bones = np.flatnonzero(near[self._pairs].all(1) & inside[self._pairs].any(1))
        size = max(float(box[2] - box[0]), float(box[3] - box[1]))
        thickness = int(np.clip(round(size / 130), 1, 2 * line))
        ends = points[self._pairs[bones], :2]
        length = np.abs(ends[:, 0] - ends[:, 1]).max(1, initial=0)
        # Bones shorter than the line's thickness would be blots, and so would the joints of short ones.
        shown = length > 1.5 * thickness
        segments = _fixed_point(ends)
        jointed = np.unique(self._pairs[bones[length > 4 * thickness]]) if thickness > 1 else bones[:0]
        joints = _fixed_point(points[jointed[inside[jointed]], :2]).tolist()
        segments, sides = segments[shown], self._sides[bones[shown]]
        radius = thickness * 0.8 + 0.2
        if thickness > 1:  # a dark rim sets the lines off from clothes and masks of any color
            rim = max(2, thickness // 2)
            # The rim is too thin for jagged edges to show, and without antialiasing it costs a quarter.
            _bones(image, segments, DARK, thickness + rim, cv2.LINE_8)
            _dots(image, joints, DARK, radius + rim / 2, cv2.LINE_8)
        if color is not None:
            _bones(image, segments, color, thickness, cv2.LINE_AA)
        else:
            for side, own in _COLORS.items():
                _bones(image, segments[sides == side], own, thickness, cv2.LINE_AA)
        _dots(image, joints, WHITE, radius, cv2.LINE_AA)


def _fixed_point(points: F32) -> I32:
    return np.round(points * (1 << _SHIFT)).astype(np.int32)


def _bones(image: U8, segments: I32, color: Color, thickness: int, kind: int) -> None:
    if len(segments):
        cv2.polylines(image, list(segments), False, color, thickness, kind, _SHIFT)


def _dots(image: U8, centers: Sequence[Sequence[int]], color: Color, radius: float, kind: int) -> None:
    for x, y in centers:
        cv2.circle(image, (x, y), round(radius * (1 << _SHIFT)), color, cv2.FILLED, kind, _SHIFT)
