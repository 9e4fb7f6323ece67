"""Cores and memory of this machine and this process, on every system."""

import psutil


def usable_cores() -> int:
    """Logical cores that this process may use."""
    process = psutil.Process()
    if hasattr(process, "cpu_affinity"):  # not on macOS
        return len(process.cpu_affinity() or ()) or 1
    return psutil.cpu_count() or 1


def physical_cores() -> int:
    """Physical cores that this process may use; two threads on one core are no faster at arithmetic."""
    usable = usable_cores()
    return min(usable, psutil.cpu_count(logical=False) or usable)


def memory_total() -> int:
    """Bytes of main memory."""
    return psutil.virtual_memory().total


def memory_available() -> int:
    """Bytes of memory that programs could still get without swapping."""
    return psutil.virtual_memory().available


def memory_in_use() -> int:
    """Bytes of main memory that this process takes."""
    return psutil.Process().memory_info().rss
