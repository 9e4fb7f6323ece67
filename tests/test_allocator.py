"""Memory that was freed goes back to the system, also from between what is still in use."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import sys
import numpy as np, psutil
from sepcam.pipelines.allocator import return_freed_memory

if "left alone" not in sys.argv:
    return_freed_memory()
np.ones(700 << 10, np.uint8)  # freed at once: from now on, glibc would keep blocks of up to this size
before = psutil.Process().memory_info().rss
pictures, small = [], []
for _ in range(200):
    pictures.append(np.ones(600 << 10, np.uint8))
    small.append(np.ones(3000, np.uint8))
pictures.clear()
print(round((psutil.Process().memory_info().rss - before) / 2**20))
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what it sets is glibc's")


def kept_mb(*words: str, **environment: str) -> int:
    """MB that a process keeps of 120 MB of pictures, after it has freed them."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", SCRIPT, *words]
    done = subprocess.run(
        command, env=inherited | environment, capture_output=True, text=True, check=True, timeout=60
    )
    return int(done.stdout)


def test_freed_pictures_are_given_back():
    assert kept_mb() < 20
    assert kept_mb("left alone") > 60


def test_what_the_environment_says_stays():
    assert kept_mb(MALLOC_MMAP_THRESHOLD_=str(32 << 20)) > 60


def test_processes_that_it_starts_do_the_same():
    start = (
        "import os, subprocess, sys\n"
        "from sepcam.pipelines.allocator import return_freed_memory\n"
        "return_freed_memory()\n"
        "subprocess.run([sys.executable, '-c', sys.argv[1], 'left alone'], check=True)"
    )
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", start, SCRIPT], env=inherited, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 20
