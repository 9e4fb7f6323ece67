"""Makes faces or whole people unrecognisable, before a picture is shown or stored."""

from collections.abc import Iterator, Sequence
from typing import Final, Literal, get_args

import cv2
import numpy as np

from ...models.types import F32, U8
from ..types import Instances

Blur = Literal["nothing", "faces", "people"]
BLURS: Final[tuple[Blur, ...]] = get_args(Blur)
HOLD_S: Final = 0.7
"""Seconds for which a place stays hidden after nobody was found there: detectors miss people now and then."""

_BLOCKS = 6  # what is hidden keeps so many blocks across: a face needs three times as many
_POINTS = 33  # BlazePose's landmarks; where those of others lie is not known here
_HEAD_POINTS = 11  # the first landmarks: nose, eyes, ears, mouth
_HEAD_MARGIN = 1.1  # hair, chin and neck lie so many times the landmarks' extent beyond them
_HEAD_SHARE = 0.28  # of a standing person's box, from the top, where landmarks do not tell
_PRESENT = 0.5
_GROWTH = 0.06
Rect = tuple[int, int, int, int]  # x1 y1 x2 y2, end exclusive


class Anonymizer:
    """Hides people in the pictures of one run.

    A person is hidden from the first frame in which the detector has the least idea of one, also before there
    is a track, and for a moment after the last. A head is where the landmarks say, with a margin; where they
    cannot be trusted it is the upper part of the box.
    """

    def __init__(self) -> None:
        self._held: list[tuple[float, Rect]] = []

    def hide(self, image: U8, found: Instances, suspects: F32, blur: Blur, time_s: float) -> None:
        """Hides people in an (H, W, 3) uint8 BGR picture, in place.

        Args:
            image: the picture.
            found: what was found in it.
            suspects: (N, 4) float32 boxes of people that are not sure enough to be reported.
            blur: what to hide.
            time_s: the frame's time.
        """
        if blur == "nothing":
            self._held.clear()
            return
        size = image.shape[0], image.shape[1]
        rects = [r for r in _rects(found, suspects, blur, size) if r[2] > r[0] and r[3] > r[1]]
        # A place that is hidden anew is not held any more: somebody who walks leaves no trail.
        self._held = [
            (since, rect)
            for since, rect in self._held
            if 0 <= time_s - since <= HOLD_S and not any(_covers(new, rect) for new in rects)
        ] + [(time_s, rect) for rect in rects]
        for _, rect in self._held:
            pixelate(image, rect, round_shape=blur == "faces")


def pixelate(image: U8, rect: Rect, *, round_shape: bool = False) -> None:
    """Replaces a part of a picture by a few blocks, whose colors are means of what was there."""
    x1, y1, x2, y2 = rect
    area = image[y1:y2, x1:x2]
    height, width = area.shape[:2]
    if not height or not width:
        return
    side = max(width, height) / (_BLOCKS if round_shape else 2 * _BLOCKS)
    small = max(1, round(width / side)), max(1, round(height / side))
    blocks = cv2.resize(
        cv2.resize(area, small, interpolation=cv2.INTER_AREA), (width, height), interpolation=0
    )
    if not round_shape:
        area[:] = blocks
        return
    shape = np.zeros((height, width), np.uint8)
    cv2.ellipse(shape, ((width / 2, height / 2), (width, height), 0), 255, -1)
    cv2.copyTo(blocks, shape, area)


def _rects(found: Instances, suspects: F32, blur: Blur, size: tuple[int, int]) -> Iterator[Rect]:
    rows = np.flatnonzero(found.people)
    if blur == "people":
        for box in [*found.boxes[rows], *suspects]:
            yield _clipped(box, _GROWTH, size)
        return
    for row in rows:
        head = _head(found, int(row))
        yield _clipped(_upper_part(found.boxes[row]) if head is None else head, 0.0, size)
    for box in suspects:
        yield _clipped(_upper_part(box), 0.0, size)


def _head(found: Instances, row: int) -> F32 | None:
    """A box around the head by its landmarks, or None where they do not tell."""
    if found.keypoints is None or found.keypoints.shape[1] != _POINTS:
        return None
    if found.presence is None or found.presence[row] < _PRESENT:
        return None
    points = found.keypoints[row, :_HEAD_POINTS, :2]
    shoulders = found.keypoints[row, _HEAD_POINTS : _HEAD_POINTS + 2, :2]
    box = found.boxes[row]
    centre = points.mean(0)
    # The landmarks of a head seen from the side lie close together: the shoulders give its size as well.
    extent = max(float(np.ptp(points, axis=0).max()), 0.5 * float(np.abs(centre - shoulders.mean(0)).max()))
    low, high = box[:2] - extent, np.array([box[2] + extent, box[1] + 0.6 * (box[3] - box[1])])
    if not ((centre >= low) & (centre <= high)).all() or extent < 1:
        return None
    reach = extent * (0.5 + _HEAD_MARGIN / 2)
    low, high = centre - np.array([1.0, 1.2]) * reach, centre + np.array([1.0, 1.1]) * reach
    return np.concatenate([low, high]).astype(np.float32)


def _upper_part(box: F32) -> F32:
    x1, y1, x2, y2 = box
    wide, high = x2 - x1, y2 - y1
    # A box that is wider than a standing person's shows the upper body only.
    head = max(_HEAD_SHARE * high, min(0.8 * wide, high))
    return np.array([x1, y1 - 0.1 * head, x2, y1 + head], np.float32)


def _clipped(box: F32 | Sequence[float], growth: float, size: tuple[int, int]) -> Rect:
    x1, y1, x2, y2 = (float(v) for v in box)
    dx, dy = growth * (x2 - x1), growth * (y2 - y1)
    return (
        max(0, int(x1 - dx)),
        max(0, int(y1 - dy)),
        min(size[1], int(np.ceil(x2 + dx))),
        min(size[0], int(np.ceil(y2 + dy))),
    )


def _covers(outer: Rect, inner: Rect) -> bool:
    """Whether a good part of a place is hidden."""
    wide = min(outer[2], inner[2]) - max(outer[0], inner[0])
    high = min(outer[3], inner[3]) - max(outer[1], inner[1])
    area = (inner[2] - inner[0]) * (inner[3] - inner[1])
    return wide > 0 and high > 0 and wide * high >= 0.3 * area
