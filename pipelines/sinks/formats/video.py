"""Annotated images as an MP4, or, of a set of images, as a folder of images."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ....models.types import U8
from ...types import FrameResult, RunSummary, StreamInfo
from ..base import ResultName, Sink, SinkContext, SinkKind

if TYPE_CHECKING:
    from ...media.limits import OpenLimits
    from ...media.sound_sources import SoundSource


class VideoSink(Sink):
    """The annotated images as an MP4 with the timestamps and the sound of the source; see `VideoWriter`."""

    def __init__(
        self,
        path: Path,
        info: StreamInfo,
        audio_from: "str | Path | SoundSource | None" = None,
        *,
        audio_limits: "OpenLimits | None" = None,
        overwrite: bool = False,
        encoders: Sequence[str] | None = None,
    ) -> None:
        """Open the file.

        Args:
            path: of the finished file; it appears on ``close``.
            info: of the source.
            audio_from: video file whose sound is copied, or the sound itself, or None.
            audio_limits: for an ``audio_from`` from an untrusted sender.
            overwrite: whether a file of that name may be replaced.
            encoders: names of FFmpeg's encoders, the best first; None for those of `encoding`.

        Raises:
            SepcamError: If the target exists, its folder cannot be written to, or no encoder works.
        """
        from ...media.encoding import ENCODERS
        from ...media.sound_sources import SoundFile
        from ...media.video_writer import VideoWriter

        sound = audio_from
        if isinstance(sound, str | Path):
            sound = SoundFile(sound, start_s=info.start_s, stream=info.stream, limits=audio_limits)
        self._writer = VideoWriter(
            path,
            info,
            sound,
            overwrite=overwrite,
            encoders=encoders or ENCODERS,
        )
        self.notices = self._writer.notices

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Add the annotated image, or the frame's own where there is none.

        Raises:
            SepcamError: If it cannot be written (a full disk).
        """
        self._writer.write(result.frame.image if image is None else image, result.frame.time_s)

    def prepare(self, summary: RunSummary) -> None:
        """Write what is left of the images and the sound.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        self._writer.finish(complete=summary.complete)

    def close(self, summary: RunSummary) -> None:
        """Finish the file and give it its name; without a single frame there is none.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        self._writer.close(complete=summary.complete)

    def abort(self) -> None:
        """Delete the unfinished file."""
        self._writer.abort()


def _path(name: ResultName) -> Path:
    return name.path("-annotated" if name.source_type == "images" else ".mp4")


def _open(path: Path, context: SinkContext) -> Sink:
    if context.info.independent:
        from ..image_folder import ImageFolderSink

        return ImageFolderSink(path, overwrite=context.overwrite)
    audio = context.source if context.info.has_audio else None
    if context.sound is not None:
        context.sound.keep()
        audio = context.sound
    from ...media.encoding import encoders_of

    return VideoSink(
        path,
        context.info,
        audio,
        audio_limits=context.limits,
        overwrite=context.overwrite,
        encoders=encoders_of(context.encoder),
    )


KIND = SinkKind(
    "video",
    frozenset(("video", "images")),
    _path,
    _open,
    image="annotated",
)
