"""When the frames of a live source come."""

import time
from collections.abc import Callable, Iterator

from ..sources.realtime import PacedSource
from ..sources.reconnecting import ReconnectingSource
from ..types import Frame


class Arrivals:
    """A source whose frames come with the time of their arrival; unwanted ones are read and left."""

    def __init__(self, source: PacedSource | ReconnectingSource, wanted: Callable[[], bool]) -> None:
        self._source, self._wanted = source, wanted

    def __iter__(self) -> Iterator[tuple[float, Frame]]:
        """The frames, each after the time at which it came, by ``time.monotonic``."""
        for frame in self._source:
            if self._wanted():
                yield time.monotonic(), frame

    def close(self) -> None:
        """Close the source."""
        self._source.close()
