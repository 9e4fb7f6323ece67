"""Video files and network streams as frames, whatever state they are in."""

import os
import stat
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path

import av
from av.error import FFmpegError

from ...models.errors import SepcamError
from ...models.types import U8
from ..files.addresses import STDIN, is_address, shown
from ..media.containers import (
    clock_start,
    frame_count,
    frame_rate,
    has_timestamps,
    one_line,
    open_video,
    stream_length,
)
from ..media.deinterlace import deinterlaced
from ..media.followed_file import FollowedFile
from ..media.frame_conversion import FrameConverter, fitted, orientation, square_size
from ..media.limits import OpenLimits
from ..media.sound_sources import SoundFeed
from ..media.timestamps import BestEffort, FrameClock
from ..types import Frame, StreamInfo
from .base import SourceKind

_LIVE_PROTOCOLS = ("rtsp", "rtsps", "rtmp", "rtp", "udp", "srt", "tcp")
_WAITING_PROTOCOLS = ("http:", "https:", "tcp:")  # over TCP, without a clock of the sender's
_NETWORK_TIMEOUT_S = (10.0, 10.0)
FOLLOW_S = 5.0
"""Seconds after which a recording that no longer grows is taken as finished."""

_SEEK_EARLIER_S = (0, 1, 4, 16, 64)
_SAME_TIME_S = 1e-6  # times in results are rounded to this
_AHEAD = 8  # frames that show whether a file's timestamps are in order
_UNSHOWN_SHARE = 0.01
"""Containers count fields, and frames that are never shown: up to this share missing is no news."""


class VideoSource:
    """A video file, or a stream from an address; to be read once.

    Times are the file's own (counted from where the file begins), repaired where they go back or are missing.
    Images arrive upright, in BGR, with the colors that players show, in square pixels and deinterlaced. All
    have the size of the first: after a change of resolution they are fitted in, with a line in ``warnings``.
    A damaged file gives what can be decoded. ``close`` may be called from any thread, also during an
    iteration, which then ends.

    Attributes:
        info: what is known of it.
        warnings: one line for each thing that went wrong so far.
        sound_feed: the sound of what can be opened only once (a pipe, a stream), or None.
    """

    info: StreamInfo
    warnings: list[str]
    sound_feed: SoundFeed | None

    def __init__(
        self,
        path: str | Path,
        *,
        start_s: float = 0.0,
        end_s: float | None = None,
        limit: int | None = None,
        stream: int | None = None,
        deinterlace: bool = True,
        limits: OpenLimits | None = None,
        follow_s: float | None = None,
    ) -> None:
        """Open it and decode the first frame.

        Args:
            path: file or URL.
            start_s: begin at the first frame at or after this time, in seconds.
            end_s: end before the first frame at or after this time, in seconds; None is the end of the file.
            limit: end after at most this many frames.
            stream: 0-based index of the video stream in the file; None chooses as FFmpeg does.
            deinterlace: whether interlaced frames become whole images.
            limits: for a file from an untrusted sender.
            follow_s: read on while a recording is being written, until it has not grown for this time in
                seconds; None reads as far as it is written.

        Raises:
            SepcamError: If it is missing, not a video, or has no frame that can be decoded.
        """
        self.warnings = []
        self._name, self._start_s, self._limit = shown(str(path)), start_s, limit
        self._until_s = float("inf") if end_s is None else end_s
        self._lock = threading.Lock()
        self._stopped = False
        self._bad_packets = 0
        self._broken: str | None = None
        self._end_s = 0.0
        self._skipped = 0
        self._path = path
        self._limits, self._index, self._deinterlace = limits, stream, deinterlace
        self._follow_s = follow_s if os.path.isfile(path) else None
        self._followed: FollowedFile | None = None
        self._once = _once(str(path)) or self._follow_s is not None
        self._written = _written(path)
        self._open()
        try:
            self._first = self._first_frame()
            self.info = self._describe()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "VideoSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames in order; the source is closed after the last."""
        first, self._first = self._first, None
        index = 0
        if self.sound_feed is not None:
            self.sound_feed.begin()
        try:
            while first is not None and index != self._limit and first[1] < self._until_s:
                decoded, time_s = first
                yield Frame(self._image(decoded, time_s), index, time_s)
                index += 1
                if index != self._limit:
                    first = self._step()
            if first is None and not self._stopped:
                self._judge(index)
        finally:
            if self.sound_feed is not None:
                self.sound_feed.end()
            self.close()

    @property
    def sound(self) -> bool:
        """Whether everything so far could be decoded and had its time."""
        return not (self._bad_packets or self._clock.repaired or self._broken or self._resized)

    def close(self) -> None:
        """Let go of the file and the decoder; an iteration under way in another thread ends."""
        self._stopped = True
        if self._followed is not None:
            self._followed.stop()
        # A decoder that is at work in another thread must not be freed: that thread does it, see _step.
        if self._lock.acquire(blocking=False):
            try:
                self._decoded.close()
                self._container.close()
                if self._followed is not None:
                    self._followed.close()
            finally:
                self._lock.release()

    def _step(self) -> tuple[av.VideoFrame, float] | None:
        with self._lock:
            following = None if self._stopped else next(self._decoded, None)
        if self._stopped:
            self.close()
            return None
        return following

    def _open(self) -> None:
        protocol, remote = str(self._path).partition("://")[0].lower(), is_address(str(self._path))
        if self._follow_s is not None:
            self._followed = FollowedFile(self._path, self._follow_s)
        try:
            self._container, self._stream = open_video(
                self._path,
                stream=self._index,
                timeout=_NETWORK_TIMEOUT_S if remote else None,
                limits=self._limits,
                file=self._followed,
            )
        except SepcamError:
            if self._followed is not None:
                self._followed.close()
            raise
        self._live = remote and (protocol in _LIVE_PROTOCOLS or self._container.duration is None)
        self._timed = has_timestamps(self._stream)
        fed = (remote or self._once) and bool(self._container.streams.audio)
        self.sound_feed = SoundFeed(self._container, self._stream) if fed else None
        # Decoding frame by frame in threads is fastest and holds some frames back.
        self._stream.thread_type = "SLICE" if self._live else "AUTO"
        codec = self._stream.codec_context
        self._stored_size = codec.width, codec.height
        self._resized: tuple[int, int] | None = None
        self._converter = FrameConverter(Fraction(self._stream.sample_aspect_ratio or 1))
        self._clock = FrameClock(self._time_base, frame_rate(self._stream), self._origin_s())
        self._decoded = self._decode()

    @property
    def _time_base(self) -> Fraction:
        return self._stream.time_base or Fraction(1, 90_000)

    def _origin_s(self) -> Fraction:
        return clock_start(self._container, self._stream)

    def _first_frame(self) -> tuple[av.VideoFrame, float] | None:
        """The first frame at or after the start, found from a key frame before it.

        A seek may end between key frames or at one whose leading frames cannot be decoded, and then the
        first frames are missing: so it is repeated from an earlier place until a frame before the start is
        decoded; in the end, the file is read from its beginning.
        """
        if self._start_s <= 0 or self._once:
            return next(self._decoded, None)
        for earlier_s in _SEEK_EARLIER_S:
            if earlier_s < self._start_s and self._seek(self._start_s - earlier_s):
                self._skipped = 0
                first = next(self._decoded, None)
                if first is not None and (self._skipped or first[1] <= self._start_s + _SAME_TIME_S):
                    return first
                self._container.close()
                self._open()
        return next(self._decoded, None)

    def _seek(self, time_s: float) -> bool:
        # Rounded, since a frame's own time in seconds may lie a little under its tick.
        ticks = round((Fraction(time_s) + self._origin_s()) / self._time_base)
        try:
            self._container.seek(ticks, stream=self._stream)
        except FFmpegError:
            return False
        return True

    def _image(self, decoded: av.VideoFrame, time_s: float) -> U8:
        """The frame as an image of the first one's size."""
        image = self._converter.to_bgr(decoded)
        size = self.info.width, self.info.height
        if (now := (image.shape[1], image.shape[0])) != size and now != self._resized:
            self.warnings.append(
                f"the frame size changes from {size[0]}x{size[1]} to {now[0]}x{now[1]} at {time_s:.2f} s: "
                f"fitted into {size[0]}x{size[1]}, which all coordinates refer to"
            )
            self._resized = now
        return fitted(image, size)

    def _describe(self) -> StreamInfo:
        if self._first is None:
            where = f" after {self._start_s:g} s" if self._start_s > 0 else " that can be decoded"
            raise SepcamError(f"{self._name} has no frames{where}")
        stream, decoded = self._stream, self._first[0]
        turns, _ = orientation(decoded)
        aspect = Fraction(stream.sample_aspect_ratio or 1)
        width, height = square_size(decoded.width, decoded.height, aspect)
        if (decoded.width, decoded.height) != self._stored_size:
            self._resized = width, height
        if turns % 2:
            width, height, aspect = height, width, 1 / aspect
        count = None if self._start_s > 0 or self._followed is not None else frame_count(stream)
        if count and self._limit is not None:
            count = min(count, self._limit)
        return StreamInfo(
            name=stream_name(self._name),
            width=width,
            height=height,
            fps=frame_rate(stream),
            frame_count=count,
            rotation=90 * turns,
            has_audio=bool(self._container.streams.audio),
            live=self._live,
            waits=self._live and str(self._path).startswith(_WAITING_PROTOCOLS),
            time_base=stream.time_base if self._timed or not self._live else None,
            pixel_aspect=aspect,
            stream=stream.index,
            start_s=self._start_s,
            partial=self._start_s > 0 or self._limit is not None or self._until_s < float("inf"),
        )

    def _decode(self) -> Generator[tuple[av.VideoFrame, float]]:
        stamped = self._stamped()
        for decoded, time_s in deinterlaced(stamped) if self._deinterlace else stamped:
            if time_s < self._start_s - _SAME_TIME_S:
                self._skipped += 1
                continue
            self._end_s = time_s + float((decoded.duration or 0) * (decoded.time_base or 0))
            yield decoded, time_s if self._timed or not self._live else time.monotonic()

    def _stamped(self) -> Iterator[tuple[av.VideoFrame, float]]:
        """Decoded frames with their times on the source's clock."""
        frames = self._frames()
        ahead = list(islice(frames, 0 if self._live else _AHEAD))
        stamps = BestEffort([(frame.pts, frame.dts) for frame in ahead])
        for frame in chain(ahead, frames):
            yield frame, self._clock.time_s(stamps.choose(frame.pts, frame.dts))

    def _frames(self) -> Iterator[av.VideoFrame]:
        feed = self.sound_feed
        packets = self._container.demux(self._stream, *(() if feed is None else feed.streams))
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError as error:
                self._broken = one_line(error)
                with suppress(FFmpegError):  # what is left in the decoder may be damaged too
                    yield from self._stream.codec_context.decode(None)
                return
            if packet is None:
                return
            if feed is not None:
                feed.put(packet)
                if packet.stream is not self._stream:
                    continue
            try:
                yield from self._stream.codec_context.decode(packet)
            except FFmpegError:
                self._bad_packets += 1

    def _judge(self, frames: int) -> None:
        """Say, at the end, what was wrong with the file."""
        self.warnings.extend(self._converter.notices)
        if self._live:
            why = self._broken or "its sender stopped"
            self.warnings.append(f"the stream ended after {frames} frames: {why}")
            return
        if self._followed is not None:
            self.warnings.append(f"it did not grow for {self._follow_s:g} s: taken as finished")
        elif _written(self._path) != self._written:
            self.warnings.append(
                f"the file changed while it was read: results end at {self._end_s:.1f} s; process it again "
                "when it is finished, or with --follow"
            )
        elif cut := self._cut(frames):
            self.warnings.append(cut)
            self._bad_packets -= bool(self._bad_packets)  # the one in which the cut is; threads hide it
        if self._bad_packets:
            damaged = f"{self._bad_packets} damaged packet{'s' * (self._bad_packets > 1)}"
            self.warnings.append(f"{damaged} could not be decoded, {frames} frames could")
        if not has_timestamps(self._stream):
            self.warnings.append(f"it has no timestamps: {self.info.fps or 25:g} frames a second are assumed")
        elif self._clock.repaired:
            count = self._clock.repaired
            self.warnings.append(f"timestamps were missing, went back or leapt ahead: {count} repaired")

    def _cut(self, frames: int) -> str | None:
        count = self.info.frame_count
        if count:
            lost = count - frames - self._bad_packets
            if lost > max(2, _UNSHOWN_SHARE * count) or (lost > 0 and self._broken):
                return f"cut after {frames} of {count} frames"
            return None
        length = stream_length(self._stream)
        set_s = min(0.0, float(self._clock.shift_s + self._origin_s()))  # negative if the clock leapt ahead
        if length and length - self._end_s + set_s > max(0.5, 2 * _UNSHOWN_SHARE * length):
            return f"cut after {self._end_s:.1f} of {length:.1f} s ({frames} frames)"
        return f"cut after {frames} frames: {self._broken}" if self._broken else None


def stream_name(shown_name: str) -> str:
    """The name in `StreamInfo` of a file, an address without its secrets, or the standard input."""
    if shown_name == STDIN:
        return "stdin"
    return shown_name if is_address(shown_name) else Path(shown_name).name


def _once(path: str) -> bool:
    """Whether a source can be read only once, from its beginning: a pipe."""
    if is_address(path):
        return False
    try:
        mode = os.stat(0 if path == STDIN else path).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)


def _written(path: str | Path) -> tuple[int, int] | None:
    """Size in bytes and time of the last change of a file, or None for what is not a file."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


KIND = SourceKind(
    "video",
    lambda spec: spec == STDIN or is_address(spec) or Path(spec).exists(),
    lambda spec, options: VideoSource(
        spec,
        start_s=options.start_s,
        limit=options.limit,
        stream=options.stream,
        deinterlace=options.deinterlace,
        follow_s=FOLLOW_S if options.follow else None,
    ),
    last=True,
)
