"""Networks that several threads use: one computes at a time, and only what is asked for."""

import threading

import numpy as np
from sepcam.models.types import Detections, LazyMasks
from sepcam.pipelines.execution.locked_networks import shared_detector

IMAGE = np.zeros((8, 8, 3), np.uint8)


class Three:
    """Finds three people, whose masks it computes when they are asked for."""

    name, labels, parts = "toy", ("person",), frozenset(("segment",))
    keypoint_names, skeleton = (), ()

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.meanwhile = lambda: None

    def detect(self, image):
        return Detections(
            np.zeros((3, 4), np.float32),
            np.ones(3, np.float32),
            np.zeros(3, np.int64),
            masks=LazyMasks(self._masks, np.arange(3)),
        )

    def _masks(self, rows):
        self.asked.append(rows.tolist())
        self.meanwhile()
        return [(np.ones((1, 1), np.uint8), int(row), 0) for row in rows]


def test_masks_are_computed_of_those_who_are_wanted_alone():
    network = Three()
    found = shared_detector(network).detect(IMAGE)
    assert network.asked == []

    wanted = found[np.array([2, 0])]
    assert wanted.masks is not None
    assert [x for _, x, _ in wanted.masks] == [2, 0]
    assert network.asked == [[2, 0]]


def test_masks_are_computed_by_one_thread_at_a_time_beside_detection():
    network = Three()
    shared = shared_detector(network)
    first, second = shared.detect(IMAGE).masks, shared.detect(IMAGE).masks
    assert first is not None and second is not None
    other = threading.Thread(target=list, args=(second,))
    waited: list[bool] = []

    def meanwhile() -> None:
        network.meanwhile = lambda: None
        other.start()
        assert len(shared.detect(IMAGE)) == 3
        other.join(0.2)
        waited.append(other.is_alive())

    network.meanwhile = meanwhile
    assert len(list(first)) == 3
    other.join(10)
    assert waited == [True]
    assert not other.is_alive()
