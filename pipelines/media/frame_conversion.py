"""Decoded frames as upright BGR images."""

import math
from fractions import Fraction
from functools import partial

import av
import cv2
import numpy as np
from av.error import FFmpegError
from av.filter import Graph
from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc, Interpolation, VideoReformatter

from ...models.types import U8

_HD_LINES = 720
_CONVERTED = frozenset({0, 1, 4, 5, 6, 7, 9})
"""Matrix coefficients (ITU-T H.273) that FFmpeg's scaler converts; 2 is "unspecified"."""

_UNSPECIFIED = 2
_MATRICES = {
    8: "YCgCo",
    10: "BT.2020 constant luminance",
    11: "Y'D'zD'x",
    12: "chromaticity-derived",
    13: "chromaticity-derived constant luminance",
    14: "ICtCp",
    15: "IPT-C2",
    16: "YCgCo-Re",
    17: "YCgCo-Ro",
}
_HDR = {16: "PQ", 18: "HLG"}
"""Transfer characteristics (ITU-T H.273) of HDR video."""

_DISPLAY = {"dst_color_trc": ColorTrc.IEC61966_2_1, "dst_color_primaries": ColorPrimaries.BT709}
"""What HDR is tone-mapped to: sRGB. It takes 24 ms for a frame of 720p instead of 2, and a table at first."""

_SCALING = Interpolation.BICUBIC
"""As FFmpeg's program scales, so that images are the same. Interpolated colors (FULL_CHR_H_INT) take 15 ms
for a frame of 720p instead of 0.5 and change nothing but the edges of colors."""

_UNNAMED_SIDE_DATA = range(28, 40)
"""FFmpeg's types of side data that PyAV has no names for: it refuses to list a frame's side data then."""

_ODDEST_ASPECT = 4
_ROTATE = (None, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)


class FrameConverter:
    """Makes images of a stream's decoded frames; keeps the scaler between frames, which halves its cost.

    Attributes:
        notices: one line for each kind of color that is not reproduced exactly.
    """

    notices: list[str]

    def __init__(self, pixel_aspect: Fraction = Fraction(1)) -> None:
        """Prepare.

        Args:
            pixel_aspect: width over height of a stored pixel; images are stretched to square pixels.
        """
        self.notices = []
        self._aspect = pixel_aspect
        self._reformatter = VideoReformatter()
        self._rotation: int | None = None
        self._orientation = (0, False)
        self._named: set[object] = set()

    def to_bgr(self, frame: av.VideoFrame) -> U8:
        """The frame as (H, W, 3) uint8 BGR, contiguous, upright, with square pixels.

        The color matrix and range are the ones that the stream names; where it names none, BT.709 from 720
        lines on and BT.601 below, as players do. HDR (PQ, HLG) is tone-mapped to sRGB. Transparency is
        dropped.
        """
        width, height = square_size(frame.width, frame.height, self._aspect)
        bgr = self._converted(frame, width, height)
        image = bgr.to_ndarray()
        # A frame whose side data was read refers to itself: its megabytes wait for the garbage collector.
        if frame.rotation != self._rotation:
            self._rotation, self._orientation = frame.rotation, orientation(frame)
        return upright(np.asarray(image, np.uint8), *self._orientation)

    def _converted(self, frame: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
        # One thread: several take twice the time of the processor, and are no sooner done.
        convert = partial(
            self._reformatter.reformat,
            frame,
            width=width,
            height=height,
            format="bgr24",
            src_colorspace=self._matrix(frame),
            interpolation=_SCALING,
            threads=1,
        )
        transfer = _HDR.get(frame.color_trc)
        if transfer is None:
            return convert()
        try:
            return convert(**_DISPLAY)
        except FFmpegError:
            self._note(
                transfer, f"its colors are HDR ({transfer}) of a kind that is not tone-mapped: they look dull"
            )
            return convert()

    def _matrix(self, frame: av.VideoFrame) -> Colorspace | None:
        """The matrix to convert with, None for the one that the frame names."""
        matrix = frame.colorspace
        if frame.format.is_rgb or matrix in _CONVERTED:
            return None
        usual = Colorspace.ITU709 if frame.height >= _HD_LINES else Colorspace.ITU601
        if matrix == _UNSPECIFIED and frame.color_trc in _HDR:
            usual = Colorspace.BT2020
        if matrix != _UNSPECIFIED:
            name = _MATRICES.get(matrix, f"matrix {matrix}")
            taken = "BT.709" if usual is Colorspace.ITU709 else "BT.601"
            self._note(("matrix", matrix), f"its colors ({name}) are converted as if they were {taken}")
        return usual

    def _note(self, key: object, line: str) -> None:
        if key not in self._named:
            self._named.add(key)
            self.notices.append(line)


def square_size(width: int, height: int, pixel_aspect: Fraction) -> tuple[int, int]:
    """Width and height of an image in square pixels: the shorter side of each pixel is stretched.

    An aspect beyond 4:1 is an error of the file and ignored, as players do.
    """
    if not Fraction(1, _ODDEST_ASPECT) <= pixel_aspect <= _ODDEST_ASPECT:
        return width, height
    if pixel_aspect >= 1:
        return round(width * pixel_aspect), height
    return width, round(height / pixel_aspect)


def upright(image: U8, turns: int, mirrored: bool) -> U8:
    """An (H, W, 3) image mirrored left to right if asked for, then rotated by quarter turns clockwise."""
    if mirrored:
        image = np.asarray(cv2.flip(image, 1), np.uint8)
    code = _ROTATE[turns]
    return np.ascontiguousarray(image if code is None else cv2.rotate(image, code), dtype=np.uint8)


def orientation(frame: av.VideoFrame) -> tuple[int, bool]:
    """How the file asks for its images to be shown: mirrored left to right or not, then rotated.

    Returns:
        The number of quarter turns clockwise, and whether to mirror before turning.
    """
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:
        matrix = _without_unnamed(frame).side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return 0, False
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()
    mirrored = a * d - b * c < 0
    angle = math.atan2(-b, -a) if mirrored else math.atan2(b, a)
    return round(angle / (math.pi / 2)) % 4, mirrored


def _without_unnamed(frame: av.VideoFrame) -> av.VideoFrame:
    """The frame without the side data that PyAV cannot list, such as EXIF."""
    graph = Graph()
    last = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
    )
    for kind in _UNNAMED_SIDE_DATA:
        step = graph.add("sidedata", f"mode=delete:type={kind}")
        last.link_to(step)
        last = step
    sink = graph.add("buffersink")
    last.link_to(sink)
    graph.configure()
    graph.push(frame)
    cleaned = graph.pull()
    assert isinstance(cleaned, av.VideoFrame)
    return cleaned


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
