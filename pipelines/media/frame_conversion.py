"""Decoded images as upright BGR arrays."""

import math

import av
import cv2
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

from ...models.types import U8

_HD_LINES = 720
_UNSPECIFIED_COLORSPACE = 2
_ROTATE = (None, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)


class PictureConverter:
    """Makes arrays of a stream's decoded frames; keeps the scaler between frames, which halves its cost."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._rotation: int | None = None
        self._orientation = (0, False)

    def to_bgr(self, frame: av.VideoFrame) -> U8:
        """The frame as (H, W, 3) uint8 BGR, contiguous, turned upright.

        The colour matrix and range are the ones that the stream names; where it names none, BT.709 from 720
        lines on and BT.601 below, as players do.
        """
        unnamed = frame.colorspace == _UNSPECIFIED_COLORSPACE and not frame.format.is_rgb
        matrix = Colorspace.ITU709 if unnamed and frame.height >= _HD_LINES else None
        # One thread: several take twice the time of the processor, and are no sooner done.
        bgr = self._reformatter.reformat(frame, format="bgr24", src_colorspace=matrix, threads=1)
        image = bgr.to_ndarray()
        # A frame whose side data was read refers to itself: its megabytes wait for the garbage collector.
        if frame.rotation != self._rotation:
            self._rotation, self._orientation = frame.rotation, orientation(frame)
        turns, mirrored = self._orientation
        if mirrored:
            image = cv2.flip(image, 1)
        code = _ROTATE[turns]
        return np.ascontiguousarray(image if code is None else cv2.rotate(image, code), dtype=np.uint8)


def orientation(frame: av.VideoFrame) -> tuple[int, bool]:
    """How the file asks for its images to be shown: mirrored left to right or not, then turned.

    Returns:
        The number of quarter turns clockwise, and whether to mirror before turning.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return 0, False
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()
    mirrored = a * d - b * c < 0
    angle = math.atan2(-b, -a) if mirrored else math.atan2(b, a)
    return round(angle / (math.pi / 2)) % 4, mirrored


def fitted(image: U8, size: tuple[int, int]) -> U8:
    """An (H, W, 3) uint8 image scaled into ``size`` (width, height), with black around it if need be.

    An image that has the size is given back as it is.
    """
    height, width = image.shape[:2]
    wide, high = size
    if (width, height) == size:
        return image
    scale = min(wide / width, high / height)
    width, height = max(1, min(wide, round(width * scale))), max(1, min(high, round(height * scale)))
    image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    top, left = (high - height) // 2, (wide - width) // 2
    border = (top, high - height - top, left, wide - width - left)
    return np.asarray(cv2.copyMakeBorder(image, *border, cv2.BORDER_CONSTANT), np.uint8)
