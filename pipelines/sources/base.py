"""What a source is, and what a kind of sources has to declare so that `open_source` opens it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ..types import Frame, StreamInfo
from .v4l2 import Exposure


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


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """What the user asked for beside the name of a source; a kind ignores what does not concern it.

    Attributes:
        size: width and height to ask a camera for, in pixels, or None.
        rate: frames per second to ask a camera for, or None.
        start_s: where to start in a file, in seconds.
        limit: end after this many frames, or None.
        stream: 0-based index of the video stream in a file, or None to choose.
        deinterlace: whether interlaced frames become whole images.
        follow: whether a file is a recording that is still being written.
        exposure: to ask a camera for, or None.
    """

    size: tuple[int, int] | None = None
    rate: float | None = None
    start_s: float = 0.0
    limit: int | None = None
    stream: int | None = None
    deinterlace: bool = True
    follow: bool = False
    exposure: Exposure | None = None


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A kind of sources. A module of this package offers one by a constant ``KIND``; see `open`.

    Attributes:
        name: of the kind.
        claims: whether what the user named is of this kind.
        open: opens it. Raises SepcamError if that cannot be.
        last: whether it is asked after all others.
    """

    name: str
    claims: Callable[[str], bool]
    open: Callable[[str, OpenOptions], Source]
    last: bool = False
