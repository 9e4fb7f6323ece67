"""A source without a camera or a file: figures that walk about, every frame stamped with its index."""

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from ...models.errors import SepcamError
from ...models.types import U8
from ..types import Frame, StreamInfo
from .base import SourceKind

_SPEC = re.compile(r"synthetic(?::(\d+)x(\d+))?(?:@(\d+(?:\.\d+)?))?(?:x(\d+))?")
_BITS = 24
_FIGURES = ((0.20, 0.31, (64, 120, 230)), (0.50, -0.17, (90, 190, 90)), (0.75, 0.23, (210, 120, 80)))


class SyntheticSource:
    """Three figures walking over a plain ground; ``read_index`` tells which frame an image is.

    Attributes:
        info: as requested in the specification.
        warnings: always empty.
    """

    info: StreamInfo
    warnings: list[str]

    def __init__(self, spec: str = "synthetic", *, limit: int | None = None) -> None:
        """Prepare the source.

        Args:
            spec: ``synthetic[:WIDTHxHEIGHT][@FPS][xFRAMES]``; 640x480, 30 fps and 300 frames where left out.
            limit: end after at most this many frames.

        Raises:
            SepcamError: If the specification does not read like that, or the size is under 64x48.
        """
        match = _SPEC.fullmatch(spec)
        if match is None:
            raise SepcamError(f"{spec!r} is not a synthetic source: write it like synthetic:640x480@30x300")
        width, height = int(match[1] or 640), int(match[2] or 480)
        fps = float(match[3] or 30)
        frames = int(match[4] or 300)
        if width < 64 or height < 48 or fps <= 0 or frames == 0:
            raise SepcamError(f"{spec!r} is too small: at least 64x48 pixels, one frame and a rate above 0")
        self.warnings = []
        self._closed = False
        count = frames if limit is None else min(frames, limit)
        time_base = 1 / Fraction(fps).limit_denominator(1001)
        self.info = StreamInfo("synthetic", width, height, fps, count, time_base=time_base)

    def __enter__(self) -> "SyntheticSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames in order, as fast as they are asked for."""
        info = self.info
        assert info.frame_count is not None and info.fps is not None
        ground = np.full((info.height, info.width, 3), (170, 175, 180), np.uint8)
        ground[: info.height // 2] = (225, 205, 190)
        for index in range(info.frame_count):
            if self._closed:
                return
            image = ground.copy()
            for start, speed, color in _FIGURES:
                _draw_figure(image, (start + speed * index / info.fps) % 1.0, index / info.fps, color)
            stamp_index(image, index)
            yield Frame(image, index, index / info.fps)

    def close(self) -> None:
        """End an iteration under way in any thread."""
        self._closed = True


def stamp_index(image: U8, index: int) -> None:
    """Write a frame's index into the top edge of its image, so that it survives any codec.

    Args:
        image: (H, W, 3) uint8, at least 48 pixels wide; changed in place.
        index: 0-based, below 2**24. Its 24 bits become black and white blocks, the lowest at the left.
    """
    side = _block_side(image)
    bits = (index >> np.arange(_BITS)) & 1
    row = np.repeat(bits.astype(np.uint8) * 255, side)
    image[:side, : len(row)] = row[None, :, None]


def read_index(image: U8) -> int:
    """The index that ``stamp_index`` wrote into an (H, W, 3) uint8 image of the same size."""
    side = _block_side(image)
    blocks = image[:side, : side * _BITS].mean(axis=2).reshape(side, _BITS, side).mean(axis=(0, 2))
    return int(((blocks > 127) << np.arange(_BITS)).sum())


def _block_side(image: U8) -> int:
    return max(2, min(16, image.shape[1] // _BITS))


def _draw_figure(image: U8, across: float, time_s: float, color: tuple[int, int, int]) -> None:
    height, width = image.shape[:2]
    tall = height * 0.5
    x, top = across * width, height * 0.3
    swing = np.sin(2 * np.pi * time_s) * tall * 0.12
    thick = max(1, round(tall * 0.07))

    def point(dx: float, dy: float) -> tuple[int, int]:
        return round(x + dx), round(top + dy * tall)

    for side in (-1.0, 1.0):
        cv2.line(image, point(0, 0.5), point(side * swing, 1.0), (70, 60, 60), thick, cv2.LINE_AA)
        cv2.line(image, point(0, 0.2), point(-side * swing, 0.5), color, thick, cv2.LINE_AA)
    cv2.line(image, point(0, 0.2), point(0, 0.5), color, 2 * thick, cv2.LINE_AA)
    cv2.circle(image, point(0, 0.08), max(1, round(tall * 0.075)), (140, 170, 220), -1, cv2.LINE_AA)


def _claims(spec: str) -> bool:
    return bool(re.match(r"synthetic($|[:@x])", spec)) and not Path(spec).exists()


KIND = SourceKind("synthetic", _claims, lambda spec, options: SyntheticSource(spec, limit=options.limit))
