"""The sound of a source beside its annotated images: copied, or encoded where MP4 cannot hold it."""

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet

from .audio_tracks import Track, add_track
from .containers import one_line
from .sound_sources import SoundSource
from .timestamps import LEAP_S

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

    Where the clock of the source is set (joined recordings), the sound moves by the same shift as the
    video.

    Attributes:
        notices: one line for each thing a user should know: sound that was encoded, left out, or is damaged.
    """

    notices: list[str]

    def __init__(self, source: SoundSource, output: OutputContainer, *, start_s: float = 0.0) -> None:
        """Add the audio streams to ``output`` (before anything is written to it).

        Args:
            source: the sound; ``close`` closes it.
            output: where the sound goes.
            start_s: the time of the source that becomes 0.
        """
        self.notices = []
        self._source, self._output = source, output
        self._start = source.origin_s + Fraction(start_s)
        self._channels: dict[int, _Channel] = {}
        for sound in source.streams:
            self._add(sound, whole=start_s <= 0)
        self._packets = self._moved()
        self._waiting: Packet | None = None

    def write_until(self, time_s: float | None) -> None:
        """Write the sound that begins before ``time_s`` (seconds of the new file), or all of the rest.

        Sound that was not read yet is left for the next call.

        Raises:
            FFmpegError: If the new file cannot be written.
        """
        while True:
            packet = self._waiting = self._waiting or next(self._packets, None)
            if packet is None:
                return
            if (
                time_s is not None
                and packet.pts is not None
                and packet.time_base is not None
                and packet.pts * packet.time_base >= time_s
            ):
                return
            self._output.mux_one(packet)
            self._waiting = None

    def close(self) -> None:
        """Release the source."""
        self._packets.close()
        self._waiting = None
        self._source.close()

    def _add(self, stream: AudioStream, *, whole: bool) -> None:
        track, notice = add_track(stream, self._output, whole=whole)
        if notice is not None and notice not in self.notices:
            self.notices.append(notice)
        if track is not None:
            time_base = stream.time_base or Fraction(1, 90_000)
            self._channels[stream.index] = _Channel(track, time_base, -self._start)

    def _moved(self) -> Generator[Packet | None]:
        """Packets for the new file, in the order of the source; None where nothing more was read so far."""
        if not self._channels:
            return
        clock = self._source.clock
        try:
            for item in self._source.items():
                if item is None:
                    yield None
                elif item.packet is None:
                    if item.dts is not None:
                        clock.time_s(item.dts)
                    yield from self._follow(clock.shift_s)
                elif (channel := self._channels.get(item.stream)) is not None:
                    yield from _placed(channel, item.packet, clock.shift_s)
        except FFmpegError as error:
            self.notices.append(f"the sound is damaged ({one_line(error)}): the rest of it is left out")
        for channel in self._channels.values():
            yield from _released(channel, None)
            yield from channel.track.flush()

    def _follow(self, shift_s: Fraction) -> Iterator[Packet]:
        """The packets that waited until the video's clock was set back."""
        for channel in self._channels.values():
            if channel.held and channel.shift_s != shift_s:
                yield from _released(channel, shift_s)


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
        if channel.end_s is not None and not -_JUMP_S < begin_s - channel.end_s < LEAP_S:
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
