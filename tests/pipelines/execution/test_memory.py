"""Freed memory goes back to the system, also between what is in use; a peak is the process's own."""

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import threading, time
import numpy as np, psutil
from sepcam.pipelines.execution.memory import return_freed_memory

used = lambda: psutil.Process().memory_info().rss / 2**20
np.ones(700 << 10, np.uint8)  # freed at once: from now on, glibc keeps blocks of up to this size
before = used()
pictures, small = [], []
for _ in range(200):
    pictures.append(np.ones(600 << 10, np.uint8))
    small.append(np.ones(3000, np.uint8))
pictures.clear()
kept = used() - before
return_freed_memory(0.05)
return_freed_memory(0.05)
deadline = time.monotonic() + 20
while used() - before > 20 and time.monotonic() < deadline:
    time.sleep(0.05)
print(round(kept), round(used() - before), threading.active_count())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps freed memory")
def test_freed_pictures_are_given_back():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60
    )
    kept, kept_later, threads = map(int, done.stdout.split())
    assert kept > 60  # MB of the 120 that the pictures took
    assert kept_later <= 20
    assert threads == 2  # asked again, it is not done twice


def test_a_peak_is_not_that_of_the_process_that_started_this_one():
    child = "from sepcam.pipelines.execution.memory import peak_memory; print(peak_memory())"
    script = f"""
import subprocess, sys
import numpy as np
from sepcam.pipelines.execution.memory import peak_memory

np.ones(300 << 20, np.uint8)
print(peak_memory(), subprocess.check_output([sys.executable, "-c", {child!r}], text=True))
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    parents, childs = map(int, done.stdout.split())
    assert parents > 300 << 20 and 0 < childs < 200 << 20
