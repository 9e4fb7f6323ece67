"""Where results are wrong: the images with the most misses and false boxes, drawn."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from ...models.ops.boxes import iou
from ...models.types import F32, U8
from ..drawing.colors import DARK, WHITE, Color
from ..drawing.text import Style, put_text, text_width
from ..types import Frame

RIGHT: Final[Color] = (115, 158, 0)
FALSE: Final[Color] = (66, 228, 240)
MISSED: Final[Color] = (0, 94, 213)

_SAME = 0.5  # IoU of a box that is right


@dataclass(frozen=True, slots=True)
class Judgement:
    """Which boxes of one image are right.

    Attributes:
        right: (N,) bool of the boxes found.
        met: (M,) bool of the true boxes, whether one was found.
        ignored: (N,) bool of the boxes found, which are neither right nor wrong: they lie in a crowd.
    """

    right: npt.NDArray[np.bool_]
    met: npt.NDArray[np.bool_]
    ignored: npt.NDArray[np.bool_]

    @property
    def false(self) -> npt.NDArray[np.bool_]:
        """(N,) bool of the boxes found, which are wrong."""
        return ~self.right & ~self.ignored

    @property
    def errors(self) -> int:
        """Misses and false boxes together."""
        return int(self.false.sum() + (~self.met).sum())


def judge(boxes: F32, truth: F32, crowds: F32 | None = None) -> Judgement:
    """Matches boxes with true ones at IoU 0.5, each with the best one that is still free, the surest first.

    Args:
        boxes: (N, 4) float32 x1 y1 x2 y2, best score first.
        truth: (M, 4) float32, of the same form.
        crowds: (C, 4) float32, boxes of several people each, or None.
    """
    right, met = np.zeros(len(boxes), np.bool_), np.zeros(len(truth), np.bool_)
    if len(truth):
        for i, row in enumerate(iou(boxes, truth)):
            best = int(np.where(met, -1.0, row).argmax())
            if not met[best] and row[best] >= _SAME:
                right[i] = met[best] = True
    return Judgement(right, met, ~right & _within(boxes, crowds))


def _within(boxes: F32, crowds: F32 | None) -> npt.NDArray[np.bool_]:
    """(N,) bool, which boxes lie in a crowd by half of their area."""
    inside = np.zeros(len(boxes), np.bool_)
    for crowd in () if crowds is None else crowds:
        sides = np.minimum(boxes[:, 2:], crowd[2:]) - np.maximum(boxes[:, :2], crowd[:2])
        area = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(1), 1e-9)
        inside |= np.clip(sides, 0, None).prod(1) / area >= _SAME
    return inside


class WorstImages:
    """Keeps the images with the most mistakes, drawn with what is right, false and missed.

    Args:
        count: how many to keep.
        apart: of this many frames in a row at most one is kept, since neighbors in a video look alike.
    """

    def __init__(self, count: int = 20, apart: int = 1) -> None:
        self._count, self._apart = count, apart
        self._kept: dict[int, tuple[int, U8]] = {}

    def add(self, frame: Frame, boxes: F32, truth: F32, judged: Judgement) -> None:
        """Keeps an image if it is bad.

        Args:
            frame: the image.
            boxes: (N, 4) float32 x1 y1 x2 y2, what was found.
            truth: (M, 4) float32, the true ones.
            judged: which of them are right.
        """
        place = frame.index // self._apart
        if judged.errors <= self._kept.get(place, (0, None))[0]:
            return
        if place not in self._kept and len(self._kept) >= self._count:
            least = min(self._kept, key=lambda key: self._kept[key][0])
            if self._kept[least][0] >= judged.errors:
                return
            del self._kept[least]
        self._kept[place] = judged.errors, _drawn(frame, boxes, truth, judged)

    @property
    def images(self) -> list[U8]:
        """The worst first, each (H, W, 3) uint8 BGR."""
        return [image for _, image in sorted(self._kept.values(), key=lambda kept: -kept[0])]


def _drawn(frame: Frame, boxes: F32, truth: F32, judged: Judgement) -> U8:
    image = frame.image.copy()
    line = Style.of(*image.shape[:2]).line + 1
    groups = ((RIGHT, boxes[judged.right]), (FALSE, boxes[judged.false]), (MISSED, truth[~judged.met]))
    for color, group in groups:
        for x1, y1, x2, y2 in group.round().astype(int).tolist():
            cv2.rectangle(image, (x1, y1), (x2, y2), color, line)
    missed, false = int((~judged.met).sum()), int(judged.false.sum())
    text = f"{frame.name or f'frame {frame.index + 1}'}: {missed} missed, {false} false"
    high = max(12, image.shape[1] // 30)
    cv2.rectangle(image, (0, 0), (text_width(text, high) + high, high * 2), DARK, cv2.FILLED)
    put_text(image, text, high // 2, round(high * 1.4), WHITE, high)
    return image
