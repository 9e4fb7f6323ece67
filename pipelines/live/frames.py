"""The frames that come into a live session, and those that come out of it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...models.types import U8
from ..types import Frame, FrameResult
from .status import LiveStatus

if TYPE_CHECKING:
    # These import av, and no window opens where av is imported before cv2: both bring libraries of X.
    from ..sources.realtime import PacedSource
    from ..sources.reconnecting import ReconnectingSource


class Arrivals:
    """A source whose frames come with the time of their arrival; unwanted ones are read and left."""

    def __init__(self, source: "PacedSource | ReconnectingSource", wanted: Callable[[], bool]) -> None:
        self._source, self._wanted = source, wanted

    def __iter__(self) -> Iterator[tuple[float, Frame]]:
        """The frames, each after the time at which it came, by ``time.monotonic``."""
        for frame in self._source:
            if self._wanted():
                yield time.monotonic(), frame

    def close(self) -> None:
        """Close the source."""
        self._source.close()


@dataclass(frozen=True, slots=True)
class Shot:
    """An image ready for display.

    Attributes:
        number: counts from 1.
        image: (H, W, 3) uint8 BGR with everything drawn on it. Viewers share it: read only.
        result: what was found; ``frame.image`` is the same image, times count from the first frame.
        arrived: when its frame came, by ``time.monotonic``.
        status: as it was drawn.
        duel: whether the image is that of a duel: it has a size of its own, and the result is not recorded.
    """

    number: int
    image: U8
    result: FrameResult
    arrived: float
    status: LiveStatus
    duel: bool = False
