"""H.264 that plays everywhere: which encoder works here, how it is set up, and what it is given."""

from collections.abc import Sequence
from fractions import Fraction

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from ...models.errors import SepcamError
from ...models.types import U8
from ..types import Encoder
from .frame_conversion import fitted

HARDWARE = ("h264_nvenc", "h264_qsv", "h264_amf", "h264_videotoolbox", "h264_mf")
"""Those that encode in hardware: NVIDIA's, Intel's, AMD's, Apple's, and whatever Windows has."""

ENCODERS = ("libx264", "libopenh264", "h264_videotoolbox", "h264_mf", "h264_nvenc", "mpeg4")
"""FFmpeg's encoders in order of preference; the last is in every build, but plays in no browser."""

_OPTIONS = {
    # Measured at 720p and equal PSNR: 1.2 to 1.4 times the bytes of veryfast for 0.6 to 0.8 of its time;
    # ultrafast takes 1.5 to 2.6 times the bytes of superfast for 0.55 of its time.
    # B-frames would limit the gaps between frames to 2^28 ticks, beyond which players drop frames.
    "libx264": {"preset": "superfast", "crf": "23", "bf": "0"},
    "mpeg4": {"qscale": "4", "flags": "+qscale"},
    # Of constant quality too, about as good.
    "h264_nvenc": {"preset": "p4", "rc": "vbr", "cq": "25", "b": "0", "bf": "0"},
    "h264_qsv": {"preset": "faster", "global_quality": "25", "bf": "0"},
    "h264_amf": {"quality": "speed", "rc": "cqp", "qp_i": "23", "qp_p": "25"},
}
_BY_RATE = frozenset(("libopenh264", "h264_videotoolbox", "h264_mf"))  # these know no constant quality
_BITS_PER_PIXEL = 0.12  # of theirs
_TRIED = 3  # images that an encoder is tried with
_USUAL_SIZE = 640, 360  # an encoder that works takes it
_BT709, _BT601, _LIMITED = 1, 6, 1


def encoders_of(choice: Encoder) -> tuple[str, ...]:
    """FFmpeg's encoders for what the user chose, the best first."""
    if choice == "auto":
        return ENCODERS
    if choice == "hardware":
        return tuple(dict.fromkeys((*HARDWARE, *ENCODERS)))
    return ("libx264",) if choice == "x264" else (f"h264_{choice}",)


def even_size(width: int, height: int) -> tuple[int, int]:
    """The size in which an image is encoded: H.264 in yuv420p has no odd ones."""
    return width + width % 2, height + height % 2


def working_encoder(size: tuple[int, int], encoders: Sequence[str] = ENCODERS) -> str:
    """The first encoder that works on this machine for images of (width, height).

    Raises:
        SepcamError: If none does.
    """
    for encoder in encoders:
        if _works(encoder, size):
            return encoder
    width, height = size
    if len(encoders) == 1:
        name = encoders[0].removeprefix("h264_").removeprefix("lib")
        here = f" for {width}x{height} video" if _works(encoders[0], _USUAL_SIZE) else ""
        raise SepcamError(f"the encoder {name} does not work here{here}: use --encoder auto")
    raise SepcamError(f"no encoder for {width}x{height} video works here (tried {', '.join(encoders)})")


def add_video(
    container: OutputContainer, encoder: str, size: tuple[int, int], *, fps: float, time_base: Fraction
) -> VideoStream:
    """Adds a stream that is encoded to a container.

    Args:
        container: still without a packet.
        encoder: FFmpeg's name of it.
        size: (width, height), both even.
        fps: frames per second, about.
        time_base: seconds per tick of the frames.
    """
    rate = Fraction(fps).limit_denominator(1001)
    if fps < 1:  # of a frame an hour this would be 0, and the last one would last 1/24 s
        rate = 1 / Fraction(1 / fps).limit_denominator(1001)
    stream = container.add_stream(encoder, rate=rate, options=dict(_OPTIONS.get(encoder, {})))
    assert isinstance(stream, VideoStream)
    stream.time_base = time_base
    context = stream.codec_context
    _set_up(context, encoder, size, fps)
    context.time_base = time_base
    # Whole frames in threads take an eighth less of the processor than slices, which are PyAV's default.
    context.thread_type = "FRAME"
    # OpenCV converts with the BT.601 matrix, four times as fast as FFmpeg's scaler and without its bias.
    context.colorspace, context.color_range = _BT601, _LIMITED
    context.color_primaries = context.color_trc = _BT709
    return stream


def yuv_frame(image: U8, size: tuple[int, int], usual: tuple[int, int]) -> av.VideoFrame:
    """An (H, W, 3) uint8 BGR image as a frame for the encoder, without a time.

    Args:
        image: only read.
        size: (width, height) that is encoded.
        usual: (width, height) of the source: an image of that size has its last column or row doubled where
            it is odd; any other is fitted in, with black around it.
    """
    yuv = np.asarray(cv2.cvtColor(_fit(image, size, usual), cv2.COLOR_BGR2YUV_I420), np.uint8)
    # Saves a copy, but PyAV (18.1) takes heights between multiples of 4 for smaller ones.
    shared = size[1] % 4 == 0
    make = av.VideoFrame.from_numpy_buffer if shared else av.VideoFrame.from_ndarray
    return make(yuv, format="yuv420p")


def _fit(image: U8, size: tuple[int, int], usual: tuple[int, int]) -> U8:
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    if (width, height) == usual:
        border = (0, size[1] - height, 0, size[0] - width)
        return np.asarray(cv2.copyMakeBorder(image, *border, cv2.BORDER_REPLICATE), np.uint8)
    return fitted(image, size)


def _works(encoder: str, size: tuple[int, int]) -> bool:
    # An encoder may be compiled in and still lack its hardware, refuse the size, or fail at an image.
    try:
        trial = av.CodecContext.create(encoder, "w")
        assert isinstance(trial, av.VideoCodecContext)
        trial.options = dict(_OPTIONS.get(encoder, {}))
        _set_up(trial, encoder, size, 25.0)
        trial.time_base = Fraction(1, 25)
        trial.thread_count = 1  # so few images are done sooner than threads are started
        packets = 0
        for number in range(_TRIED):
            frame = av.VideoFrame(*size, "yuv420p")
            frame.pts, frame.time_base = number, trial.time_base
            packets += len(trial.encode(frame))
        return packets + len(trial.encode(None)) >= _TRIED
    except (FFmpegError, ValueError):
        return False


def _set_up(context: VideoCodecContext, encoder: str, size: tuple[int, int], fps: float) -> None:
    """Size, format and, where there is no constant quality, the rate."""
    context.width, context.height = size
    formats = [one.name for one in context.codec.video_formats or ()]
    context.pix_fmt = "nv12" if formats and "yuv420p" not in formats else "yuv420p"
    if encoder in _BY_RATE:
        context.bit_rate = int(size[0] * size[1] * fps * _BITS_PER_PIXEL)
