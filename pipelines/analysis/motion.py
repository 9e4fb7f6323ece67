"""Where something moves that is not known yet."""

import cv2
import numpy as np
import numpy.typing as npt

from ...models.types import F32, U8

_CELLS = 96  # the watched image's width in cells


_CHANGED = 20  # levels of a color by which a cell differs where something moved


_FEWEST = 3  # cells that somebody coming in changes


_RESTLESS_S = 1.0  # for which a moving place without people is ignored


_AROUND = 0.2  # of a box's sides belongs to whoever is in it


class Motion:
    """Sees whether something moves where nobody is known, against the image of the last detection."""

    def __init__(self) -> None:
        """Nothing is known."""
        self._then: npt.NDArray[np.int16] | None = None
        self._known = np.zeros((0, 0), np.bool_)
        self._restless_until = np.zeros((0, 0))

    def settle(self, image: U8, time_s: float, found: F32) -> None:
        """Take an image for the one to compare with.

        Places that have moved since the last such image, though nothing was found there, are left alone for
        a while: leaves, water, screens.

        Args:
            image: (H, W, 3) uint8 BGR.
            time_s: its time in seconds.
            found: (N, 4) float32 x1 y1 x2 y2, everything that was found in it.
        """
        now = _small(image)
        known = _covered(found, image.shape[:2], now.shape[:2])
        if self._then is None or self._then.shape != now.shape:
            self._restless_until = np.full(known.shape, -np.inf)
        else:
            self._restless_until[_changed(self._then, now) & ~known & ~self._known] = time_s + _RESTLESS_S
        self._then, self._known = now, known

    def elsewhere(self, image: U8, time_s: float, people: F32) -> bool:
        """Whether enough has changed outside what was found then and where it is now.

        Args:
            image: (H, W, 3) uint8 BGR.
            time_s: its time in seconds.
            people: (N, 4) float32 x1 y1 x2 y2, where everything known is by now.
        """
        now = _small(image)
        if self._then is None or self._then.shape != now.shape:
            return True
        moved = _changed(self._then, now) & ~self._known & (self._restless_until <= time_s)
        moved &= ~_covered(people, image.shape[:2], moved.shape)
        return int(np.count_nonzero(moved)) >= _FEWEST


def _small(image: U8) -> npt.NDArray[np.int16]:
    """The image as (rows, columns, 3) cells. Reading four pixels of each is 20 times as fast as all."""
    height, width = image.shape[:2]
    rows = max(1, round(height * _CELLS / width))
    thin = cv2.resize(image, (2 * _CELLS, 2 * rows), interpolation=cv2.INTER_NEAREST)
    return cv2.resize(thin, (_CELLS, rows), interpolation=cv2.INTER_AREA).astype(np.int16)


def _changed(a: npt.NDArray[np.int16], b: npt.NDArray[np.int16]) -> npt.NDArray[np.bool_]:
    """(rows, columns) bool, cells that differ by more than the whole image does (as a camera adapts)."""
    difference = b - a
    whole = np.median(difference[::2, ::2], axis=(0, 1)).astype(np.int16)
    return (np.abs(difference - whole) > _CHANGED).any(2)


def _covered(boxes: F32, size: tuple[int, ...], cells: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """(rows, columns) bool, the cells that belong to the boxes."""
    covered = np.zeros(cells, np.bool_)
    scale = np.tile((cells[1] / size[1], cells[0] / size[0]), 2)
    margin = _AROUND * (boxes[:, 2:] - boxes[:, :2])
    grown = np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], 1) * scale
    for x1, y1, x2, y2 in np.stack([*np.floor(grown[:, :2]).T, *np.ceil(grown[:, 2:]).T], 1).clip(0):
        covered[int(y1) : int(y2), int(x1) : int(x2)] = True
    return covered
