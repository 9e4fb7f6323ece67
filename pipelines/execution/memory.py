"""The memory of this process: its peak, and giving back what is freed."""

import ctypes
import os
import re
import sys
import threading
import time
from pathlib import Path
from typing import Final

EVERY_S: Final = 10.0
"""Seconds from one return to the next. One takes a few milliseconds, in a thread of its own."""

_FIRST: Final = threading.Lock()  # taken for good by the first call
_ARENA_MAX, _ARENAS = -8, 2  # parameter of mallopt(3), and its value


def return_freed_memory(every_s: float = EVERY_S) -> None:
    """From now on, returns freed memory to the system every few seconds.

    glibc keeps freed images in a heap for each thread, and the holes between what is still in use grow for
    thousands of frames (malloc_trim(3)). There are two heaps from now on, unless the environment names a
    number: call this before other threads start. Further calls do nothing. Systems with another C
    library are left alone.

    Args:
        every_s: seconds from one return to the next.
    """
    if sys.platform != "linux" or not _FIRST.acquire(blocking=False):
        return
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "malloc_trim"):
        return
    if "MALLOC_ARENA_MAX" not in os.environ:
        libc.mallopt(_ARENA_MAX, _ARENAS)

    def work() -> None:
        while True:
            time.sleep(every_s)
            libc.malloc_trim(0)

    # Not one of BACKGROUND: it sleeps, and does no harm when the interpreter ends.
    threading.Thread(target=work, name="memory", daemon=True).start()


def peak_memory() -> int | None:
    """The most memory that this process has had, in bytes; None where the system does not tell."""
    try:
        # Not getrusage's value, which counts what the parent had when it started this process.
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        return int(found[1]) * 1024 if found else None
    except OSError:
        pass
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return getattr(psutil.Process().memory_info(), "peak_wset", None)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
