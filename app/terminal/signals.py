"""Ends a command by SIGTERM, or by a closed terminal, as by Ctrl-C."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

_HANGUP: Final = getattr(signal, "SIGHUP", None)  # Windows has none
ENDING: Final[Sequence[signal.Signals]] = (signal.SIGTERM, *((_HANGUP,) if _HANGUP else ()))
"""The signals beside Ctrl-C's that ask a command to end: SIGTERM, and SIGHUP of a closed terminal."""


@contextmanager
def handled(
    numbers: Sequence[signal.Signals], handler: Callable[[int, FrameType | None], None]
) -> Iterator[None]:
    """While the block runs, these signals call a handler; one that is ignored (``nohup``) stays so."""
    before = {
        number: signal.signal(number, handler)
        for number in numbers
        if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@contextmanager
def deferred() -> Iterator[None]:
    """Runs the block to its end, and lets Ctrl-C and the `ENDING` signals that came meanwhile interrupt then.

    Raises:
        KeyboardInterrupt: After the block, if there was one.
    """
    heard: list[int] = []
    with handled((signal.SIGINT, *ENDING), lambda number, frame: heard.append(number)):
        yield
    if heard:
        raise KeyboardInterrupt


@contextmanager
def terminable() -> Iterator[None]:
    """While the block runs, the `ENDING` signals end it as Ctrl-C does, so that files are completed."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with handled(ENDING, interrupt):
        yield
