"""Draws the skeleton of a person: bones by side, joints on top, as fine as the person is large."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from ...models.types import F32, U8
from .colors import DARK, LEFT, RIGHT, WHITE, Color

JOINT_FLOOR = 0.5
"""Least score of a keypoint that is drawn."""

I32 = npt.NDArray[np.int32]
_SHIFT = 4  # fractional bits of the coordinates that OpenCV draws with, so that skeletons move smoothly


class Skeleton:
    """How keypoints are joined.

    Args:
        pairs: keypoint indices that are joined, as the pose network gives them.
        names: names of the keypoints: those that begin with ``left_`` and ``right_`` give their bones the
            color of their side. Without names every bone is white.
    """

    def __init__(self, pairs: Sequence[tuple[int, int]], names: Sequence[str] = ()) -> None:
        self._pairs = np.array(pairs, np.int64).reshape(-1, 2)
        side = [name.startswith("left_") - name.startswith("right_") for name in names]
        sides = np.array(side, np.int64) if side else np.zeros(self._pairs.max(initial=0) + 1, np.int64)
        self._sides = np.sign(sides[self._pairs].sum(1))

    def draw(self, image: U8, points: F32, box: F32, line: int) -> None:
        """Draws one person's skeleton in place.

        Args:
            image: (H, W, 3) uint8 BGR, contiguous.
            points: (K, 3) float32 x, y in pixels, score. Those that are unsure or outside the picture are
                left out, with their bones.
            box: (4,) float32 x1 y1 x2 y2 of the person, whose size says how thick the lines are.
            line: thickness of the picture's other lines, in pixels.
        """
        height, width = image.shape[:2]
        x, y, score = points.T
        seen = (x >= 0) & (y >= 0) & (x < width) & (y < height) & (score >= JOINT_FLOOR)
        bones = np.flatnonzero(seen[self._pairs].all(1))
        size = max(float(box[2] - box[0]), float(box[3] - box[1]))
        thickness = int(np.clip(round(size / 130), 1, 2 * line))
        ends = points[self._pairs[bones], :2]
        length = np.abs(ends[:, 0] - ends[:, 1]).max(1, initial=0)
        # Bones shorter than the line is thick would only be blots, and so would joints of short ones.
        shown = length > 1.5 * thickness
        segments = _fixed_point(ends)
        jointed = np.unique(self._pairs[bones[length > 4 * thickness]]) if thickness > 1 else bones[:0]
        joints = _fixed_point(points[jointed, :2]).tolist()
        segments, sides = segments[shown], self._sides[bones[shown]]
        radius = thickness * 0.8 + 0.2
        if thickness > 1:  # a dark rim keeps the lines clear of clothes and of masks of any color
            rim = max(2, thickness // 2)
            # What shows of it is too thin for its steps to be seen, and drawn so it costs a quarter.
            _bones(image, segments, DARK, thickness + rim, cv2.LINE_8)
            _dots(image, joints, DARK, radius + rim / 2, cv2.LINE_8)
        for side, color in ((0, WHITE), (-1, RIGHT), (1, LEFT)):
            _bones(image, segments[sides == side], color, thickness, cv2.LINE_AA)
        _dots(image, joints, WHITE, radius, cv2.LINE_AA)


def _fixed_point(points: F32) -> I32:
    return np.round(points * (1 << _SHIFT)).astype(np.int32)


def _bones(image: U8, segments: I32, color: Color, thickness: int, kind: int) -> None:
    if len(segments):
        cv2.polylines(image, list(segments), False, color, thickness, kind, _SHIFT)


def _dots(image: U8, centres: Sequence[Sequence[int]], color: Color, radius: float, kind: int) -> None:
    for x, y in centres:
        cv2.circle(image, (x, y), round(radius * (1 << _SHIFT)), color, cv2.FILLED, kind, _SHIFT)
