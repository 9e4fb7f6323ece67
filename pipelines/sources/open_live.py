"""Sources as something to be watched."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from ...models.errors import SepcamError
from ..types import Frame, StreamInfo
from . import demo
from .base import Source
from .open import open_source
from .realtime import PacedSource
from .reconnecting import ReconnectingSource
from .v4l2 import Exposure


class MirroredSource:
    """Another source with left and right exchanged, as people see themselves.

    Attributes:
        info: of that source.
        warnings: of that source.
    """

    info: StreamInfo
    warnings: list[str]

    def __init__(self, source: Source) -> None:
        self._source = source
        self.info, self.warnings = source.info, source.warnings

    def __enter__(self) -> "MirroredSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames of the other source, mirrored."""
        for frame in self._source:
            yield replace(frame, image=np.asarray(cv2.flip(frame.image, 1), np.uint8))

    def close(self) -> None:
        """Close the other source."""
        self._source.close()


def open_live(
    spec: str | int | Path,
    *,
    size: tuple[int, int] | None = None,
    rate: float | None = None,
    exposure: Exposure | None = None,
    mirror: bool = False,
    loop: bool = False,
    reconnect_timeout_s: float | None = None,
) -> PacedSource | ReconnectingSource:
    """Opens a source to be watched: cameras and streams come back when they stop, files keep their pace.

    Args:
        spec: see ``open_source``; images are refused.
        size: width and height to ask a camera for.
        rate: frames per second to ask a camera for.
        exposure: to ask a camera for, in milliseconds, or "auto".
        mirror: exchange left and right.
        loop: start a file again at its end; ``demo`` always does.
        reconnect_timeout_s: give a lost camera or stream up after this time; None never does.

    Raises:
        SepcamError: If it cannot be opened.
    """

    def connect() -> Source:
        if opened:
            return opened.pop()
        source = open_source(spec, size=size, rate=rate, exposure=exposure)
        return MirroredSource(source) if mirror else source

    opened: list[Source] = []
    opened.append(connect())

    source = opened[0]
    if source.info.independent:
        source.close()
        raise SepcamError(f"{source.info.name} holds images, which have no pace: use 'sepcam process'")
    if source.info.live:
        return ReconnectingSource(connect, timeout_s=reconnect_timeout_s)
    return PacedSource(connect, loop=loop or spec == demo.NAME)
