"""Opening whatever the user named: a file, a folder, a camera, a stream."""

import re
from pathlib import Path

from ...models.errors import SepcamError
from ..files.file_types import IMAGE_SUFFIXES
from .base import Source
from .camera import CameraSource
from .images import ImageSource, images_in, images_like
from .synthetic import SyntheticSource
from .video import VideoSource


def open_source(
    spec: str | int | Path,
    *,
    size: tuple[int, int] | None = None,
    rate: float | None = None,
    start_s: float = 0.0,
    limit: int | None = None,
) -> Source:
    """Open a video file, a folder or glob of images, an image, a camera, a stream, or the synthetic source.

    Args:
        spec: a path, a glob such as ``frames/*.png``, a camera's number or ``/dev/videoN``, an address
            (``rtsp://``, ``http://`` ...), or ``synthetic[:WIDTHxHEIGHT][@FPS][xFRAMES]``.
        size: width and height to ask a camera for, in pixels.
        rate: frames per second to ask a camera for.
        start_s: where to begin in a video file, in seconds.
        limit: end after so many frames.

    Raises:
        SepcamError: If it cannot be opened or has no frames; the text says why.
    """
    if limit is not None and limit < 1:
        raise SepcamError(f"the number of frames must be at least 1, is {limit}")
    if not 0 <= start_s < float("inf"):
        raise SepcamError(f"the start must be 0 seconds or later, is {start_s}")
    text = str(spec)
    path = Path(text)
    camera = re.fullmatch(r"(?:/dev/video)?(\d+)", text)
    if camera and not path.is_file():
        return CameraSource(int(camera[1]), size=size, rate=rate, limit=limit)
    if "://" in text:
        return VideoSource(text, start_s=start_s, limit=limit)
    if re.match(r"synthetic($|[:@x])", text) and not path.exists():
        return SyntheticSource(text, limit=limit)
    return _open_path(path, start_s, limit)


def _open_path(path: Path, start_s: float, limit: int | None) -> Source:
    if path.is_dir():
        return ImageSource(path.resolve().name, images_in(path), limit=limit)
    if not path.exists():
        if re.search(r"[*?\[]", str(path)):
            return ImageSource(str(path), images_like(str(path)), limit=limit)
        raise SepcamError(f"{path} does not exist")
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return ImageSource(path.name, [path], limit=limit)
    return VideoSource(path, start_s=start_s, limit=limit)
