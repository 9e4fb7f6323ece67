"""Where frames come from: one protocol, and one function that opens whatever a user names."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from ..types import Frame, StreamInfo


@runtime_checkable
class Source(Protocol):
    """Frames in order, to be iterated once.

    Attributes:
        info: what is known before the first frame.
        warnings: one line for each thing that went wrong but ended nothing; complete after the last frame.
    """

    info: StreamInfo
    warnings: list[str]

    def __iter__(self) -> Iterator[Frame]:
        """The frames; indices count from 0 and times increase."""
        ...

    def close(self) -> None:
        """Release everything; from any thread, any number of times. An iteration under way ends."""
        ...

    def __enter__(self) -> "Source": ...

    def __exit__(self, *_: object) -> None: ...
