"""Images as an H.264 MP4 that plays everywhere."""

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path

import av
from av.error import FFmpegError

from ...models.files import PartialFile
from ...models.types import U8
from ..types import StreamInfo
from .audio import AudioTracks
from .containers import url_of
from .encoding import ENCODERS, HARDWARE, add_video, even_size, working_encoder, yuv_frame
from .sound_sources import SoundSource

MADE_BY = "Sepcam"
"""The comment in every video that Sepcam writes."""

_FALLBACK_TIME_BASE = Fraction(1, 90_000)
_FINEST_TICKS = 240_000
_LEAST_MOVIE_TICKS = 10_000
_MOST_TICKS = 2**31 - 2**16
_FALLBACK_FPS = 25.0
_MPEG4_TICKS = 60_000


def ticks_of(info: StreamInfo) -> Fraction:
    """Seconds per tick of the MP4 of a source: its own, unless finer than a long gap between frames allows.

    A frame lasts at most 2^31 ticks in MP4.
    """
    time_base = info.time_base or _FALLBACK_TIME_BASE
    return time_base if time_base.denominator <= _FINEST_TICKS else _FALLBACK_TIME_BASE


def muxer_options(time_base: Fraction) -> dict[str, str]:
    """Options for FFmpeg's MP4 muxer.

    A track's start is written in the movie's ticks: if coarser than those of video and sound, it moves.
    """
    ticks = time_base.denominator
    movie = ticks * -(-_LEAST_MOVIE_TICKS // ticks)
    return {
        "movflags": "+faststart",
        "movie_timescale": str(movie),
        "video_track_timescale": str(ticks),
    }


class VideoWriter:
    """An H.264 MP4 (yuv420p, index in front) with the timestamps and the sound of its source.

    Timestamps are those of the frames, in the source's own time base, so a variable rate stays variable. A
    live source, or one read from a later start, begins at 0. Images are encoded with the BT.601 matrix and
    tagged so. H.264 in yuv420p has no odd sizes: the last column or row is doubled. An image of another size
    than the source's is fitted in, with black around it.

    Attributes:
        notices: one line for each thing a user should know, such as an encoder that is second best.
    """

    notices: list[str]

    def __init__(
        self,
        path: Path,
        info: StreamInfo,
        sound: SoundSource | None = None,
        *,
        overwrite: bool = False,
        encoders: Sequence[str] = ENCODERS,
    ) -> None:
        """Open the file.

        Args:
            path: of the finished file; it appears on ``close``.
            info: of the source.
            sound: sound of the source, or None; is closed with the file.
            overwrite: whether a file of that name may be replaced.
            encoders: names of FFmpeg's encoders, the best first.

        Raises:
            SepcamError: If the target exists, its folder cannot be written to, or no encoder works.
        """
        self.notices = []
        self._info = info
        self._size = even_size(info.width, info.height)
        # Times of what is watched are those of its arrival: the first one is called 0.
        self._origin_s: float | None = None if info.live and info.time_base is None else info.start_s
        self._fps = info.fps or _FALLBACK_FPS
        self._last = -1
        self._finished = False
        self._audio: AudioTracks | None = None
        encoder = working_encoder(self._size, encoders)
        hardware = encoders[0] in HARDWARE
        if encoder != encoders[0] and not (hardware and encoder in HARDWARE):
            missing = "no hardware encoder works here" if hardware else f"{encoders[0]} does not work here"
            plays = ", which browsers do not play" if encoder == "mpeg4" else ""
            self.notices.append(f"{missing}: encoded with {encoder}{plays}")
        time_base = ticks_of(info)
        too_fine = encoder == "mpeg4" and time_base.denominator > _MPEG4_TICKS
        self._time_base = Fraction(1, _MPEG4_TICKS) if too_fine else time_base
        self._step = max(1, round(1 / (Fraction(self._fps) * self._time_base)))
        self._file = PartialFile(path, overwrite=overwrite)
        with ExitStack() as undo:
            undo.callback(self._file.discard)
            if sound is not None:
                undo.callback(sound.close)
            try:
                options = muxer_options(self._time_base)
                self._container = av.open(url_of(self._file.path), "w", options=options)
                undo.callback(self._close_container)
                self._container.metadata["comment"] = MADE_BY
                self._stream = add_video(
                    self._container, encoder, self._size, fps=self._fps, time_base=self._time_base
                )
                if sound is not None:
                    self._audio = AudioTracks(sound, self._container, start_s=info.start_s)
            except FFmpegError as error:
                raise self._file.failure(error) from error
            undo.pop_all()

    def write(self, image: U8, time_s: float) -> None:
        """Add an image.

        Args:
            image: (H, W, 3) uint8 BGR; only read.
            time_s: its time in seconds, on the source's clock.

        Raises:
            SepcamError: If it cannot be written (a full disk).
        """
        frame = yuv_frame(image, self._size, (self._info.width, self._info.height))
        if self._origin_s is None:
            self._origin_s = time_s
        frame.pts = max(round((time_s - self._origin_s) / self._time_base), self._last + 1)
        if self._last >= 0 and frame.pts - self._last > _MOST_TICKS:
            self.notices.append(
                f"a gap before {time_s:.0f} s is shortened, since MP4 holds none that is longer"
            )
            self._origin_s += float((frame.pts - self._last - _MOST_TICKS) * self._time_base)
            frame.pts = self._last + _MOST_TICKS
        frame.time_base = self._time_base
        frame.duration = self._step
        self._last = frame.pts
        try:
            if self._audio is not None:
                self._audio.write_until(float(frame.pts * self._time_base))
            self._container.mux(self._stream.encode(frame))
        except FFmpegError as error:
            raise self._file.failure(error) from error

    def close(self, *, complete: bool = True) -> None:
        """Finish the file and give it its name; without a single image there is none.

        Args:
            complete: whether the source came to its end; else the sound is cut with the images.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        self.finish(complete=complete)
        if self._last >= 0:
            self._file.publish()

    def finish(self, *, complete: bool = True) -> None:
        """Write everything and flush it to the disk; the file is still hidden. Only the first call counts.

        Args:
            complete: see `close`.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        if self._finished:
            return
        self._finished = True
        if self._last < 0:
            self.abort()
            return
        try:
            self._container.mux(self._stream.encode(None))
            if self._audio is not None:
                whole = complete and not self._info.partial
                self._audio.write_until(None if whole else float((self._last + self._step) * self._time_base))
                self.notices.extend(self._audio.notices)
                self._audio.close()
            self._container.close()
        except FFmpegError as error:
            self.abort()
            raise self._file.failure(error) from error
        self._file.flush()

    def abort(self) -> None:
        """Delete the unfinished file."""
        if self._audio is not None:
            self._audio.close()
        self._close_container()
        self._file.discard()

    def _close_container(self) -> None:
        with suppress(FFmpegError):
            self._container.close()
