"""The sound of a source beside its annotated images: copied, or encoded where MP4 cannot hold it."""

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from .audio_tracks import Track, add_track
from .containers import clock_start, frame_rate, one_line, open_video
from .limits import OpenLimits
from .timestamps import FrameClock

_JUMP_S = 1
_MOST_HELD = 500
"""Packets of a track whose clock was set back that wait for the clock of the video to follow."""


@dataclass(slots=True)
class _Channel:
    """A track and the shift of its clock.

    Attributes:
        track: takes the packets.
        time_base: seconds per tick of the source.
        shift_s: seconds from the source's clock to that of the new file.
        end_s: where its last packet ended, on the clock of the new file.
        held: packets that wait for the video's clock to be set back too.
    """

    track: Track
    time_base: Fraction
    shift_s: Fraction
    end_s: Fraction | None = None
    held: deque[Packet] = field(default_factory=deque)


class AudioTracks:
    """Moves all sound of a video file into an MP4 that is being written, a little ahead of the images.

    Where the clock of the source is set back (joined recordings), the sound moves by the same shift as the
    video.

    Attributes:
        notices: one line for each thing a user should know: sound that was encoded, left out, or is damaged.
    """

    notices: list[str]

    def __init__(
        self,
        path: str | Path,
        output: OutputContainer,
        *,
        start_s: float = 0.0,
        stream: int | None = None,
        limits: OpenLimits | None = None,
    ) -> None:
        """Add the audio streams to ``output`` (before anything is written to it).

        Args:
            path: the video file, or its address.
            output: where the sound goes.
            start_s: the time of the file that becomes 0.
            stream: 0-based index of the video stream in the file, or None to choose.
            limits: for a file from an untrusted sender.

        Raises:
            SepcamError: If the file cannot be opened.
        """
        self.notices = []
        self._output = output
        self._input, video = open_video(path, stream=stream, limits=limits)
        self._start = clock_start(self._input, video) + Fraction(start_s)
        self._channels: dict[int, _Channel] = {}
        for sound in self._input.streams.audio:
            self._add(sound, whole=start_s <= 0)
        self._packets = self._moved(video, seek=start_s > 0)
        self._waiting = next(self._packets, None)

    def write_until(self, time_s: float | None) -> None:
        """Write the sound that begins before ``time_s`` (seconds of the new file), or all of the rest.

        Raises:
            FFmpegError: If the new file cannot be written.
        """
        while self._waiting is not None:
            packet = self._waiting
            if (
                time_s is not None
                and packet.pts is not None
                and packet.time_base is not None
                and packet.pts * packet.time_base >= time_s
            ):
                return
            self._output.mux_one(packet)
            self._waiting = next(self._packets, None)

    def close(self) -> None:
        """Release the source."""
        self._packets.close()
        self._waiting = None
        self._input.close()

    def _add(self, stream: AudioStream, *, whole: bool) -> None:
        track, notice = add_track(stream, self._output, whole=whole)
        if notice is not None and notice not in self.notices:
            self.notices.append(notice)
        if track is not None:
            time_base = stream.time_base or Fraction(1, 90_000)
            self._channels[stream.index] = _Channel(track, time_base, -self._start)

    def _moved(self, video: VideoStream, *, seek: bool) -> Generator[Packet]:
        """Packets for the new file, in the order of the source."""
        if not self._channels:
            return
        clock = FrameClock(video.time_base or Fraction(1, 90_000), frame_rate(video), self._start)
        try:
            for packet in self._demuxed(video, seek=seek):
                # An empty packet, at the end of a stream, has no index of its own.
                index = packet.stream.index
                if index == video.index:
                    if packet.dts is not None:
                        clock.time_s(packet.dts)
                    for channel in self._channels.values():
                        if channel.held and channel.shift_s != clock.shift_s:
                            yield from _released(channel, clock.shift_s)
                elif (channel := self._channels.get(index)) is not None:
                    yield from _placed(channel, packet, clock.shift_s)
        except FFmpegError as error:
            self.notices.append(f"the sound is damaged ({one_line(error)}): the rest of it is left out")
        for channel in self._channels.values():
            yield from _released(channel, None)
            yield from channel.track.flush()

    def _demuxed(self, video: VideoStream, *, seek: bool) -> Iterator[Packet]:
        if seek:
            try:
                time_base = video.time_base or Fraction(1, 90_000)
                self._input.seek(round(self._start / time_base), stream=video)
            except FFmpegError:
                pass  # it cannot be searched, so it is read from its beginning
        streams = [self._input.streams[index] for index in self._channels]
        return self._input.demux(video, *streams)


def _placed(channel: _Channel, packet: Packet, video_shift_s: Fraction) -> Iterator[Packet]:
    """What becomes of a packet: nothing while it waits for the video's clock."""
    stamp = packet.dts if packet.pts is None else packet.pts
    if channel.held:
        channel.held.append(packet)
        if len(channel.held) > _MOST_HELD:
            yield from _released(channel, None)
        return
    if stamp is not None:
        begin_s = stamp * channel.time_base + channel.shift_s
        if channel.end_s is not None and channel.end_s - begin_s >= _JUMP_S:
            if channel.shift_s == video_shift_s:
                channel.held.append(packet)
                return
            channel.shift_s = video_shift_s
            begin_s = stamp * channel.time_base + channel.shift_s
        channel.end_s = begin_s + (packet.duration or 0) * channel.time_base
    yield from channel.track.take(packet, channel.shift_s)


def _released(channel: _Channel, shift_s: Fraction | None) -> Iterator[Packet]:
    """The packets that waited, with the video's shift, or None to follow the sound before them."""
    waited, channel.held = channel.held, deque()
    for number, packet in enumerate(waited):
        stamp = packet.dts if packet.pts is None else packet.pts
        if number == 0 and stamp is not None:
            follow_s = (channel.end_s or Fraction(0)) - stamp * channel.time_base
            channel.shift_s = follow_s if shift_s is None else shift_s
        if stamp is not None:
            channel.end_s = (stamp + (packet.duration or 0)) * channel.time_base + channel.shift_s
        yield from channel.track.take(packet, channel.shift_s)
