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
        ends = np.array(pairs, np.int64).reshape(-1, 2)
        side = [name.startswith("left_") - name.startswith("right_") for name in names]
        sides = np.array(side, np.int64) if side else np.zeros(ends.max(initial=0) + 1, np.int64)
        signs = np.sign(sides[ends].sum(1))
        self._bones = list(zip(ends.tolist(), signs.tolist(), strict=True))

    @property
    def bones(self) -> list[tuple[int, int, Color]]:
        """The two keypoint indices and the color of each bone."""
        return [(a, b, _COLORS[side]) for (a, b), side in self._bones]

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
        size = max(float(box[2] - box[0]), float(box[3] - box[1]))
        thickness = min(max(round(size / 130), 1), 2 * line)
        at = points.tolist()
        shown, jointed = self._shown(at, height, width, thickness)
        segments = {
            side: np.array([[_fixed_point(at[a]), _fixed_point(at[b])] for a, b in pairs], np.int32)
            for side in _COLORS
            if (pairs := [pair for pair, own in shown if own == side])
        }
        joints = [_fixed_point(at[joint]) for joint in sorted(jointed)]
        radius = thickness * 0.8 + 0.2
        if thickness > 1:  # a dark rim sets the lines off from clothes and masks of any color
            rim = max(2, thickness // 2)
            # The rim is too thin for jagged edges to show, and without antialiasing it costs a quarter.
            for bones in segments.values():
                _bones(image, bones, DARK, thickness + rim, cv2.LINE_8)
            _dots(image, joints, DARK, radius + rim / 2, cv2.LINE_8)
        for side, bones in segments.items():
            _bones(image, bones, color or _COLORS[side], thickness, cv2.LINE_AA)
        _dots(image, joints, WHITE, radius, cv2.LINE_AA)

    def _shown(
        self, points: list[list[float]], height: int, width: int, thickness: int
    ) -> tuple[list[tuple[list[int], int]], set[int]]:
        """The bones that are drawn, as pairs of joints and sides, and the joints that are.

        In plain Python: for so few points numpy takes several times as long.
        """
        reach = 2 * max(height, width)  # beyond it, nobody's limb begins in the image
        inside = [0 <= x < width and 0 <= y < height for x, y, _ in points]
        near = [abs(x) < reach and abs(y) < reach and score >= MIN_JOINT_SCORE for x, y, score in points]
        shown: list[tuple[list[int], int]] = []
        jointed: set[int] = set()
        for pair, side in self._bones:
            a, b = pair
            if not (near[a] and near[b] and (inside[a] or inside[b])):
                continue
            length = max(abs(points[a][0] - points[b][0]), abs(points[a][1] - points[b][1]))
            # Bones shorter than the line's thickness would be blots, and so would the joints of short ones.
            if length > 1.5 * thickness:
                shown.append((pair, side))
            if thickness > 1 and length > 4 * thickness:
                jointed.update(joint for joint in pair if inside[joint])
        return shown, jointed


def _fixed_point(point: Sequence[float]) -> tuple[int, int]:
    return round(point[0] * (1 << _SHIFT)), round(point[1] * (1 << _SHIFT))


def _bones(image: U8, segments: I32, color: Color, thickness: int, kind: int) -> None:
    cv2.polylines(image, list(segments), False, color, thickness, kind, _SHIFT)


def _dots(image: U8, centers: Sequence[Sequence[int]], color: Color, radius: float, kind: int) -> None:
    for x, y in centers:
        cv2.circle(image, (x, y), round(radius * (1 << _SHIFT)), color, cv2.FILLED, kind, _SHIFT)
