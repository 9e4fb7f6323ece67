"""Clips of every kind that users have, each made by a real encoder; and files that are no clips."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import cycle
from pathlib import Path

import numpy as np
from sepcam.pipelines.sources.synthetic import SyntheticSource

from tests.clips import cut, turn, write_clip


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: in the file's name.
        suffix: of the file's name.
        make: writes one with so many frames.
        good: whether it can be processed.
    """

    name: str
    suffix: str
    make: Callable[[Path, int, int], object]
    good: bool = True


def pictures(count: int, size: tuple[int, int], begin: int) -> list[np.ndarray]:
    """(H, W, 3) uint8 BGR pictures of figures that walk; ``begin`` makes clips differ."""
    width, height = size
    source = SyntheticSource(f"synthetic:{max(64, width)}x{max(48, height)}x{begin + count}")
    return [np.ascontiguousarray(frame.image[:height, :width]) for frame in source if frame.index >= begin]


def clip(size: tuple[int, int] = (192, 128), most: int = 10_000, **settings):
    """What writes a clip of this size, with ``write_clip``'s settings."""

    def make(path: Path, frames: int, begin: int) -> Path:
        images = pictures(min(frames, most), size, begin)
        return write_clip(path, images=images, size=size, **settings)

    return make


def _uneven(path: Path, frames: int, begin: int) -> Path:
    ticks = np.cumsum([1 + i % 3 for i in range(frames)]).tolist()
    return write_clip(
        path,
        images=pictures(frames, (192, 128), begin),
        size=(192, 128),
        ticks=ticks,
        time_base=Fraction(1, 30),
    )


def _rotated(path: Path, frames: int, begin: int) -> Path:
    return turn(clip()(path, frames, begin), (0, 1, -1, 0))


def _truncated(path: Path, frames: int, begin: int) -> Path:
    return cut(clip(codec="mjpeg", pix_fmt="yuvj420p")(path, frames, begin), 0.6)


def _headless(path: Path, frames: int, begin: int) -> Path:
    return cut(clip()(path, frames, begin), 0.5)


KINDS = (
    Kind("plain", ".mp4", clip()),
    Kind("sound", ".mp4", clip(audio="aac")),
    Kind("tiny", ".mp4", clip((64, 48))),
    Kind("portrait4k", ".mp4", clip((2160, 3840), 2, options={"preset": "ultrafast"})),
    Kind("odd", ".avi", clip((131, 97), codec="mjpeg", pix_fmt="yuvj444p")),
    Kind("vfr", ".mp4", _uneven),
    Kind("rotated", ".mp4", _rotated),
    Kind("oneframe", ".mp4", clip(most=1)),
    Kind("tenbit", ".mp4", clip(pix_fmt="yuv420p10le")),
    Kind("interlaced", ".mpg", clip(codec="mpeg2video", fps=Fraction(25), options={"flags": "+ildct+ilme"})),
    Kind("mjpeg", ".avi", clip(codec="mjpeg", pix_fmt="yuvj420p")),
    Kind("vp9", ".webm", clip(codec="libvpx-vp9", options={"deadline": "realtime", "cpu-used": "8"})),
    Kind("av1", ".mp4", clip(codec="libsvtav1", options={"preset": "12"})),
    Kind(
        "hevc", ".mp4", clip(codec="libx265", options={"preset": "ultrafast", "x265-params": "log-level=0"})
    ),
    Kind("gif", ".gif", clip((96, 64), codec="gif", pix_fmt="rgb8")),
    Kind("truncated", ".avi", _truncated),
    Kind("headless", ".mp4", _headless, good=False),
    Kind("empty", ".mp4", lambda path, frames, begin: path.write_bytes(b""), good=False),
    Kind("text", ".mp4", lambda path, frames, begin: path.write_text("some words\n" * 40), good=False),
)


def make_clips(folder: Path, count: int, frames: int, kinds: tuple[Kind, ...] = KINDS) -> dict[Path, Kind]:
    """Writes clips of all kinds in turn, no two alike, into folders of ten."""
    made: dict[Path, Kind] = {}
    for number, kind in zip(range(count), cycle(kinds), strict=False):
        path = folder / f"day{number // 10:02}" / f"{number:03}-{kind.name}{kind.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        kind.make(path, frames + number % 5, number)
        if kind.name == "text":
            path.write_text(path.read_text() + str(number))
        made[path] = kind
    return made
