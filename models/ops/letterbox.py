"""Fitting an image into a network's input."""

import cv2
import numpy as np

from ..types import F32, U8


class Letterbox:
    """Scales pictures into a network's input without changing their shape; the rest stays grey.

    The picture lies at the top left, as YOLOX was trained. One buffer serves all calls.

    Args:
        size: (height, width) of the input in pixels.
        value: of the pixels beside the picture.
    """

    def __init__(self, size: tuple[int, int], value: int = 114) -> None:
        self._batch: U8 = np.full((1, *size, 3), value, np.uint8)
        self._value = value
        self._inner = size

    def __call__(self, image: U8) -> tuple[U8, F32]:
        """Fits one (H, W, 3) uint8 picture.

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
        cv2.resize(image, inner[::-1], dst=canvas[: inner[0], : inner[1]])
        return self._batch, np.array([inner[1] / width, inner[0] / height], np.float32)
