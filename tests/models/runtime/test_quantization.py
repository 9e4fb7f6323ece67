"""int8 copies: made of what networks are given, measured on other pictures, kept where little is lost."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from sepcam.app import cli
from sepcam.assets import demo_clip
from sepcam.models.errors import SepcamError
from sepcam.models.int8 import quantize
from sepcam.models.runtime.compile import compile_network
from sepcam.models.runtime.options import AnySize, RuntimeOptions
from sepcam.models.runtime.quantization import LEAST_INPUTS, Quantizer
from sepcam.models.types import F32, U8, Detections, Poses
from sepcam.models.weights.store import WeightStore
from sepcam.pipelines.evaluation.quantization_loss import LEAST, DetectorTrial, PoseTrial
from sepcam.pipelines.evaluation.quantization_loss import images as images_of
from sepcam.pipelines.sources.open import open_source
from sepcam.pipelines.sources.synthetic import read_index

from tests.clips import write_clip
from tests.models.runtime.test_runtime import SIZE, Toy, images, never_built
from tests.walkers import CenterPose, SquareDetector, square_picture

F32_OPTIONS = RuntimeOptions("openvino", "cpu", "f32")
INT8 = replace(F32_OPTIONS, precision="int8")

# --- making and keeping -----------------------------------------------------------------------------------


@pytest.fixture
def toy(cache_dir: Path) -> Quantizer:
    """A copy of ``Toy``, in memory; its f32 form was given 12 images."""
    quantizer = Quantizer(10)
    quantizer.watch(Toy(), SIZE, F32_OPTIONS, key="toy", max_batch=4)(images(12))
    quantizer.quantize()
    return quantizer


def test_the_copy_computes_nearly_the_same_and_is_found_once_it_is_kept(toy: Quantizer):
    batch = images(3)
    wanted = compile_network(never_built, SIZE, F32_OPTIONS, key="toy")(batch)
    copy = toy.compile(never_built, SIZE, F32_OPTIONS, key="toy", max_batch=4)
    assert copy.options == INT8
    outputs = [output.copy() for output in copy(batch)]
    for output, exact in zip(outputs, wanted, strict=True):
        assert 0 < np.abs(output - exact).max() < 0.05 * np.abs(exact).max()

    with pytest.raises(SepcamError, match="no int8 copy of toy at 48x32: make one with sepcam models"):
        compile_network(never_built, SIZE, INT8, key="toy")
    toy.keep()
    for output, kept in zip(outputs, compile_network(never_built, SIZE, INT8, key="toy")(batch), strict=True):
        np.testing.assert_allclose(kept, output, atol=1e-6)


def test_it_is_calibrated_with_as_many_inputs_as_asked_for(toy: Quantizer):
    toy.compile(never_built, SIZE, F32_OPTIONS, key="toy")
    (pair,) = toy.pairs
    assert pair.key == "toy"
    assert len(pair.images) == 10
    given = [image.tobytes() for image in images(12)]
    assert all(image.tobytes() in given for image in pair.images)


def test_too_few_inputs_are_refused(cache_dir: Path):
    quantizer = Quantizer(100)
    quantizer.watch(Toy(), SIZE, F32_OPTIONS, key="toy")(images(LEAST_INPUTS - 1))
    with pytest.raises(SepcamError, match="needs 10 inputs or more, these frames give 9"):
        quantizer.quantize()


def test_one_copy_serves_all_sizes_and_learns_from_all_of_them(cache_dir: Path):
    quantizer, sizes = Quantizer(100), (SIZE, (64, 48))
    for size in sizes:
        quantizer.watch(Toy(), AnySize(size), F32_OPTIONS, key="toy")(images(LEAST_INPUTS // 2, size))
    quantizer.quantize()
    quantizer.keep()
    for size in (*sizes, (32, 32)):
        runners = (compile_network(never_built, AnySize(size), o, key="toy") for o in (F32_OPTIONS, INT8))
        (one, _), (other, _) = (runner(images(1, size)) for runner in runners)
        assert 0 < np.abs(one - other).max() < 0.05 * np.abs(one).max()


def test_speed_is_measured_on_inputs_of_the_size_that_most_have(cache_dir: Path):
    quantizer, sizes = Quantizer(100), (SIZE, (64, 48), (32, 32))
    for size, count in zip(sizes, (0, LEAST_INPUTS, 1), strict=True):
        runner = quantizer.watch(Toy(), AnySize(size), F32_OPTIONS, key="toy")
        for batch in images(count, size)[:, None]:
            runner(batch)
    quantizer.quantize()
    for size in sizes:
        quantizer.compile(never_built, AnySize(size), F32_OPTIONS, key="toy")
    (pair,) = quantizer.pairs
    assert {image.shape for image in pair.images} == {(1, 64, 48, 3)}
    assert len(pair.images) == LEAST_INPUTS
    pair.f32(pair.images[0]), pair.int8(pair.images[0])


# --- pictures ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("frames", "samples"), [(100, 80), (100, 20), (60, 300)])
def test_pictures_to_measure_with_are_other_ones_from_all_over_the_video(frames, samples, tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", frames=frames)
    calibrate, measure = (
        [read_index(image) for image in images_of(str(clip), samples, held_out=held_out)]
        for held_out in (False, True)
    )
    assert not set(calibrate) & set(measure)
    assert len(calibrate) == 4 * len(measure) == min(samples, frames * 4 // 5)
    assert min(calibrate) == 0
    assert max(measure) > 0.9 * frames


def test_what_cannot_be_read_twice_is_refused():
    with pytest.raises(SepcamError, match="record it"):
        next(images_of("rtsp://camera/1", 10, held_out=False), None)


# --- what is lost -----------------------------------------------------------------------------------------


class Moved(SquareDetector):
    """Sees the squares so many pixels further right."""

    def __init__(self, by: float) -> None:
        self._by = by

    def detect(self, image: U8) -> Detections:
        found = super().detect(image)
        return replace(found, boxes=found.boxes + np.float32([self._by, 0, self._by, 0]))


class MovedPose(CenterPose):
    """Sees every keypoint so many pixels further right, and the mask's upper part only."""

    def __init__(self, by: float, rows: int) -> None:
        self._by, self._rows = by, rows

    def estimate(self, image: U8, rois: F32, *, masks: bool) -> Poses:
        poses = super().estimate(image, rois, masks=masks)
        poses.keypoints[..., 0] += self._by
        if poses.mask_logits is not None:
            poses.mask_logits[:, self._rows :] = -1
        return poses


def forms(*networks) -> Callable:
    """Loads the first network, then the second."""
    waiting = iter(networks)
    return lambda compiler: next(waiting)


SQUARES = [square_picture(i) for i in range(LEAST)]


def test_objects_found_again_are_counted_and_their_boxes_compared():
    trial = DetectorTrial(forms(SquareDetector(), Moved(1.5)), 10)
    found, moved = trial.measure(SQUARES)
    assert found.value == "20 of 20, and 0 others: F1 1.000"
    assert found.good
    assert moved.value == "median 1.5 px, at most 1.5 px"


def test_an_object_somewhere_else_is_lost_and_another_found():
    trial = DetectorTrial(forms(SquareDetector(), Moved(30)), 10)
    found, moved = trial.measure(SQUARES)
    assert found.value == "0 of 20, and 20 others: F1 0.000"
    assert not found.good
    assert moved.value == "none is left"


class Posed(SquareDetector):
    """Sees a keypoint in the middle, so many pixels further right, and the upper rows of the mask."""

    def __init__(self, by: float, rows: int, score: float) -> None:
        self._by, self._rows, self._score = by, rows, np.float32([score])

    def detect(self, image: U8) -> Detections:
        found = super().detect(image)
        left, top, right, bottom = found.boxes[0]
        keypoints = np.float32([[[(left + right) / 2 + self._by, (top + bottom) / 2, 1]]])
        mask = np.ones((self._rows, int(right - left)), np.uint8), int(left), int(top)
        return replace(found, scores=self._score, keypoints=keypoints, masks=[mask])


@pytest.mark.parametrize(("by", "rows", "good"), [(0.1, 24, True), (1.5, 12, False)])
def test_keypoints_and_masks_of_a_detector_are_compared_and_a_lower_score_is_no_loss(by, rows, good):
    trial = DetectorTrial(forms(Posed(0, 24, 0.9), Posed(by, rows, 0.1)), 10)
    found, _, keypoints, masks = trial.measure(SQUARES)
    assert found.value == "20 of 20, and 0 others: F1 1.000"
    assert keypoints.value.startswith(f"median {by * 256 / (1.25 * 24):.2f} px")
    assert masks.value.startswith(f"median {rows / 24:.3f}")
    assert [keypoints.good, masks.good] == [good, good]


@pytest.mark.parametrize(("by", "rows", "good"), [(0.1, 16, [True, True]), (1.5, 12, [False, False])])
def test_keypoints_are_compared_in_the_network_s_own_pixels(by, rows, good):
    side = 1.25 * 26.4  # of the region of a square of 12 x 24, which is wide for a person
    trial = PoseTrial(forms(CenterPose(), MovedPose(by, rows)), 10, SquareDetector())
    _, keypoints, masks = trial.measure(SQUARES)
    assert keypoints.value.startswith(f"median {by * 256 / side:.2f} px")
    assert masks.value.startswith(f"median {rows / 16:.3f}")
    assert [keypoints.good, masks.good] == good


def test_too_few_objects_are_refused():
    trial = DetectorTrial(forms(SquareDetector(), SquareDetector()), 10)
    with pytest.raises(SepcamError, match="only 3 objects"):
        trial.measure(SQUARES[:3])


# --- the command ------------------------------------------------------------------------------------------


def sepcam(*words: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    return int(stopped.value.code or 0)


@pytest.fixture
def crowd(tmp_path: Path) -> Path:
    """15 pictures with several people: four frames of the sample clip in each."""
    folder = tmp_path / "crowd"
    folder.mkdir()
    with open_source(demo_clip(), limit=50) as source:
        frames = [frame.image for frame in source]
    for first in range(16, 31):
        one, two, three, four = frames[first : first + 20 : 5]
        crowd = np.vstack([np.hstack([one, two]), np.hstack([three, four])])
        cv2.imwrite(str(folder / f"{first}.png"), crowd)
    return folder


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own with the weights of SSDLite, so that the user's copies stay as they are."""
    store, own = WeightStore(), tmp_path / "cache"
    if not store.is_cached("ssdlite-person"):
        store.fetch("ssdlite-person")
    weights = store.path("ssdlite-person")
    (own / weights.parent.name).mkdir(parents=True)
    shutil.copy(weights, own / weights.parent.name)
    monkeypatch.setenv("SEPCAM_CACHE", str(own))
    return own


def test_a_copy_that_is_kept_serves_process(
    own_cache: Path, crowd: Path, tmp_path: Path, capsys, monkeypatch
):
    monkeypatch.setattr(quantize, "TARGET", 0.0)  # every layer fits: measuring one by one takes a minute
    detector = ("--detector", "ssdlite-person", "--tasks", "track", "--frames", "3", "--save", "jsonl")
    process = ("process", str(demo_clip()), *detector, "--precision", "int8", "-o", str(tmp_path / "out"))
    assert sepcam(*process) == 2
    assert "make one with sepcam models quantize" in capsys.readouterr().err
    # Twelve pictures are too few for a network, so whether its loss is tolerable must not matter here.
    words = ("ssdlite-person", "--frames", str(crowd), "--samples", "12", "--keep-anyway")
    assert sepcam("models", "quantize", *words) == 0
    said = capsys.readouterr()
    assert "objects of score 0.4 found again" in said.out
    assert "ssdlite-person: kept" in said.out
    assert "speed of ssdlite-person-separable" in said.out
    assert len(list(own_cache.glob("compiled/*-int8.*"))) == 1
    assert sepcam(*process) == 0

    # The copy as a file for other programs.
    path = tmp_path / "int8.onnx"
    words = ("models", "export", "ssdlite-person", "--precision", "int8", "-o", str(path))
    capsys.readouterr()
    assert sepcam(*words) == 0
    assert f"{path.name}: takes images (B, 300, 300, 3) uint8" in capsys.readouterr().out
    assert sepcam(*words) == 2
    assert "use --overwrite" in capsys.readouterr().err
    assert sepcam(*words[:-2], "--format", "torchscript") == 2
    assert "int8 is written as onnx or openvino" in capsys.readouterr().err


def test_a_wrong_name_is_told_before_minutes_are_spent_on_another(capsys):
    assert sepcam("models", "quantize", "ssdlite-person", "nonsense", "--samples", "20") == 2
    assert "unknown model 'nonsense'" in capsys.readouterr().err.splitlines()[0]


def test_a_network_that_fails_does_not_keep_others_from_their_turn(capsys):
    names = ("ssdlite-person", "people")
    assert sepcam("models", "quantize", *names, "--frames", "nowhere.mp4", "--samples", "20") == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert errors == [f"error: {name}: nowhere.mp4 does not exist" for name in names]
