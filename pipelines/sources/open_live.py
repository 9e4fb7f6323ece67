"""Sources as something to be watched."""

from pathlib import Path

from ...models.errors import SepcamError
from . import demo
from .base import Source
from .open import open_source
from .realtime import PacedSource
from .reconnecting import ReconnectingSource


def open_live(
    spec: str | int | Path,
    *,
    size: tuple[int, int] | None = None,
    rate: float | None = None,
    loop: bool = False,
    reconnect_timeout_s: float | None = None,
) -> PacedSource | ReconnectingSource:
    """Opens a source to be watched: cameras and streams come back when they stop, files keep their pace.

    Args:
        spec: see ``open_source``; images are refused.
        size: width and height to ask a camera for.
        rate: frames per second to ask a camera for.
        loop: start a file again at its end; ``demo`` always does.
        reconnect_timeout_s: give a lost camera or stream up after this time; None never does.

    Raises:
        SepcamError: If it cannot be opened.
    """
    opened: list[Source] = [open_source(spec, size=size, rate=rate)]

    def connect() -> Source:
        return opened.pop() if opened else open_source(spec, size=size, rate=rate)

    source = opened[0]
    if source.info.independent:
        source.close()
        raise SepcamError(f"{source.info.name} holds images, which have no pace: use 'sepcam process'")
    if source.info.live:
        return ReconnectingSource(connect, timeout_s=reconnect_timeout_s)
    return PacedSource(connect, loop=loop or spec == demo.NAME)
