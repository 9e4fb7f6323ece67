"""Which streams of a file are used: the video that players show, and the sound that can be kept."""

from pathlib import Path

from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from ...models.errors import SepcamError

_STILL = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
"""Covers, chapter thumbnails and stills: never analyzed in place of the video."""


def choose_video(path: str | Path, container: InputContainer, index: int | None = None) -> VideoStream:
    """The video stream to analyze.

    Among the streams that can be decoded and are no cover or thumbnail, this is the one marked as default,
    then the one with the most pixels, then the first, as FFmpeg chooses.

    Args:
        path: what the user calls the file, for messages.
        container: the opened file.
        index: the stream's own index in the file (0-based, as ffprobe counts), or None to choose.

    Raises:
        SepcamError: If there is no such stream, or none that can be decoded.
    """
    streams = container.streams.video
    if index is not None:
        for stream in streams:
            if stream.index == index:
                return _decodable(path, stream)
        listed = ", ".join(map(_described, streams)) or "none"
        raise SepcamError(f"{path} has no video stream {index}: its video streams are {listed}")
    moving = [stream for stream in streams if not stream.disposition & _STILL]
    if not moving:
        if container.streams.audio:
            kind = "has sound but no video"
        else:
            kind = "has only a cover image and no video" if streams else "is not a video"
        raise SepcamError(f"{path} {kind}: give a video file, a folder of images or a camera")
    return _decodable(path, max(moving, key=_rank))


def _rank(stream: VideoStream) -> tuple[bool, bool, int]:
    codec = stream.codec_context
    if codec is None:
        return False, False, 0
    return True, bool(stream.disposition & Disposition.default), codec.width * codec.height


def _decodable(path: str | Path, stream: VideoStream) -> VideoStream:
    if stream.codec_context is None:
        raise SepcamError(
            f"{path}: its video codec ({codec_tag(stream)}) cannot be decoded; convert the file to H.264"
        )
    return stream


def codec_tag(stream: VideoStream) -> str:
    """The code by which the file names the codec of a stream that has no decoder."""
    tag = "".join(c for c in str(getattr(stream, "codec_tag", "") or "") if c.isprintable()).strip()
    return tag or "unknown codec"


def _described(stream: VideoStream) -> str:
    codec = stream.codec_context
    size = "cannot be decoded" if codec is None else f"{codec.width}x{codec.height}"
    still = ", cover" if stream.disposition & _STILL else ""
    return f"{stream.index} ({size}{still})"
