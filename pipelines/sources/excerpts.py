"""A few short clips of a source that can be read again and again, each time the same frames."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...models.errors import SepcamError
from ..files.file_types import IMAGE_SUFFIXES
from ..types import Frame, StreamInfo
from .base import Source
from .open import open_source


@dataclass(frozen=True, slots=True)
class Clips:
    """Stretches of consecutive frames.

    Attributes:
        info: of the source.
        clips: each opens one clip from its beginning.
        length: frames in each.
    """

    info: StreamInfo
    clips: Sequence[Callable[[], Source]]
    length: int


def open_clips(spec: str, *, clips: int, length: int) -> Clips:
    """Chooses clips of a source, evenly spread over a video file.

    A video file is read and decoded again each time. What cannot be read twice (a camera, a stream), and
    images, are kept in memory: the first ``clips`` x ``length`` frames.

    Args:
        spec: what ``open_source`` takes.
        clips: how many; fewer where the source is short.
        length: frames in each.

    Raises:
        SepcamError: If it cannot be read or has fewer than two frames.
    """
    path = Path(spec)
    if path.is_file() and path.suffix.lower() not in IMAGE_SUFFIXES:
        with open_source(path) as source:
            info = source.info
        if info.fps and info.frame_count and info.frame_count >= 2 * length:
            return _from_file(path, info, min(clips, info.frame_count // length), length)
    return _from_memory(spec, clips, length)


def _from_file(path: Path, info: StreamInfo, clips: int, length: int) -> Clips:
    assert info.fps and info.frame_count
    # In the middle of equal parts, so that neither a title nor the end is overrepresented.
    firsts = [round((n + 0.5) * info.frame_count / clips - length / 2) for n in range(clips)]
    starts = [max(0, first) / info.fps for first in firsts]
    openers = [lambda start=start: open_source(path, start_s=start, limit=length) for start in starts]
    return Clips(info, openers, length)


def _from_memory(spec: str, clips: int, length: int) -> Clips:
    with open_source(spec, limit=clips * length) as source:
        info = source.info
        frames = list(source)
    if len(frames) < 2:
        raise SepcamError(f"{info.name} has {len(frames)} frame: a comparison needs two or more")
    length = min(length, len(frames))
    parts = [frames[start : start + length] for start in range(0, len(frames) - length + 1, length)]
    # Frames of a camera that are played back come from no clock any more: none of them may be dropped.
    info = replace(info, live=False)
    openers = [lambda part=part: _Replay(info, part) for part in parts]
    return Clips(info, openers, length)


class _Replay:
    """Frames from memory; each is a copy, since drawing changes it."""

    info: StreamInfo
    warnings: list[str]

    def __init__(self, info: StreamInfo, frames: Sequence[Frame]) -> None:
        self.info, self.warnings = info, []
        self._frames = frames

    def __iter__(self) -> Iterator[Frame]:
        for index, frame in enumerate(self._frames):
            yield Frame(frame.image.copy(), index, frame.time_s)

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> "_Replay":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
