"""Opening video files with PyAV: one clear line for each way in which that can fail."""

import os
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from ...models.errors import SepcamError
from ..files.addresses import STDIN, is_address, redacted, shown
from .followed_file import FollowedFile
from .limits import OpenLimits
from .stream_choice import choose_video

_INDEXED = frozenset({"avi", "mov,mp4,m4a,3gp,3g2,mj2"})
"""Demuxers that know every frame when a file is opened."""

_NO_TIMESTAMPS = 0x80
"""FFmpeg's flag AVFMT_NOTIMESTAMPS."""

_TEXT_DEMUXERS = frozenset({"tty", "bin", "adf", "idf", "xbin"})
"""FFmpeg "decodes" any text with these, as images of a terminal."""


def open_video(
    path: str | Path,
    *,
    stream: int | None = None,
    timeout: tuple[float, float] | None = None,
    limits: OpenLimits | None = None,
    file: FollowedFile | None = None,
) -> tuple[InputContainer, VideoStream]:
    """Open a file or a URL and choose its video stream.

    Args:
        path: file or URL.
        stream: 0-based index of the video stream in the file, or None to choose; see `choose_video`.
        timeout: seconds to wait for the connection and for each read; for URLs.
        limits: for files from untrusted senders; None allows everything.
        file: what is read in place of ``path``; the caller closes it.

    Raises:
        SepcamError: If there is no such file or stream, or it is not a video, or its frames are too large.
    """
    name = shown(str(path))
    options = {"rtsp_transport": "tcp"} if name.startswith(("rtsp://", "rtsps://")) else {}
    if limits is not None:
        options |= limits.options()
    try:
        what = url_of(path) if file is None else file
        container = av.open(what, "r", timeout=timeout, options=options)
    except FFmpegError as error:
        if limits is not None:
            raise SepcamError(f"{name} is not a video file that can be read") from error
        if file is not None and not isinstance(error, FileNotFoundError):
            raise SepcamError(
                f"{name} cannot be read while it is being written ({one_line(error)}): wait until it is "
                "finished and leave --follow out, or record MKV, MPEG-TS or fragmented MP4"
            ) from error
        raise SepcamError(_why_not_opened(path, error)) from error
    except (OSError, ValueError) as error:
        raise SepcamError(f"{name} cannot be opened: {redacted(str(error))}") from error
    try:
        if container.format.name in _TEXT_DEMUXERS:
            raise SepcamError(f"{name} is not a video: give a video file, a folder of images or a camera")
        video = choose_video(name, container, stream)
        if limits is not None:
            _limit_decoder(path, video, limits.max_pixels)
    except BaseException:
        container.close()
        raise
    return container, video


def url_of(path: str | Path) -> str:
    """What FFmpeg opens: an address as it is, a path as an absolute one.

    FFmpeg takes a relative name with a colon, such as ``10:00:00.mp4``, for a protocol.
    """
    name = str(path)
    if name == STDIN:
        # A file that is redirected can be opened by its name, and then also searched.
        regular = os.path.isfile("/dev/stdin")
        return "/dev/stdin" if regular else "pipe:0"
    return name if is_address(name) else os.path.abspath(name)


def _limit_decoder(path: str | Path, video: VideoStream, max_pixels: int) -> None:
    """Refuses frames that are too large before one is decoded, also where the size changes in mid-stream."""
    codec = video.codec_context
    if codec.width * codec.height > max_pixels:
        size = f"{codec.width}x{codec.height}"
        raise SepcamError(
            f"{shown(str(path))} has frames of {size}, more than the {max_pixels} pixels that are accepted"
        )
    codec.options = {**codec.options, "max_pixels": str(max_pixels)}


def clock_start(container: InputContainer, video: VideoStream) -> Fraction:
    """Seconds on the streams' clock at which the file begins: 0, except in recordings of broadcasts.

    Both video and sound are counted from here, so that they stay together.
    """
    starts = [
        stream.start_time * stream.time_base
        for stream in (video, *container.streams.audio)
        if stream.start_time is not None and stream.time_base is not None
    ]
    # Players drop sound that begins before 0 (an encoder's run-in), but not images.
    return min([max(min(starts, default=Fraction(0)), Fraction(0)), *starts[:1]])


def frame_count(stream: VideoStream) -> int | None:
    """The number of frames that a file's index shows, or None where it has none.

    Headers count what no player shows: frames hidden by an edit list (MP4), fields and dropped frames (AVI),
    ticks (IVF). Of a file that was cut off before its index (AVI), the header alone is left.
    """
    if not stream.frames or stream.container.format.name not in _INDEXED:
        return None
    entries = stream.index_entries
    # The index of an AVI leaves dropped frames out, but the ticks of the others count them.
    reached = max(len(entries), entries[-1].timestamp + 1) if len(entries) else 0
    # Without an index, FFmpeg lists what was read so far. Two fields may be one frame.
    if 2 * reached < stream.frames:
        return stream.frames
    return sum(entry.size > 0 and not entry.is_discard for entry in entries) or None


def frame_rate(stream: VideoStream) -> float | None:
    """Frames per second, or None where the file states none that a camera could reach."""
    rates = [stream.average_rate, stream.guessed_rate, stream.base_rate]
    if not has_timestamps(stream):  # the average is FFmpeg's default then, the guess is what the codec states
        rates = rates[1:]
    for rate in rates:
        if rate and 0 < rate <= 1000:
            return float(rate)
    return None


def has_timestamps(stream: VideoStream) -> bool:
    """Whether the container stores times; bare streams of a codec (``.h264``) have none."""
    return not stream.container.format.flags & _NO_TIMESTAMPS


def stream_length(stream: VideoStream) -> float | None:
    """Seconds that the images should last, or None where the file does not say."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    hours, _, rest = stream.metadata.get("DURATION", "").partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        end = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return None
    # This tag (Matroska) counts from 0, where a segment of a longer recording begins later.
    start = float((stream.start_time or 0) * (stream.time_base or 0))
    return max(0.0, end - max(0.0, start)) or None


def one_line(error: Exception) -> str:
    """FFmpeg's text for an error, without its number and path."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _why_not_opened(path: str | Path, error: FFmpegError) -> str:
    name = shown(str(path))
    if is_address(name):
        return f"{name} cannot be reached: {one_line(error)}; check the address and that the stream is on"
    if isinstance(error, FileNotFoundError):
        return f"{name} does not exist"
    if not os.path.isfile(path) and not os.path.isdir(path):  # reading more of a pipe may never end
        return (
            f"{name} cannot be read as a video ({one_line(error)}): in a pipe, an MP4 needs its index in "
            "front (-movflags faststart); give the file itself, or MKV or MPEG-TS"
        )
    head = b""
    with suppress(OSError), open(path, "rb") as file:
        head = file.read(4096)
        if not head:
            return f"{name} is empty (0 bytes)"
    if b"ftyp" in head[:16]:
        return (
            f"{name} is cut or damaged: its index is missing, so nothing of it can be decoded; copy it again"
        )
    if isinstance(error, PermissionError | IsADirectoryError):
        return f"{name} cannot be opened: {one_line(error)}"
    return f"{name} is not a video that can be read ({one_line(error)})"
