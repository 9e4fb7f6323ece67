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
from .limits import OpenLimits

_TEXT_DEMUXERS = frozenset({"tty", "bin", "adf", "idf", "xbin"})
"""FFmpeg "decodes" any text with these, as images of a terminal."""


def open_video(
    path: str | Path,
    *,
    timeout: tuple[float, float] | None = None,
    limits: OpenLimits | None = None,
) -> InputContainer:
    """Open a file or a URL that has images in it.

    Args:
        path: file or URL.
        timeout: seconds to wait for the connection and for each read; for URLs.
        limits: for files from untrusted senders; None allows everything.

    Raises:
        SepcamError: If there is no such file, or it is not a video, or its frames are too large.
    """
    name = shown(str(path))
    options = {"rtsp_transport": "tcp"} if name.startswith(("rtsp://", "rtsps://")) else {}
    if limits is not None:
        options |= limits.options()
    try:
        container = av.open(url_of(path), timeout=timeout, options=options)
    except FFmpegError as error:
        if limits is not None:
            raise SepcamError(f"{name} is not a video file that can be read") from error
        raise SepcamError(_why_not_opened(path, error)) from error
    except (OSError, ValueError) as error:
        raise SepcamError(f"{name} cannot be opened: {redacted(str(error))}") from error
    if not container.streams.video or container.format.name in _TEXT_DEMUXERS:
        kind = "has sound but no pictures" if container.streams.audio else "is not a video"
        container.close()
        raise SepcamError(f"{name} {kind}: give a video file, a folder of images or a camera")
    if limits is not None:
        _limit_decoder(path, container, limits.max_pixels)
    return container


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


def _limit_decoder(path: str | Path, container: InputContainer, max_pixels: int) -> None:
    """Refuses frames that are too large before one is decoded, also where the size changes in mid-stream."""
    codec = container.streams.video[0].codec_context
    if codec.width * codec.height > max_pixels:
        size = f"{codec.width}x{codec.height}"
        container.close()
        raise SepcamError(
            f"{shown(str(path))} has frames of {size}, more than the {max_pixels} pixels that are accepted"
        )
    codec.options = {**codec.options, "max_pixels": str(max_pixels)}


def clock_start(container: InputContainer) -> Fraction:
    """Seconds on the streams' clock at which the file begins: 0, but in recordings of broadcasts.

    Both image and sound are counted from here, so that they stay together.
    """
    starts = [
        stream.start_time * stream.time_base
        for stream in (container.streams.video[0], *container.streams.audio[:1])
        if stream.start_time is not None and stream.time_base is not None
    ]
    # Sound that begins before 0 (an encoder's run-in) is dropped by players, images are not.
    return min([max(min(starts, default=Fraction(0)), Fraction(0)), *starts[:1]])


def frame_rate(stream: VideoStream) -> float | None:
    """Frames per second, or None where the file states none that a camera could reach."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= 1000:
            return float(rate)
    return None


def stream_length(stream: VideoStream) -> float | None:
    """Seconds that the images should last, or None where the file does not say."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    hours, _, rest = stream.metadata.get("DURATION", "").partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return None


def one_line(error: Exception) -> str:
    """FFmpeg's text for an error, without its number and path."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _why_not_opened(path: str | Path, error: FFmpegError) -> str:
    name = shown(str(path))
    if is_address(name):
        return f"{name} cannot be reached: {one_line(error)}; check the address and that the stream is on"
    if isinstance(error, FileNotFoundError):
        return f"{name} does not exist"
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
