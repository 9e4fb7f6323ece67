"""Fitting an image into a network's input."""

import cv2
import numpy as np

from ..types import F32, U8


class Letterbox:
    """Scales images into a network's input without changing their shape; the rest has one gray level.

    The image lies at the top left. One buffer serves all calls.

    Args:
        size: (height, width) of the input in pixels.
        value: of the pixels beside the image; 114 is what YOLOX was trained with.
        average: whether every pixel of a larger image counts; otherwise bilinear sampling skips some.
    """

    def __init__(self, size: tuple[int, int], value: int = 114, *, average: bool = False) -> None:
        self._batch: U8 = np.full((1, *size, 3), value, np.uint8)
        self._value = value
        self._average = average
        self._inner = size

    def __call__(self, image: U8) -> tuple[U8, F32]:
        """Fits one (H, W, 3) uint8 image.

        Returns:
            The (1, height, width, 3) batch, overwritten by the next call, and the (2,) float32 factors by
            which x and y were scaled.
        """
        canvas = self._batch[0]
        height, width = image.shape[:2]
        scale = min(canvas.shape[0] / height, canvas.shape[1] / width)
        inner = max(int(height * scale), 1), max(int(width * scale), 1)
        if inner != self._inner:
            canvas[:] = self._value
            self._inner = inner
        target = canvas[: inner[0], : inner[1]]
        if self._average and scale < 1:
            average_into(image, target)
        else:
            cv2.resize(image, inner[::-1], dst=target)
        return self._batch, np.array([inner[1] / width, inner[0] / height], np.float32)


def average_into(image: U8, out: U8) -> None:
    """Fill ``out``, (h, w, 3) uint8, with a larger (H, W, 3) image, of which every pixel counts."""
    rows, columns = out.shape[:2]
    # Averages of 2 x 2 pixels are several times faster than those of other areas.
    while (height := image.shape[0] // 2) >= rows and (width := image.shape[1] // 2) >= columns:
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    cv2.resize(image, (columns, rows), dst=out, interpolation=cv2.INTER_AREA)
