"""Segments of a video as one file, without encoding anything again."""

from collections.abc import Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from ...models.files import atomic_write, write_failure
from ..types import StreamInfo
from .audio import AudioTracks
from .containers import url_of
from .sound_sources import SoundFile
from .video_writer import MADE_BY, muxer_options, ticks_of


def concatenate(
    path: Path,
    info: StreamInfo,
    segments: Sequence[tuple[Path, float]],
    audio_from: str | None = None,
    *,
    overwrite: bool = False,
) -> Sequence[str]:
    """Joins videos that `VideoWriter` wrote from segments of one source, with the sound of the source.

    The segments come from one encoder with the same settings, and each begins with a key frame, so their
    packets follow each other unchanged.

    Args:
        path: of the finished file.
        info: of the source.
        segments: the files, and the times of their first frames in seconds of the source.
        audio_from: video file whose sound is copied, or None.
        overwrite: whether a file of that name may be replaced.

    Returns:
        What the user should know of the sound, a line each.

    Raises:
        SepcamError: If the target exists, or the file cannot be written.
    """
    tick = ticks_of(info)
    options = muxer_options(tick)
    with atomic_write(path, overwrite=overwrite) as hidden:
        try:
            with (
                av.open(url_of(hidden), "w", options=options) as output,
                av.open(url_of(segments[0][0])) as first,
            ):
                output.metadata["comment"] = MADE_BY
                stream = output.add_stream_from_template(first.streams.video[0])
                stream.time_base = first.streams.video[0].time_base
                if audio_from is None:
                    _copy(segments, tick, output, stream, None)
                    return ()
                with closing(AudioTracks(SoundFile(audio_from, stream=info.stream), output)) as audio:
                    _copy(segments, tick, output, stream, audio)
                    audio.write_until(None)
                    return tuple(audio.notices)
        except FFmpegError as error:
            raise write_failure(path, error) from error


def _copy(
    segments: Sequence[tuple[Path, float]],
    tick: Fraction,
    output: OutputContainer,
    stream: VideoStream,
    audio: AudioTracks | None,
) -> None:
    for path, start_s in segments:
        start = round(Fraction(start_s) / tick) * tick
        with av.open(url_of(path)) as segment:
            for packet in segment.demux(segment.streams.video[0]):
                if packet.pts is None or packet.dts is None or packet.time_base is None:
                    continue
                shift = round(start / packet.time_base)
                packet.pts += shift
                packet.dts += shift
                packet.stream = stream
                if audio is not None:
                    audio.write_until(float(packet.dts * packet.time_base))
                output.mux_one(packet)
