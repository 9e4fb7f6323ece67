"""Makes faces or whole people unrecognizable before a frame is shown or stored."""

from collections.abc import Iterator, Sequence
from typing import Final

import cv2
import numpy as np

from ...models.types import F32, U8
from ..types import Blur, FrameResult, Instances
from .options import Hiding

HOLD_S: Final = 0.7
"""Seconds for which an area stays hidden after the last detection in it: detectors miss people at times."""

_BLOCKS = 6  # blocks across a hidden face; to recognize a face takes about three times as many
_PAINT = (96, 96, 96)
_HEADS = {33: 11, 17: 5}
"""How many landmarks of a head come first, before the shoulders: in BlazePose's layout and in COCO's."""
_SEEN = 0.5  # score from which a landmark of a head is taken to be there
_LEAST_SEEN = 3
_HEAD_MARGIN = 1.1  # hair, chin and neck extend beyond the landmarks, as a multiple of their extent
_HEAD_FRACTION = 0.28  # of a standing person's box, from the top, where landmarks are unreliable
_MIN_PRESENCE = 0.5
_GROWTH = 0.06  # of a person's box on each side
_FOLLOWED = 0.3  # of a rectangle that one must cover which follows it
Rect = tuple[int, int, int, int]  # x1 y1 x2 y2, end exclusive


class Anonymizer:
    """Hides people in the frames of one run.

    A person is hidden from the first frame with a detection of even low confidence, before there is a track,
    and for ``HOLD_S`` after the last. A head is located by its landmarks, with a margin; where they are
    unreliable, it is the upper part of the box.
    """

    def __init__(self) -> None:
        self._held: dict[str, list[tuple[float, Rect]]] = {"blur": [], "hide": []}

    def hide(self, image: U8, result: FrameResult, hiding: Hiding) -> None:
        """Hides people in an (H, W, 3) uint8 BGR image, in place.

        Args:
            image: drawn on in place.
            result: the objects in it, and what is likely to be a person.
            hiding: what to hide.
        """
        size = image.shape[:2]
        for rect in self._areas("blur", hiding.blur, result, size):
            pixelate(image, rect, round_shape=hiding.blur == "faces")
        for rect in self._areas("hide", hiding.hide, result, size):
            paint(image, rect, round_shape=hiding.hide == "faces")

    def see(self, result: FrameResult, hiding: Hiding) -> None:
        """Notes what has to be hidden in a frame whose image is not needed, before those that follow."""
        size = result.frame.image.shape[:2]
        self._areas("blur", hiding.blur, result, size)
        self._areas("hide", hiding.hide, result, size)

    def _areas(self, name: str, what: Blur, result: FrameResult, size: tuple[int, ...]) -> list[Rect]:
        """What to hide in a frame: what is there, and what was there a moment ago."""
        if what == "nothing":
            self._held[name].clear()
            return []
        height, width = size
        if what == "everything":
            return [(0, 0, width, height)]
        time_s = result.frame.time_s
        rects = _rects(result.instances, result.likely, what, (height, width))
        rects = [rect for rect in rects if rect[2] > rect[0] and rect[3] > rect[1]]
        held = [one for one in self._held[name] if 0 <= time_s - one[0] <= HOLD_S]
        followed = _followed([rect for _, rect in held], rects)
        self._held[name] = [one for place, one in enumerate(held) if place not in followed]
        self._held[name] += [(time_s, rect) for rect in rects]
        return [rect for _, rect in self._held[name]]


def paint(image: U8, rect: Rect, *, round_shape: bool = False) -> None:
    """Paints over a part of an image, in place."""
    x1, y1, x2, y2 = rect
    area = image[y1:y2, x1:x2]
    if round_shape:
        height, width = area.shape[:2]
        cv2.ellipse(area, ((width / 2, height / 2), (width, height), 0), _PAINT, -1)
    else:
        area[:] = _PAINT


def pixelate(image: U8, rect: Rect, *, round_shape: bool = False) -> None:
    """Replaces a part of an image with a few blocks of its mean colors, in place."""
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


def _rects(found: Instances, likely: F32, blur: Blur, size: tuple[int, int]) -> Iterator[Rect]:
    rows = np.flatnonzero(found.people)
    if blur == "people":
        for box in [*found.boxes[rows], *likely]:
            yield _clipped(box, _GROWTH, size)
        return
    for row in rows:
        head = _head(found, int(row))
        yield _clipped(_upper_part(found.boxes[row]) if head is None else head, 0.0, size)
    for box in likely:
        yield _clipped(_upper_part(box), 0.0, size)


def _head(found: Instances, row: int) -> F32 | None:
    """A box around the head from its landmarks, or None where they are unreliable."""
    count = 0 if found.keypoints is None else _HEADS.get(found.keypoints.shape[1], 0)
    if found.keypoints is None or not count:
        return None
    if found.presence is not None and found.presence[row] < _MIN_PRESENCE:
        return None
    head = found.keypoints[row, :count]
    points = head[head[:, 2] >= _SEEN, :2]
    if len(points) < _LEAST_SEEN:
        return None
    shoulders = found.keypoints[row, count : count + 2, :2]
    box = found.boxes[row]
    center = points.mean(0)
    # The landmarks of a head seen from the side lie close together: the shoulders give its size as well.
    extent = max(float(np.ptp(points, axis=0).max()), 0.5 * float(np.abs(center - shoulders.mean(0)).max()))
    low, high = box[:2] - extent, np.array([box[2] + extent, box[1] + 0.6 * (box[3] - box[1])])
    if not ((center >= low) & (center <= high)).all() or extent < 1:
        return None
    reach = extent * (0.5 + _HEAD_MARGIN / 2)
    low, high = center - np.array([1.0, 1.2]) * reach, center + np.array([1.0, 1.1]) * reach
    return np.concatenate([low, high]).astype(np.float32)


def _upper_part(box: F32) -> F32:
    x1, y1, x2, y2 = box
    wide, high = x2 - x1, y2 - y1
    # A box wider than a standing person's shows the upper body only.
    head = max(_HEAD_FRACTION * high, min(0.8 * wide, high))
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


def _followed(held: Sequence[Rect], new: Sequence[Rect]) -> set[int]:
    """Which of the held rectangles a new one follows: someone who walks leaves no trail.

    Each new one follows one alone, so that whoever is missed stays hidden beside somebody who is not.
    """
    if not held or not new:
        return set()
    old, now = np.array(held, np.float64)[:, None], np.array(new, np.float64)[None]
    sides = np.minimum(old[..., 2:], now[..., 2:]) - np.maximum(old[..., :2], now[..., :2])
    shared = sides.clip(0).prod(-1)
    old_area, area = ((one[..., 2:] - one[..., :2]).prod(-1) for one in (old, now))
    likeness = np.where(shared >= _FOLLOWED * old_area, shared / (old_area + area - shared), 0)
    followed: set[int] = set()
    taken: set[int] = set()
    for pair in np.argsort(-likeness, axis=None).tolist():
        place, number = divmod(pair, len(new))
        if not likeness[place, number]:
            break
        if place not in followed and number not in taken:
            followed.add(place)
            taken.add(number)
    return followed
