"""Opening whatever the user named: a file, a folder, a camera, a stream.

Every module of this package that has a constant ``KIND`` is asked whether the name is its own; so a new kind
of sources is one new module here.
"""

import importlib
import pkgutil
from functools import cache
from pathlib import Path

from ...models.errors import SepcamError
from ..files.addresses import local_path, shown
from .base import OpenOptions, Source, SourceKind
from .images import as_glob
from .v4l2 import Exposure


@cache
def source_kinds() -> tuple[SourceKind, ...]:
    """All kinds in the order in which they are asked: by name, and video last."""
    package = importlib.import_module(__name__.rpartition(".")[0])
    modules = [
        importlib.import_module(f"{package.__name__}.{module.name}")
        for module in pkgutil.iter_modules(package.__path__)
    ]
    kinds = [module.KIND for module in modules if isinstance(getattr(module, "KIND", None), SourceKind)]
    return tuple(sorted(kinds, key=lambda kind: (kind.last, kind.name)))


def source_kind(spec: str) -> SourceKind | None:
    """The kind that opens what the user named, or None where there is nothing of that name."""
    return next((kind for kind in source_kinds() if kind.claims(spec)), None)


def open_source(
    spec: str | int | Path,
    *,
    size: tuple[int, int] | None = None,
    rate: float | None = None,
    start_s: float = 0.0,
    limit: int | None = None,
    stream: int | None = None,
    deinterlace: bool = True,
    follow: bool = False,
    exposure: Exposure | None = None,
) -> Source:
    """Open a video file, a folder or glob of images, an image, a camera, a stream, or the bundled clip.

    Args:
        spec: a path, a glob such as ``frames/*.png`` or ``frames/%04d.png``, a camera's number or
            ``/dev/videoN``, an address (``rtsp://``, ``http://``, ``file://`` ...), ``-`` for the standard
            input, or ``demo``, or ``synthetic[:WIDTHxHEIGHT][@FPS][xFRAMES]`` (moving shapes, for tests).
        size: width and height to ask a camera for, in pixels.
        rate: frames per second to ask a camera for.
        start_s: where to start in a video file, in seconds.
        limit: end after this many frames.
        stream: 0-based index of the video stream in a file, as ffprobe counts; None chooses as FFmpeg does.
        deinterlace: whether interlaced frames of a file become whole images.
        follow: whether a file is a recording that is still being written: it ends when it no longer grows.
        exposure: to ask a camera for, in milliseconds, or "auto".

    Raises:
        SepcamError: If it cannot be opened or has no frames; the text says why.
    """
    if limit is not None and limit < 1:
        raise SepcamError(f"the number of frames must be at least 1; got {limit}")
    if not 0 <= start_s < float("inf"):
        raise SepcamError(f"the start must be 0 seconds or later; got {start_s}")
    name = as_glob(local_path(str(spec)))
    kind = source_kind(name)
    if kind is None:
        raise SepcamError(f"{shown(name)} does not exist")
    return kind.open(name, OpenOptions(size, rate, start_s, limit, stream, deinterlace, follow, exposure))
