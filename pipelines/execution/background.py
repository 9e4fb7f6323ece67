"""Threads that work in the background, and may still run when the program wants to end."""

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final


class Background:
    """Starts daemon threads and knows which of them still run. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()

    def thread(self, name: str, work: Callable[..., Any], args: Sequence[Any] = ()) -> threading.Thread:
        """A daemon thread that is registered here, not started yet; it is called ``sepcam-NAME``."""
        thread = threading.Thread(target=work, args=tuple(args), name=f"sepcam-{name}", daemon=True)
        with self._lock:
            self._threads.add(thread)
        return thread

    def running(self) -> bool:
        """Whether one of them still runs.

        Native code that loads a network, or waits for a dead stream, crashes if the interpreter ends while it
        runs: leave with ``os._exit`` then.
        """
        with self._lock:
            return any(thread.is_alive() for thread in self._threads)


BACKGROUND: Final = Background()
"""Those of this process."""
