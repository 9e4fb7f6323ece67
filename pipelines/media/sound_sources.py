"""Where the sound beside annotated images comes from: the file again, or what is read of it anyway."""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, Protocol

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from .containers import clock_start, frame_rate, open_video
from .limits import OpenLimits
from .timestamps import FrameClock


class Item(NamedTuple):
    """What was read of a file.

    Attributes:
        stream: 0-based index of its stream.
        packet: of sound; None of the video.
        dts: decoding timestamp of a packet of the video, in ticks, or None.
    """

    stream: int
    packet: Packet | None
    dts: int | None = None


class SoundSource(Protocol):
    """The sound of a video file, in the order of the file.

    Attributes:
        streams: the sound.
        clock: follows the video's clock.
        origin_s: seconds on the streams' clock at which the file begins.
    """

    streams: tuple[AudioStream, ...]
    clock: FrameClock
    origin_s: Fraction

    def items(self) -> Iterator[Item | None]:
        """Everything, once; None where nothing more was read so far.

        Raises:
            FFmpegError: If the file is damaged.
        """
        ...

    def close(self) -> None:
        """Release the file."""
        ...


class SoundFile:
    """The sound of a file, which is opened once more; see `SoundSource`."""

    def __init__(
        self,
        path: str | Path,
        *,
        start_s: float = 0.0,
        stream: int | None = None,
        limits: OpenLimits | None = None,
    ) -> None:
        """Open the file.

        Args:
            path: the video file.
            start_s: the time of the file at which to start.
            stream: 0-based index of the video stream in the file, or None to choose.
            limits: for a file from an untrusted sender.

        Raises:
            SepcamError: If the file cannot be opened.
        """
        self._input, self._video = open_video(path, stream=stream, limits=limits)
        self.streams = tuple(self._input.streams.audio)
        self.origin_s = clock_start(self._input, self._video)
        self.clock = _clock(self._video, self.origin_s + Fraction(start_s))
        self._start_s = start_s

    def items(self) -> Iterator[Item | None]:
        """See `SoundSource`."""
        if self._start_s > 0:
            try:
                time_base = self._video.time_base or Fraction(1, 90_000)
                start = self.origin_s + Fraction(self._start_s)
                self._input.seek(round(start / time_base), stream=self._video)
            except FFmpegError:
                pass  # it cannot be searched, so it is read from its beginning
        yield from map(_item, self._input.demux(self._video, *self.streams))

    def close(self) -> None:
        """See `SoundSource`."""
        self._input.close()


class SoundFeed:
    """The sound of a source that can be read only once, see `SoundSource`.

    One thread reads the source and puts in what it reads, another takes it out. Nothing is kept until
    ``keep`` is called before the first frame is asked for; what was read before is there then.
    """

    def __init__(self, container: InputContainer, video: VideoStream) -> None:
        """Prepare.

        Args:
            container: the open source; the caller closes it.
            video: the stream that is analyzed.
        """
        self.streams = tuple(container.streams.audio)
        self.origin_s = clock_start(container, video)
        self.clock = _clock(video, self.origin_s)
        self._items: deque[Item] = deque()
        self._kept = self._ended = False

    def keep(self) -> None:
        """Keep the sound from now on."""
        self._kept = True

    def begin(self) -> None:
        """Called before the second frame is read: sound that nobody wants is no longer kept."""
        if not self._kept:
            self.close()

    def put(self, packet: Packet) -> None:
        """Adds a packet of the source."""
        if not self._ended:
            self._items.append(_item(packet))

    def end(self) -> None:
        """Called when everything was read."""
        self._ended = True

    def items(self) -> Iterator[Item | None]:
        """See `SoundSource`."""
        while True:
            ended = self._ended  # before a look at the items, which another thread adds
            try:
                yield self._items.popleft()
            except IndexError:
                if ended:
                    return
                yield None

    def close(self) -> None:
        """See `SoundSource`."""
        self._ended = True
        self._items.clear()


def _clock(video: VideoStream, origin_s: Fraction) -> FrameClock:
    return FrameClock(video.time_base or Fraction(1, 90_000), frame_rate(video), origin_s)


def _item(packet: Packet) -> Item:
    stream = packet.stream  # its own index is not set in the empty packet at the end of a stream
    return Item(stream.index, None, packet.dts) if stream.type == "video" else Item(stream.index, packet)
