"""The known people of a video, seen between two looks at the whole image by crops around them alone."""

from collections.abc import Callable, Sequence

import numpy as np

from ..ops.boxes import iou as box_iou
from ..spec import Size
from ..types import F32, I64, U8
from .canvas import arrange, canvas_size, paint
from .decoding import STRIDE, decode
from .maps import LookAt
from .merging import unique
from .types import People, Seen, View, mapped, within

_FLOOR = 0.05  # the lowest center score that counts
_CENTERS = 6  # the most people read from one crop
_AGAIN = 0.4  # IoU from which on somebody who is found may be the one who is expected
_CHEAPER = 0.8  # of the pixels of a look: with more, the crops take about as long, and miss newcomers


class Follow:
    """Finds people near where they are expected. It keeps nothing from one image to the next.

    Args:
        compile_canvas: gives what looks at inputs of (height, width) pixels; called once for each of the few
            sizes of ``canvas``, when it is first needed.
        height: of the canvas in pixels, a multiple of 32.
    """

    def __init__(self, compile_canvas: Callable[[Size], LookAt], height: int) -> None:
        self._compile = compile_canvas
        self._runs: dict[Size, LookAt] = {}
        self._height = height

    def __call__(self, image: U8, boxes: F32, look: Size) -> tuple[People, list[Seen]] | None:
        """Who of them is found.

        Args:
            image: (H, W, 3) uint8 BGR.
            boxes: (N, 4) float32 x1 y1 x2 y2 in image pixels, where people are expected, N >= 0.
            look: (height, width) of the input of a look at the whole image.

        Returns:
            At most one person for each box, in image pixels, with ``views`` counted from 0, and the views;
            or None where a look is cheaper.
        """
        if not len(boxes):
            return People.empty(), []
        slots, columns = arrange(boxes, self._height)
        size = canvas_size(columns, self._height)
        if size is None or size[0] * size[1] > _CHEAPER * look[0] * look[1]:
            return None
        if size not in self._runs:
            self._runs[size] = self._compile(size)
        (maps,) = self._runs[size](paint(image, slots, size))
        spans = [(slot.left // STRIDE, slot.right // STRIDE) for slot in slots]
        seen = [Seen(slot.on_canvas, maps.features) for slot in slots]
        people = _in_image(decode(maps, _FLOOR, _CENTERS, spans), [one.view for one in seen])
        people = unique(within(people, image.shape))
        return people[_expected(boxes, people)], seen


def _in_image(people: People, views: Sequence[View]) -> People:
    """People of one input in the image, as each one's view shows it."""
    origin = np.array([view.origin for view in views])[people.views]
    factor = 1 / np.array([view.scale for view in views])[people.views]
    return mapped(people, factor[:, None], origin[:, None])


def _expected(boxes: F32, people: People) -> I64:
    """Whom of the people the boxes are of: each of one person, and nobody of two, best match first.

    Others are somebody's neighbors, often cut at the crop's border: a look shows them better.
    """
    match = box_iou(boxes, people.boxes)
    value = np.where(match >= _AGAIN, match * people.centers, 0)
    chosen: list[int] = []
    for _ in range(min(value.shape)):
        row, column = divmod(int(value.argmax()), len(people))
        if value[row, column] <= 0:
            break
        chosen.append(column)
        value[row], value[:, column] = 0, 0
    rows = np.array(chosen, np.int64)
    return rows[np.argsort(-people.scores[rows], kind="stable")]
