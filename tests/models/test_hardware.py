"""Cores and memory, as the system counts them."""

import numpy as np
from sepcam.models import hardware


def test_cores_are_those_that_the_process_may_use():
    assert 1 <= hardware.physical_cores() <= hardware.usable_cores()


def test_memory_that_is_taken_is_counted():
    before = hardware.memory_in_use()
    block = np.ones(64 << 20, np.uint8)
    assert hardware.memory_in_use() - before > 60 << 20
    assert block.nbytes < hardware.memory_total()
    assert 0 < hardware.memory_available() < hardware.memory_total()
