"""Animated images (WebP, AVIF, APNG) as videos."""

import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from ...models.errors import SepcamError
from ..files.file_types import IMAGE_SUFFIXES
from ..media.frame_conversion import fitted
from ..types import Frame, StreamInfo
from .base import OpenOptions, Source, SourceKind
from .read_image import is_animation, pixels_of

_TIME_BASE = Fraction(1, 90_000)
_LEAST_MS = 10
_USUAL_MS = 100
"""Browsers show a frame for so long whose duration is at most `_LEAST_MS`."""


class AnimationSource:
    """The frames of an animated image at their own times, once; transparency is dropped.

    Attributes:
        info: of the animation.
        warnings: one line for each thing that went wrong so far.
    """

    info: StreamInfo
    warnings: list[str]

    def __init__(self, path: Path, *, start_s: float = 0.0, limit: int | None = None) -> None:
        """Decode the first frame.

        Args:
            path: the file.
            start_s: begin at the first frame at or after this time, in seconds.
            limit: end after at most this many frames.

        Raises:
            SepcamError: If it cannot be read, or is over before ``start_s``.
        """
        from PIL import Image

        self.warnings = []
        self._start_s, self._limit = start_s, limit
        self._closed = False
        try:
            self._opened = Image.open(path)
            # An APNG may have a still for programs that show no animations in front.
            self._begin = int(getattr(self._opened, "default_image", False))
            self._count = getattr(self._opened, "n_frames", 1)
        except Exception as error:  # damaged files raise almost anything
            raise SepcamError(f"{path} cannot be read as an image") from error
        self._frames = self._decode()
        self._first = next(self._frames, None)
        if self._first is None:
            self.close()
            after = f" after {start_s:g} s" if start_s else " that can be decoded"
            raise SepcamError(f"{path.name} has no frames{after}")
        height, width = self._first.image.shape[:2]
        count = None if start_s else min(self._count - self._begin, limit or self._count)
        self.info = StreamInfo(
            path.name,
            width,
            height,
            1 / self._length_s(),
            count,
            time_base=_TIME_BASE,
            start_s=start_s,
            partial=start_s > 0 or limit is not None,
        )

    def __enter__(self) -> "AnimationSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames in order."""
        frame, self._first = self._first, None
        try:
            while frame is not None and not self._closed:
                yield frame
                done = self._limit is not None and frame.index + 1 >= self._limit
                frame = None if done else next(self._frames, None)
        finally:
            self._opened.close()

    def close(self) -> None:
        """End an iteration under way in any thread, which then closes the file."""
        self._closed = True

    def _decode(self) -> Iterator[Frame]:
        time_s, index = 0.0, 0
        size: tuple[int, int] | None = None
        total = self._count - self._begin
        for number in range(self._begin, self._count):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    self._opened.seek(number)
                    image = pixels_of(self._opened)
            except Exception:  # damaged files raise almost anything
                self.warnings.append(f"cut after {number - self._begin} of {total} frames")
                return
            size = size or (image.shape[1], image.shape[0])
            if time_s >= self._start_s:
                yield Frame(fitted(image, size), index, time_s)
                index += 1
            time_s += self._length_s()

    def _length_s(self) -> float:
        """For how long the frame is shown that was decoded last."""
        length_ms = float(self._opened.info.get("duration") or 0)
        return (length_ms if length_ms > _LEAST_MS else _USUAL_MS) / 1000


def _claims(spec: str) -> bool:
    path = Path(spec)
    if path.suffix.lower() not in IMAGE_SUFFIXES | {".apng"}:
        return False
    try:
        return path.is_file() and is_animation(path)
    except OSError:
        return False


def _open(spec: str, options: OpenOptions) -> Source:
    return AnimationSource(Path(spec), start_s=options.start_s, limit=options.limit)


KIND = SourceKind("animation", _claims, _open)
