"""Planted people are read from the network's outputs, and Google's own decoding agrees."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sepcam.models.networks.people import PeopleCells, PeopleGrid, PeopleMaps
from sepcam.models.people.decoding import decode
from sepcam.models.people.maps import MapsRunner
from sepcam.models.weights.bundled import read_bundled
from sepcam.models.weights.store import WeightStore

from tests.models.people.people_maps import empty_maps, plant

WEIGHTS = WeightStore().path("people")

GOLDEN = Path(__file__).parents[2] / "golden"
HEIGHT, WIDTH = 40, 56  # cells


@st.composite
def person(draw):
    """A box inside the input, and keypoints inside the box, in pixels."""
    width, height = draw(st.floats(12, 100)), draw(st.floats(16, 140))
    x1, y1 = draw(st.floats(1, 4 * WIDTH - 1 - width)), draw(st.floats(1, 4 * HEIGHT - 1 - height))
    inside = st.tuples(st.floats(x1 + 0.5, x1 + width - 0.5), st.floats(y1 + 0.5, y1 + height - 0.5))
    return (x1, y1, x1 + width, y1 + height), draw(st.lists(inside, min_size=17, max_size=17))


@given(person(), st.floats(0.05, 1), st.floats(0.05, 1), st.floats(-2, 2))
def test_a_planted_person_is_found_to_half_a_pixel(person, score, keypoint_score, regress_error):
    box, keypoints = person
    maps = empty_maps(HEIGHT, WIDTH)
    plant(maps, box, keypoints, score, keypoint_score, regress_error)
    found = decode(maps.maps(), 0.04)
    assert len(found) == 1
    np.testing.assert_allclose(found.boxes[0], box, atol=0.5)
    np.testing.assert_allclose(found.keypoints[0, :, :2], keypoints, atol=0.5)
    np.testing.assert_allclose(found.keypoints[0, :, 2], keypoint_score, rtol=1e-5)
    assert found.centers[0] == pytest.approx(score)
    assert found.scores[0] == pytest.approx(score * keypoint_score**0.5, rel=1e-4)
    assert found.pose_scores[0] == pytest.approx(score * keypoint_score, rel=1e-4)


def test_people_come_best_first_whatever_their_number():
    maps = empty_maps(80, 100)
    boxes = [(x, y, x + 24, y + 40) for y in range(4, 270, 50) for x in range(4, 370, 30)]
    for i, (x1, y1, x2, y2) in enumerate(boxes):
        plant(maps, (x1, y1, x2, y2), [(x1 + 12, y1 + 20)] * 17, score=0.2 + 0.01 * (i % 70))
    found = decode(maps.maps(), 0.1, limit=1000)
    assert len(found) == len(boxes) == 78
    assert (np.diff(found.centers) <= 0).all()
    assert len(decode(maps.maps(), 0.1, limit=10)) == 10


def test_one_person_has_one_center():
    maps = empty_maps(HEIGHT, WIDTH)
    joints = [(60, 60)] * 17
    plant(maps, (40, 20, 80, 100), joints, score=0.9)
    plant(maps, (44, 20, 84, 100), joints, score=0.8)  # the cell beside it
    plant(maps, (52, 24, 84, 100), joints, score=0.7)  # two cells on, nearly the same box
    found = decode(maps.maps(), 0.1)
    np.testing.assert_allclose(found.boxes, [[40, 20, 80, 100]])


def test_faint_centers_are_not_read():
    maps = empty_maps(HEIGHT, WIDTH)
    plant(maps, (40, 20, 80, 100), [(60, 60)] * 17, score=0.3)
    assert len(decode(maps.maps(), 0.31)) == 0 and len(decode(maps.maps(), 0.29)) == 1


def test_keypoints_come_from_the_persons_own_box():
    maps = empty_maps(HEIGHT, WIDTH)
    plant(maps, (20, 20, 50, 100), [(30, 60)] * 17, keypoint_score=0.3)
    maps.heatmap[:, 15, 30] = 1  # another person's, 22 cells to the right
    maps.regress[:, 1, 15, 8] = 20  # where the center takes the keypoints to be
    keypoints = decode(maps.maps(), 0.1).keypoints[0]
    np.testing.assert_allclose(keypoints, [(30, 60, 0.3)] * 17, rtol=1e-5)


def test_a_broken_network_does_no_harm():
    rng = np.random.default_rng(0)
    for scale in (1.0, 1e6):
        broken = empty_maps(8, 12)
        for field, value in vars(broken).items():
            noise = (rng.normal(size=value.shape) * scale).astype(np.float32)
            setattr(broken, field, noise.clip(0, 1) if field in ("center", "heatmap") else noise)
        found = decode(broken.maps(), 0.01)
        assert len(found)
        for values in (found.boxes, found.keypoints, found.scores):
            assert np.isfinite(values).all()
        assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()


def test_an_input_of_one_cell_is_read():
    assert decode(empty_maps(8, 8).maps(), 0.1).keypoints.shape == (0, 17, 3)


def run_on(network, image):
    def run(part):
        return lambda batch: [output.detach().numpy() for output in part(torch.from_numpy(batch))]

    return MapsRunner(run(PeopleGrid(network)), run(PeopleCells(network)))(image)[0]


def test_the_heads_say_of_single_cells_what_they_say_of_all():
    torch.manual_seed(0)
    network = PeopleMaps().eval()
    image = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), np.uint8)
    maps = run_on(network, image)
    with torch.inference_mode():
        dense = [output[0].numpy() for output in network(torch.from_numpy(image))]
    np.testing.assert_array_equal(maps.center, dense[0][0])
    np.testing.assert_array_equal(maps.heatmap, dense[1])
    rows, columns = (grid.ravel() for grid in np.indices(maps.center.shape))
    cells = maps.read(rows, columns)
    for part, whole in zip((cells.regress, cells.offset, cells.size, cells.center), dense[2:6], strict=True):
        expected = whole.reshape(len(whole), -1).T.reshape(part.shape)
        np.testing.assert_allclose(part, expected, atol=1e-5)


def test_googles_own_decoding_agrees():
    golden = np.load(GOLDEN / "people.npz")
    top, left, height, width = golden["crop"]
    frame = cv2.imread(str(GOLDEN / "market_street.png"))
    network = PeopleMaps().eval()
    network.load_state_dict(read_bundled(WEIGHTS, "people"))
    image = np.ascontiguousarray(frame[None, top : top + height, left : left + width])
    ours = decode(run_on(network, image), 0.3)
    theirs = golden["decoded"][golden["decoded"][:, 55] > 0.1]  # 17 x (y, x, score), y1 x1 y2 x2, score
    assert len(ours) == len(theirs) == 4
    boxes = (theirs[:, 51:55] * [height, width, height, width])[:, [1, 0, 3, 2]]
    np.testing.assert_allclose(ours.boxes, boxes, atol=0.01)
    # Their weight of the distance falls off otherwise, so that some keypoints are in a neighboring cell.
    keypoints = (theirs[:, :51].reshape(-1, 17, 3) * [height, width, 1])[..., [1, 0]]
    apart = np.hypot(*np.moveaxis(ours.keypoints[..., :2] - keypoints, 2, 0))
    assert np.median(apart) < 0.5 and np.percentile(apart, 95) < 4
