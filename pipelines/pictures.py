"""Decoded pictures as upright BGR arrays."""

import math

import av
import cv2
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

from ..models.types import U8

_HD_LINES = 720
_UNSPECIFIED_COLORSPACE = 2
_ROTATE = (None, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)


class PictureConverter:
    """Makes arrays of a stream's decoded frames; keeps the scaler between frames, which halves its cost."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def to_bgr(self, frame: av.VideoFrame) -> U8:
        """The frame as (H, W, 3) uint8 BGR, contiguous, turned upright.

        The colour matrix and range are the ones that the stream names; where it names none, BT.709 from 720
        lines on and BT.601 below, as players do.
        """
        unnamed = frame.colorspace == _UNSPECIFIED_COLORSPACE and not frame.format.is_rgb
        matrix = Colorspace.ITU709 if unnamed and frame.height >= _HD_LINES else None
        image = self._reformatter.reformat(frame, format="bgr24", src_colorspace=matrix).to_ndarray()
        turns, mirrored = orientation(frame)
        if mirrored:
            image = cv2.flip(image, 1)
        code = _ROTATE[turns]
        return np.ascontiguousarray(image if code is None else cv2.rotate(image, code), dtype=np.uint8)


def orientation(frame: av.VideoFrame) -> tuple[int, bool]:
    """How the file asks for its pictures to be shown: mirrored left to right or not, then turned.

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
