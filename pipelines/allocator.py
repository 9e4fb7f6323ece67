"""Keeps the memory of a process that runs for hours at what it uses."""

import ctypes
import os
import sys
from types import MappingProxyType
from typing import Final

_OPTIONS: Final = MappingProxyType({"MALLOC_ARENA_MAX": (-8, 2), "MALLOC_MMAP_THRESHOLD_": (-3, 256 << 10)})
"""By the names of glibc's environment variables (mallopt(3)): the parameter's number, and its value."""


def return_freed_memory() -> None:
    """Makes this process, and those that it starts, give freed pictures back to the system at once.

    glibc would keep them in as many heaps as there are threads, where the holes between them grow for
    thousands of frames. Call it before threads start. What the environment says already stays as it is;
    systems with another C library are left alone.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    for name, (parameter, value) in _OPTIONS.items():
        if name not in os.environ:
            os.environ[name] = str(value)  # for processes that this one starts
            mallopt(parameter, value)
