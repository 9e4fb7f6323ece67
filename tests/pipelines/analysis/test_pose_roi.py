"""Boxes are moved by the landmarks in them from one detection to the next."""

import numpy as np
import pytest
from sepcam.pipelines.analysis.box_propagation import BoxPropagation

BOX = np.array([[8, 20, 20, 44]], np.float32)
IDS = np.array([1])


def points(center, spread=0.0):
    """(1, 33, 3) landmarks around a point."""
    ring = np.exp(2j * np.pi * np.arange(33) / 33)
    xy = np.stack([ring.real, ring.imag], 1) * spread + center
    return np.concatenate([xy, np.ones((33, 1))], 1)[None].astype(np.float32)


def propagated(then, now):
    boxes = BoxPropagation()
    boxes.set(IDS, BOX, then)
    return boxes.propagate(IDS, np.zeros((1, 4), np.float32), now)


def test_a_box_moves_and_grows_as_its_landmarks_do():
    moved = propagated(points((14, 32), 5), points((24, 31), 10))
    np.testing.assert_allclose(moved, [[12, 7, 36, 55]], atol=0.01)


@pytest.mark.parametrize("spread", [0.0, 1e-6, 1e-3])
def test_landmarks_in_one_place_say_nothing_of_the_size(spread):
    moved = propagated(points((14, 32)), points((15, 32), spread))
    np.testing.assert_allclose(moved, BOX + np.float32([1, 0, 1, 0]), atol=0.01)
