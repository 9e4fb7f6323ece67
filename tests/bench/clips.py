"""The clips that everything runs on: 1280x720, H.264, 30 fps, made once and kept in the cache."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

WIDTH, HEIGHT, RATE = 1280, 720, 30

CROWD = "crowd"
"""The cut for latency alone: peers are not measured on it."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A stretch of a video and the 16:9 window of it that is scaled to 720p.

    Attributes:
        name: what the tables call it.
        source: the video.
        first: its first frame, 0-based.
        last: its last frame; the clip plays to it, back, and again, so that nothing jumps.
        window: x, y, width, height in the video's pixels.
        what: for the reader.
        sharp: first and last column of the 720p picture that stay sharp; all else is blurred, so that nobody
            else is found. None for all of it.
        tiles: images side by side and one above the other, each at another place of the stretch and every
            second one mirrored: more people, and smaller ones.
    """

    name: str
    source: Path
    first: int
    last: int
    window: tuple[int, int, int, int]
    what: str
    sharp: tuple[int, int] | None = None
    tiles: int = 1


def cuts(bundled: Path, pets: Path | None) -> list[Cut]:
    """The bundled clip's two cuts, and one of PETS09-S2L1 where it is at hand."""
    found = [
        Cut("street", bundled, 255, 314, (0, 52, 540, 304), "the bundled clip, a few people near the camera"),
        Cut(
            "one-person",
            bundled,
            314,
            329,
            (124, 126, 416, 234),
            "the bundled clip, one policeman near the camera, the rest blurred",
            sharp=(606, 1068),
        ),
        Cut(
            CROWD,
            bundled,
            255,
            314,
            (0, 52, 540, 304),
            "four of the street in one image: about eight people",
            tiles=2,
        ),
    ]
    if pets is not None and pets.exists():
        found.append(Cut("pets", pets, 150, 299, (0, 100, 768, 432), "PETS09-S2L1, a square from above"))
    return found


def make(cut: Cut, frames: int, folder: Path) -> Path:
    """The cut as a file of this many frames."""
    first, last = cut.first, cut.last
    target = folder / f"{cut.name}-{first}-{last}-{'-'.join(map(str, cut.window))}-{frames}.mp4"
    if not target.exists():
        partial = target.with_suffix(".partial.mp4")
        path = _there_and_back(_pictures(cut))
        _encode(itertools.islice(itertools.cycle(_tiled(path, cut.tiles)), frames), partial)
        partial.replace(target)
    return target


def _pictures(cut: Cut) -> list[np.ndarray]:
    x, y, width, height = cut.window
    pictures = []
    with av.open(str(cut.source)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index > cut.last:
                break
            if index >= cut.first:
                crop = frame.to_ndarray(format="bgr24")[y : y + height, x : x + width]
                picture = np.asarray(cv2.resize(crop, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC))
                pictures.append(picture if cut.sharp is None else _blurred(picture, *cut.sharp))
    if not pictures:
        raise ValueError(f"{cut.source} has no frame {cut.first}")
    return pictures


def _blurred(picture: np.ndarray, first: int, last: int) -> np.ndarray:
    small = cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    blurred = np.asarray(cv2.resize(cv2.GaussianBlur(small, (0, 0), 8), (WIDTH, HEIGHT)))
    blurred[:, first : last + 1] = picture[:, first : last + 1]
    return blurred


def _there_and_back(pictures: list[np.ndarray]) -> list[np.ndarray]:
    return pictures + pictures[-2:0:-1]


def _tiled(pictures: list[np.ndarray], side: int) -> Iterator[np.ndarray]:
    """A closed round of pictures with side x side of them in each, all at different places of the round."""
    if side == 1:
        yield from pictures
        return
    size = WIDTH // side, HEIGHT // side
    small = [np.asarray(cv2.resize(one, size, interpolation=cv2.INTER_AREA)) for one in pictures]
    starts = [len(small) * number // side**2 for number in range(side**2)]
    for index in range(len(small)):
        tiles = [small[(index + start) % len(small)] for start in starts]
        tiles = [tile[:, ::-1] if number % 2 else tile for number, tile in enumerate(tiles)]
        yield np.vstack([np.hstack(tiles[row : row + side]) for row in range(0, side**2, side)])


def _encode(pictures: Iterator[np.ndarray], target: Path) -> None:
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "20", "preset": "fast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, RATE)
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
