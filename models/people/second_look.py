"""A second look at each person: the same network on a crop around them, in the size that it reads best."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..spec import Size
from ..types import F32, U8
from .crops import crop_around, cut
from .decoding import decode
from .maps import LookAt
from .merging import find_again, merge_second, unique
from .types import People, Seen, View, within

_LEAST_SCORE = 0.05  # people with less are left as they are,
_MOST = 40  # and so are all but this many, the most confident
_BATCH = 8  # crops per call of the runner: bounds the memory of its outputs
_CENTERS = 8  # the most people read from one crop
_FLOOR = 0.03  # the lowest center score of them


class SecondLook:
    """Looks once more at people who were found in an image. It keeps nothing from one image to the next.

    Args:
        compile_crop: returns what looks at batches of crops of (height, width) pixels; called once for each
            of the few sizes of ``crops``, when it is first needed.
    """

    def __init__(self, compile_crop: Callable[[Size], LookAt]) -> None:
        self._compile = compile_crop
        self._runs: dict[Size, LookAt] = {}

    def __call__(self, image: U8, people: People, first_view: int) -> tuple[People, list[Seen]]:
        """What both looks come to.

        Args:
            image: (H, W, 3) uint8 BGR.
            people: of the first look, in image pixels; best first.
            first_view: the index that the first new view gets in ``People.views``.

        Returns:
            The people, and the views that their ``views`` count from ``first_view`` on.
        """
        chosen = np.flatnonzero(people.scores >= _LEAST_SCORE)[:_MOST]
        rest = np.setdiff1d(np.arange(len(people)), chosen)
        looked = replace(people[chosen], views=first_view + np.arange(len(chosen)))
        crops = [crop_around(box) for box in looked.boxes]
        found: dict[int, tuple[People, Seen]] = {}
        for size in sorted({size for _, size in crops}):
            members = [i for i, (_, other) in enumerate(crops) if other == size]
            for start in range(0, len(members), _BATCH):
                batch = members[start : start + _BATCH]
                found.update(zip(batch, self._look(image, [crops[i][0] for i in batch], size), strict=True))
        again = [self._same(looked.boxes[i], found[i][0], image.shape) for i in range(len(looked))]
        merged = merge_second(looked, again)
        if len(rest):
            merged = unique(People.concat([merged, people[rest]]))
        return merged, [found[i][1] for i in range(len(looked))]

    def _look(self, image: U8, views: Sequence[View], size: Size) -> list[tuple[People, Seen]]:
        """The people in each of a batch of crops, in pixels of the image."""
        if size not in self._runs:
            self._runs[size] = self._compile(size)
        batch: U8 = np.empty((len(views), *size, 3), np.uint8)
        for crop, view in zip(batch, views, strict=True):
            cut(image, view, crop)
        return [
            # The next batch overwrites the features.
            (view.to_image(decode(maps, _FLOOR, _CENTERS)), Seen(view, maps.features.copy()))
            for view, maps in zip(views, self._runs[size](batch), strict=True)
        ]

    @staticmethod
    def _same(box: F32, found: People, shape: tuple[int, ...]) -> People | None:
        """The person of the box, of those found in the crop around it."""
        index = find_again(box, found)
        if index is None:
            return None
        return within(found[index : index + 1], shape)
