"""For people without a camera: the clip that ships with Sepcam. Watched live, it plays in a loop."""

from pathlib import Path
from typing import Final

from ...assets import demo_clip
from .base import OpenOptions, Source, SourceKind

NAME: Final = "demo"
"""What the user calls it."""


def _claims(spec: str) -> bool:
    return spec == NAME and not Path(spec).exists()


def _open(spec: str, options: OpenOptions) -> Source:
    from .video import VideoSource

    return VideoSource(str(demo_clip()), start_s=options.start_s, limit=options.limit)


KIND = SourceKind(NAME, _claims, _open)
