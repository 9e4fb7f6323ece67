"""Annotated parts of a file as one video, without encoding anything again."""

from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
from av.error import FFmpegError

from ...models.files import PartialFile
from ...models.types import U8
from ..media.audio import AudioTrack
from ..types import FrameResult, RunSummary, StreamInfo
from .video import MADE_BY


class JoinedVideo:
    """A sink that takes no pictures: it joins parts that were encoded before, with the sound of the source.

    The parts come from one encoder with the same settings, and each begins with a key frame, so their packets
    follow each other as they are.

    Attributes:
        notices: what a user should know of the sound, a line each.
    """

    notices: list[str]

    def __init__(
        self,
        path: Path,
        info: StreamInfo,
        parts: Sequence[tuple[Path, float]],
        audio_from: str | None = None,
        *,
        overwrite: bool = False,
    ) -> None:
        """Prepare the file.

        Args:
            path: where it goes; has its name only after ``close``.
            info: of the source.
            parts: the files of the parts, and the times of their first frames in seconds of the source.
            audio_from: video file whose sound goes in, or None.
            overwrite: whether a file of that name may be replaced.

        Raises:
            SepcamError: If the target exists, or its folder cannot be written to.
        """
        self.notices = []
        self._info, self._parts, self._audio_from = info, parts, audio_from
        self._file = PartialFile(path, overwrite=overwrite)

    def write(self, result: FrameResult, picture: U8 | None = None) -> None:
        """Nothing: the pictures are in the parts."""

    def close(self, summary: RunSummary) -> None:
        """Join the parts, and give the file its name.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        try:
            self._join()
        except (FFmpegError, OSError) as error:
            self.abort()
            raise self._file.failure(error) from error
        self._file.commit()

    def abort(self) -> None:
        """Throw the unfinished file away."""
        self._file.discard()

    def _join(self) -> None:
        tick = self._info.time_base or Fraction(1, 90_000)
        options = {"movflags": "+faststart", "movie_timescale": str(tick.denominator)}
        with (
            av.open(str(self._file.path), "w", options=options) as output,
            av.open(str(self._parts[0][0])) as like,
        ):
            output.metadata["comment"] = MADE_BY
            stream = output.add_stream_from_template(like.streams.video[0])
            stream.time_base = like.streams.video[0].time_base
            audio = None
            if self._audio_from is not None:
                audio = AudioTrack(self._audio_from, output)
            try:
                for path, start_s in self._parts:
                    start = round(Fraction(start_s) / tick) * tick
                    with av.open(str(path)) as part:
                        for packet in part.demux(part.streams.video[0]):
                            if packet.pts is None or packet.dts is None or packet.time_base is None:
                                continue
                            ticks = round(start / packet.time_base)
                            packet.pts += ticks
                            packet.dts += ticks
                            packet.stream = stream
                            if audio is not None:
                                audio.write_until(float(packet.dts * packet.time_base))
                            output.mux_one(packet)
                if audio is not None:
                    audio.write_until(None)
                    self.notices.extend(audio.notices)
            finally:
                if audio is not None:
                    with suppress(FFmpegError):
                        audio.close()
