"""The last seconds of a video as encoded packets: what was there before something happened."""

import io
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
from av.error import FFmpegError
from av.video.frame import PictureType
from av.video.stream import VideoStream

from ...models.errors import SepcamError
from ...models.types import U8
from ..media.encoding import add_video, even_size, working_encoder, yuv_frame
from ..types import StreamInfo

TIME_BASE: Final = Fraction(1, 90_000)
"""Seconds per tick of packets."""

KEYFRAME_S: Final = 1.0
"""Seconds from one keyframe to the next, at most; a clip can begin at any of them."""

_FALLBACK_FPS = 25.0


@dataclass(frozen=True, slots=True)
class Packet:
    """An encoded frame.

    Attributes:
        data: of the encoder.
        pts: in ticks of `TIME_BASE`, from the first frame of the source.
        time_s: of the frame.
        keyframe: whether decoding can begin here.
    """

    data: bytes
    pts: int
    time_s: float
    keyframe: bool


class PacketEncoder:
    """Encodes frames, once for all clips that will hold them. One thread uses it.

    Attributes:
        template: the encoder's stream, for the containers of clips.
    """

    template: VideoStream

    def __init__(self, info: StreamInfo) -> None:
        """Open an encoder for the frames of a source.

        Raises:
            SepcamError: If no encoder works.
        """
        self._usual = info.width, info.height
        self._size = even_size(*self._usual)
        # Nothing is written to it: an encoder that belongs to an MP4 makes packets for MP4.
        self._container = av.open(io.BytesIO(), "w", format="mp4")
        encoder = working_encoder(self._size)
        fps = info.fps or _FALLBACK_FPS
        self.template = add_video(self._container, encoder, self._size, fps=fps, time_base=TIME_BASE)
        context = self.template.codec_context
        # Several threads would hold as many frames back, and take longer for each.
        context.thread_count = 1
        if encoder == "libx264":
            # Most of what is encoded here is dropped again: time counts for more than bytes.
            context.options = {**context.options, "preset": "ultrafast"}
        self._container.start_encoding()
        self._origin_s: float | None = None
        self._keyframe_s = 0.0
        self._last = -1
        self._times: deque[tuple[int, float]] = deque()

    def encode(self, image: U8, time_s: float) -> list[Packet]:
        """The packets that are ready: an encoder holds some frames back.

        Args:
            image: (H, W, 3) uint8 BGR; only read.
            time_s: its time, above that of the last one.

        Raises:
            SepcamError: If it cannot be encoded.
        """
        frame = yuv_frame(image, self._size, self._usual)
        first = self._origin_s is None
        if self._origin_s is None:
            self._origin_s = time_s
        if first or time_s - self._keyframe_s >= KEYFRAME_S:
            frame.pict_type = PictureType.I
            self._keyframe_s = time_s
        self._last = max(round((time_s - self._origin_s) / TIME_BASE), self._last + 1)
        frame.pts, frame.time_base = self._last, TIME_BASE
        self._times.append((self._last, time_s))
        return self._packets(frame)

    def flush(self) -> list[Packet]:
        """The packets that were held back; nothing can be encoded after it."""
        return self._packets(None)

    def close(self) -> None:
        """Release the encoder."""
        with suppress(FFmpegError):
            self._container.close()

    def _packets(self, frame: av.VideoFrame | None) -> list[Packet]:
        try:
            encoded = self.template.encode(frame)
        except FFmpegError as error:
            raise SepcamError(f"a frame could not be encoded: {error.strerror or error}") from error
        return [self._packet(packet) for packet in encoded]

    def _packet(self, packet: av.Packet) -> Packet:
        pts = packet.pts or 0
        time_s = 0.0
        while self._times and self._times[0][0] <= pts:
            time_s = self._times.popleft()[1]
        return Packet(bytes(packet), pts, time_s, packet.is_keyframe)


class PacketRing:
    """The newest packets: those of at least the last ``seconds``, from a keyframe on, bounded in bytes.

    Args:
        seconds: that are held, where that many have passed and the bytes allow it.
        most_bytes: above which the oldest go first, down to the newest keyframe.
    """

    def __init__(self, seconds: float, most_bytes: int) -> None:
        self._seconds, self._most = seconds, most_bytes
        self._groups: deque[list[Packet]] = deque()  # each begins with a keyframe
        self._bytes = 0

    @property
    def size_bytes(self) -> int:
        """Bytes that are held."""
        return self._bytes

    def __iter__(self) -> Iterator[Packet]:
        """The packets in order, the first one a keyframe."""
        for group in self._groups:
            yield from group

    def since(self, time_s: float) -> Iterator[Packet]:
        """The packets in order, from the keyframe on that the first one at or after a time needs."""
        for group in self._groups:
            if group[-1].time_s >= time_s:
                yield from group

    def add(self, packets: Sequence[Packet]) -> None:
        """Adds packets, and drops those that are too old."""
        for packet in packets:
            if packet.keyframe:
                self._groups.append([])
            if not self._groups:  # decoding could not begin here
                continue
            self._groups[-1].append(packet)
            self._bytes += len(packet.data)
            self._trim(packet.time_s - self._seconds)

    def _trim(self, before_s: float) -> None:
        while len(self._groups) > 1:
            oldest, following = self._groups[0][-1], self._groups[1][0]
            old = following.time_s <= before_s
            gap = following.time_s - oldest.time_s > self._seconds
            if not (old or gap or self._bytes > self._most):
                return
            self._bytes -= sum(len(packet.data) for packet in self._groups.popleft())
