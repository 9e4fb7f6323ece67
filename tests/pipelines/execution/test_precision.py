"""What ``--precision auto`` chooses, and that it stays with it."""

import json
from pathlib import Path

import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.models.types import Detections
from sepcam.pipelines.execution.precision import Choice, choose, recorded

IMAGES = [np.zeros((8, 8, 3), np.uint8)] * 3
BOXES = np.array([[0, 0, 100, 200], [200, 0, 300, 200]], np.float32)


class Clock:
    """Seconds that pass while somebody looks."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Looks:
    """A detector that takes its time and is off by some pixels."""

    name, labels, parts = "toy", ("person",), frozenset()

    def __init__(self, clock: Clock, seconds: float, off: float) -> None:
        self._clock, self._seconds, self._off = clock, seconds, off

    def detect(self, image):
        self._clock.now += self._seconds
        return Detections(
            BOXES + np.float32(self._off), np.array([0.9, 0.8], np.float32), np.zeros(2, np.int64)
        )


@pytest.mark.parametrize(
    ("bf16", "int8", "chosen"),
    [
        ((0.5, 0.1), (0.4, 30), "bf16"),  # int8 is the fastest, and finds them elsewhere
        ((0.5, 0.1), (0.4, 0.1), "int8"),
        ((0.95, 0), (1.2, 0), "f32"),  # hardly faster is not worth other results
        ((0.5, 30), None, "f32"),
    ],
)
def test_the_fastest_that_finds_the_same_is_chosen(bf16, int8, chosen):
    clock = Clock()
    kinds = {"f32": (1.0, 0), "bf16": bf16, "int8": int8}

    def load(precision):
        if kinds[precision] is None:
            raise SepcamError("no int8 copy")
        return Looks(clock, *kinds[precision])

    choice = choose(load, ("bf16", "int8"), iter(IMAGES), clock=clock)  # read once, so a film need not fit

    assert choice.precision == chosen
    assert choice.lost < 1
    assert choice.f32_ms == pytest.approx(1000)
    assert chosen in str(choice)


def test_a_careful_detector_says_what_is_right():
    clock = Clock()
    off = {"f32": 20, "bf16": 20.5, "careful": 0}  # bf16 is off from f32, and as far from the truth

    def load(precision):
        return Looks(clock, 1.0 if precision == "f32" else 0.5, off[precision])

    assert choose(load, ("bf16",), IMAGES, load("careful"), clock).precision == "bf16"
    off["bf16"] = 40
    assert choose(load, ("bf16",), IMAGES, load("careful"), clock).precision == "f32"


def test_nobody_found_at_all_is_nothing_lost():
    clock = Clock()

    class Nobody(Looks):
        def detect(self, image):
            super().detect(image)
            return Detections.empty()

    assert (
        choose(lambda p: Nobody(clock, 1 if p == "f32" else 0.5, 0), ("bf16",), IMAGES, clock=clock).precision
        == "bf16"
    )


def test_a_choice_is_measured_once_for_everything_that_it_depends_on(tmp_path: Path):
    made = [Choice("bf16", 10.0, 20.0, 0.2), Choice("f32", 20.0, 20.0, 0.0), Choice("f32", 1.0, 1.0, 0.0)]
    measure = iter(made).__next__
    key = {"network": "people", "machine": ["x86"]}

    assert recorded(tmp_path, key, measure) == (made[0], True)
    assert recorded(tmp_path, key, measure) == (made[0], False)
    assert recorded(tmp_path, key | {"network": "yolox-nano"}, measure) == (made[1], True)
    for file in tmp_path.glob("*.json"):
        assert json.loads(file.read_text())["key"]["machine"] == ["x86"]
        file.write_text("{")
    assert recorded(tmp_path, key, measure) == (made[2], True)
