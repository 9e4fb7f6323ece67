"""The sound of a source beside its annotated pictures: copied, or encoded anew where MP4 cannot hold it."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet

from .containers import clock_start, one_line, open_video
from .limits import OpenLimits

_COPIED = frozenset({"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"})
_AAC_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000})
_AAC_LAYOUTS = frozenset({"mono", "stereo", "5.1"})


class AudioTrack:
    """Moves the sound of a video file into an MP4 that is being written, a little ahead of the pictures.

    Attributes:
        notices: one line for each thing a user should know: sound that was encoded anew, or is damaged.
    """

    notices: list[str]

    def __init__(
        self,
        path: str | Path,
        output: OutputContainer,
        *,
        start_s: float = 0.0,
        limits: OpenLimits | None = None,
    ) -> None:
        """Add an audio stream to ``output`` (before anything is written to it).

        Args:
            path: the video file, or its address.
            output: where the sound goes.
            start_s: the time of the file that becomes 0.
            limits: for a file from an untrusted sender.

        Raises:
            SepcamError: If the file cannot be opened.
        """
        self.notices = []
        self._output = output
        self._input = open_video(path, limits=limits)
        self._packets: Iterator[Packet] = iter(())
        if self._input.streams.audio:
            source = self._input.streams.audio[0]
            origin = clock_start(self._input) + Fraction(start_s)
            self._copied = source.codec_context.codec.canonical_name in _COPIED
            self._target = self._add_stream(source)
            self._packets = self._moved(source, origin, whole=start_s <= 0)
        self._waiting = next(self._packets, None)

    def write_until(self, time_s: float | None) -> None:
        """Write the sound that begins before ``time_s`` (seconds of the new file), or all of the rest.

        Raises:
            FFmpegError: If the new file cannot be written.
        """
        while self._waiting is not None:
            packet = self._waiting
            assert packet.pts is not None and packet.time_base is not None
            if time_s is not None and packet.pts * packet.time_base >= time_s:
                return
            packet.stream = self._target
            self._output.mux_one(packet)
            self._waiting = next(self._packets, None)

    def close(self) -> None:
        """Let go of the source."""
        self._packets = iter(())
        self._waiting = None
        self._input.close()

    def _add_stream(self, source: AudioStream) -> AudioStream:
        if self._copied:
            return self._output.add_stream_from_template(source)
        sound = source.codec_context
        rate = sound.sample_rate if sound.sample_rate in _AAC_RATES else 48_000
        target = self._output.add_stream("aac", rate=rate)
        target.layout = sound.layout.name if sound.layout.name in _AAC_LAYOUTS else "stereo"
        name = sound.codec.canonical_name
        self.notices.append(f"the sound ({name}) is encoded as AAC, since MP4 does not hold it")
        return target

    def _moved(self, source: AudioStream, origin: Fraction, *, whole: bool) -> Iterator[Packet]:
        """Packets for the new file, whose time 0 is ``origin`` on the clock of the source."""
        try:
            if not whole:
                assert source.time_base is not None
                self._input.seek(round(origin / source.time_base), stream=source)
            packets = self._input.demux(source)
            yield from (
                _shift(packets, origin, whole) if self._copied else self._encode(packets, origin, whole)
            )
        except FFmpegError as error:
            self.notices.append(f"the sound is damaged ({one_line(error)}): the rest of it is left out")

    def _encode(self, packets: Iterator[Packet], origin: Fraction, whole: bool) -> Iterator[Packet]:
        for packet in packets:
            try:
                frames = packet.decode()
            except FFmpegError:
                continue
            for frame in frames:
                assert isinstance(frame, av.AudioFrame)
                if frame.pts is not None and frame.time_base is not None:
                    frame.pts -= round(origin / frame.time_base)
                    if frame.pts < 0 and not whole:
                        continue
                yield from self._target.encode(frame)
        yield from self._target.encode(None)


def _shift(packets: Iterator[Packet], origin: Fraction, whole: bool) -> Iterator[Packet]:
    for packet in packets:
        if packet.is_corrupt or packet.pts is None or packet.dts is None or packet.time_base is None:
            continue
        ticks = round(origin / packet.time_base)
        packet.pts -= ticks
        packet.dts -= ticks
        if whole or packet.pts >= 0:
            yield packet
