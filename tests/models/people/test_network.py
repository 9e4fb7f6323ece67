"""The people network finds people in images: everyone, at every size and place, with keypoints and masks."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.models.layers.conversion import as_kind
from sepcam.models.networks.people import MaskHead, PeopleCells, PeopleGrid, PeopleMaps
from sepcam.models.people.maps import FEATURES, PATCHES, MapsRunner
from sepcam.models.people.masks import CHANNELS, GRID, MASK_SIZE
from sepcam.models.people.network import PeopleNetwork
from sepcam.models.people.second_look import SecondLook
from sepcam.models.profiling.cost import profile
from sepcam.models.runtime.compile import compile_network
from sepcam.models.runtime.options import RuntimeOptions, TensorInput
from sepcam.models.types import Detections
from sepcam.models.weights.bundled import read_bundled
from sepcam.models.weights.store import WeightStore
from sepcam.models.zoo import load_detector

from tests.models.people.people_maps import empty_maps, plant

WEIGHTS = WeightStore().path("people")

FRAME = cv2.imread(str(Path(__file__).parents[2] / "golden" / "market_street.png"))
STANDING = ((224, 114, 246, 212), (195, 114, 221, 194), (120, 115, 147, 217))
"""Three of the people in the frame."""


def build(part, kind="separable"):
    network = MaskHead() if part == "mask" else PeopleMaps()
    network.load_state_dict(read_bundled(WEIGHTS, "mask" if part == "mask" else "people"))
    parts = {"grid": PeopleGrid, "cells": PeopleCells}
    return as_kind(parts[part](network).eval() if part in parts else network.eval(), kind)


@pytest.fixture(scope="module", autouse=True)
def converted(tmp_path_factory):
    """Networks are converted once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEPCAM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def compiled(part, size, kind="separable", runtime="openvino"):
    options = RuntimeOptions(runtime=runtime, device="cpu")
    return compile_network(lambda: build(part, kind), size, options, key=f"{part}-{kind}")


def network(sizes=(320,), *, second=False, masks=True, kind="separable", runtime="openvino", **options):
    cells = compiled("cells", TensorInput((PATCHES, 3, 3, FEATURES)), kind, runtime)

    def look(size):
        return MapsRunner(compiled("grid", size, kind, runtime), cells)

    head = compiled("mask", TensorInput((GRID, GRID, CHANNELS)), kind, runtime) if masks else None
    return PeopleNetwork(look, head, sizes=sizes, second_look=SecondLook(look) if second else None, **options)


def iou(a, b):
    inner = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = inner.clip(0).prod()
    return shared / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - shared)


def check_people(found: Detections, boxes=STANDING):
    """Every box is found, with keypoints in it and a mask that fills about half of it."""
    for box in np.array(boxes, np.float32):
        overlaps = [iou(box, other) for other in found.boxes]
        best = int(np.argmax(overlaps))
        assert overlaps[best] > 0.7, box
        (x1, y1, x2, y2), keypoints = found.boxes[best], found.keypoints[best]
        inside = (keypoints[:, 0] > x1 - 5) & (keypoints[:, 0] < x2 + 5)
        assert (inside & (keypoints[:, 1] > y1 - 5) & (keypoints[:, 1] < y2 + 5)).sum() >= 16
        nose, ankles = keypoints[0], keypoints[15:]
        assert nose[1] < y1 + 0.25 * (y2 - y1) and (ankles[:, 1] > y1 + 0.75 * (y2 - y1)).all()
        mask, left, top = found.masks[best]
        assert 0.4 < mask.sum() / ((x2 - x1) * (y2 - y1)) < 0.9
        assert left >= 0 and top >= 0 and top + mask.shape[0] <= 300 and left + mask.shape[1] <= 300


@pytest.fixture(scope="module")
def people(converted):
    return network()


def test_people_in_a_street_are_found(people):
    found = people.detect(FRAME)
    assert people.parts == {"pose", "segment"} and len(people.keypoint_names) == 17
    assert found.labels.tolist() == [0] * len(found) and (np.diff(found.scores) <= 0).all()
    check_people(found)


def test_a_second_look_finds_them_too():
    check_people(network(second=True).detect(FRAME))


def test_looks_at_several_sizes_find_each_person_once():
    found = network((256, 320)).detect(FRAME)
    check_people(found)
    confident = found[found.scores > 0.25]
    for i, box in enumerate(confident.boxes):
        assert all(iou(box, other) < 0.6 for other in confident.boxes[:i])


@pytest.mark.parametrize(("kind", "runtime"), [("standard", "openvino"), ("separable", "torch")])
def test_forms_and_runtimes_agree(kind, runtime, people):
    image = FRAME[80:240, 90:270]
    one, other = people.detect(image), network(kind=kind, runtime=runtime).detect(image)
    np.testing.assert_allclose(other.scores, one.scores, atol=1e-3)
    np.testing.assert_allclose(other.boxes, one.boxes, atol=0.05)
    np.testing.assert_allclose(other.keypoints, one.keypoints, atol=0.05)
    for (mask, *_), (reference, *_) in zip(other.masks, one.masks, strict=True):
        assert (mask != reference).mean() < 0.01


@pytest.mark.parametrize("shape", [(60, 500), (33, 33), (1, 1)])
def test_images_of_any_shape_are_taken(shape, people):
    found = people.detect(np.full((*shape, 3), 128, np.uint8))
    assert len(found) == 0 and found.keypoints.shape == (0, 17, 3) and len(found.masks) == 0


def test_without_the_mask_head_there_are_no_masks(people):
    plain = network(masks=False)
    found = plain.detect(FRAME)
    assert plain.parts == {"pose"} and found.masks is None
    np.testing.assert_array_equal(found.boxes, people.detect(FRAME).boxes)


def test_overlapping_people_do_not_share_pixels(people):
    image = np.concatenate([FRAME[:, 130:280], FRAME[:, 130:280]], 1)
    found = people.detect(image)
    claims = np.zeros(image.shape[:2], int)
    for mask, x, y in found.masks:
        claims[y : y + mask.shape[0], x : x + mask.shape[1]] += mask
    assert (claims > 1).sum() < 0.1 * (claims > 0).sum()


def planted(boxes, size=(320, 416)):
    """A network in whose maps these people are, in pixels of its input."""
    maps = empty_maps(size[0] // 4, size[1] // 4)
    for x1, y1, x2, y2 in boxes:
        plant(maps, (x1, y1, x2, y2), np.random.default_rng(0).uniform((x1, y1), (x2, y2), (17, 2)))

    def look(wanted):
        assert wanted == size
        return lambda images: [maps.maps()]

    def head(inputs):
        return (np.full((len(inputs), MASK_SIZE, MASK_SIZE), 3, np.float32),)

    return PeopleNetwork(look, head, sizes=(size[1],))


def test_there_is_no_limit_of_six_people():
    boxes = [(x, y, x + 40, y + 70) for y in (8, 88, 168, 240) for x in range(8, 370, 45)]
    found = planted(boxes).detect(np.zeros((640, 832, 3), np.uint8))
    assert len(found) == len(boxes) == 36
    assert sorted(map(tuple, found.boxes.round().astype(int).tolist())) == sorted(
        tuple(2 * side for side in box) for box in boxes
    )


def test_small_people_are_left_to_the_largest_look():
    """What the smaller look takes for a small person is often two in one box."""
    seen = {(224, 256): [(20, 20, 44, 80), (120, 10, 200, 120)], (416, 512): [(40, 40, 60, 160)]}

    def look(size):
        maps = empty_maps(size[0] // 4, size[1] // 4)
        for x1, y1, x2, y2 in seen[size]:
            plant(maps, (x1, y1, x2, y2), np.random.default_rng(0).uniform((x1, y1), (x2, y2), (17, 2)))
        outputs = [maps.maps()]
        return lambda images: outputs

    found = PeopleNetwork(look, None, sizes=(256, 512), large=150).detect(np.zeros((416, 512, 3), np.uint8))
    boxes = sorted(map(tuple, found.boxes.round().astype(int).tolist()))
    assert boxes == [(40, 40, 60, 160), (240, 20, 400, 240)]


def test_poses_have_scores_of_their_own_and_keypoints_are_likely_from_a_half_on():
    maps = empty_maps(80, 104)
    plant(maps, (40, 40, 100, 200), np.full((17, 2), 70.0), keypoint_score=0.2)
    found = PeopleNetwork(lambda size: lambda images: [maps.maps()], None, sizes=(416,)).detect(
        np.zeros((320, 416, 3), np.uint8)
    )
    np.testing.assert_allclose(found.keypoints[0, :, 2], 0.5, atol=1e-6)
    np.testing.assert_allclose(found.pose_scores, 0.9 * 0.2, atol=1e-6)
    np.testing.assert_allclose(found.scores, 0.9 * 0.2**0.5, atol=1e-6)
    np.testing.assert_array_equal(found[:0].pose_scores, [])


def test_boxes_are_cut_at_the_images_border_and_keypoints_are_not():
    found = planted([(-30, 10, 50, 100)]).detect(np.zeros((320, 416, 3), np.uint8))
    np.testing.assert_allclose(found.boxes, [[0, 10, 50, 100]], atol=0.01)


class Boxes:
    """A detector that says the same of every image."""

    name, labels, parts = "boxes", ("dog", "person"), frozenset()

    def __init__(self, boxes, scores, labels):
        self.found = Detections(np.float32(boxes), np.float32(scores), np.array(labels))

    def detect(self, image):
        return self.found


def test_people_of_a_detector_get_keypoints_and_masks_from_the_second_look():
    boxes = [*STANDING, (10, 10, 60, 60)]
    detector = Boxes(boxes, [0.9, 0.8, 0.7, 0.6], [1, 1, 1, 0])
    found = network(sizes=(), second=True, detector=detector).detect(FRAME)
    assert len(found) == 3
    check_people(found)


def test_people_whom_no_view_shows_have_empty_masks():
    found = network(sizes=(), detector=Boxes(STANDING, [0.9, 0.8, 0.7], [1, 1, 1])).detect(FRAME)
    assert len(found) == 3 and not any(mask.any() for mask, *_ in found.masks)
    assert not found.keypoints.any()


@pytest.mark.parametrize("size", [0, 400, -32])
def test_a_size_that_is_no_multiple_of_32_is_refused(size):
    with pytest.raises(SepcamError, match="use multiples of 32"):
        PeopleNetwork(lambda size: pytest.fail("compiled"), None, sizes=(416, size))


def test_the_mask_heads_cost_is_as_stated():
    import torch

    cost = profile(MaskHead(), (1, GRID, GRID, CHANNELS), dtype=torch.float32)
    assert cost.params == pytest.approx(22e3, rel=0.05) and cost.macs == pytest.approx(50e6, rel=0.05)


@pytest.mark.parametrize("count", [1, 3, 5])
def test_the_mask_head_takes_batches_of_any_size(count):
    inputs = np.random.default_rng(0).normal(size=(count, GRID, GRID, CHANNELS)).astype(np.float32)
    size = TensorInput((GRID, GRID, CHANNELS))
    (one,), (other,) = (
        [out.copy() for out in compiled("mask", size, runtime=runtime)(inputs)]
        for runtime in ("torch", "openvino")
    )
    assert one.shape == (count, MASK_SIZE, MASK_SIZE)
    np.testing.assert_allclose(one, other, atol=2e-3, rtol=1e-4)
    with pytest.raises(ValueError, match="input must be"):
        compiled("mask", size)(inputs[..., :-1])


def test_bf16_leaves_the_masks_in_f32_where_they_are_faster(monkeypatch):
    monkeypatch.setattr("sepcam.models.runtime.openvino_backend.computes_in", lambda precision: True)
    asked: dict[str, str] = {}

    def compiler(network, size, options=None, *, key=None, **others):
        asked[key.split("-")[1]] = options.precision
        return compile_network(network, size, RuntimeOptions(precision="f32"), key=key, **others)

    load_detector("people", options=RuntimeOptions("openvino", "cpu", "bf16"), compiler=compiler).detect(
        np.zeros((64, 96, 3), np.uint8)
    )

    assert asked == {"grid": "bf16", "cells": "bf16", "mask": "f32"}


def test_a_network_that_is_prepared_is_compiled_once_and_finds_the_same():
    maps = empty_maps(64, 104)
    plant(maps, (40, 40, 100, 200), np.full((17, 2), 70.0))
    compiled: list[tuple[int, int]] = []

    def look(size):
        compiled.append(size)
        return lambda images: [maps.maps()]

    prepared, image = PeopleNetwork(look, None, sizes=(416,)), np.zeros((256, 416, 3), np.uint8)
    prepared.prepare(image.shape[:2])

    assert len(prepared.detect(image)) == 1
    assert compiled == [(256, 416)]
