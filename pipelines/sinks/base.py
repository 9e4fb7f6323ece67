"""Where results go: one protocol, and the sinks that follow it."""

from typing import Protocol, runtime_checkable

from ...models.types import U8
from ..types import FrameResult, RunSummary


@runtime_checkable
class Sink(Protocol):
    """Takes results in order; what it writes has its final name only after ``close``.

    All methods are called from one thread at a time. After an error, or to throw away what was written, call
    ``abort``; after ``close`` it changes nothing.
    """

    def write(self, result: FrameResult, picture: U8 | None = None) -> None:
        """Add a frame, and its annotated picture, (H, W, 3) uint8 BGR, where there is one.

        Raises:
            SepcamError: If it cannot be written.
        """
        ...

    def close(self, summary: RunSummary) -> None:
        """Finish, also a run that was interrupted.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        ...

    def abort(self) -> None:
        """Leave nothing behind."""
        ...
