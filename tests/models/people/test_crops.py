"""Crops of the second look show the person in the middle, in the size that the network reads best."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sepcam.models.people.crops import COLUMNS, ROWS, crop_around, cut
from sepcam.models.people.types import People, View

from tests.models.people.people_maps import in_input


def cut_out(image, view, size):
    out = np.full((*size, 3), 77, np.uint8)
    cut(image, view, out)
    return out


@given(st.floats(-50, 900), st.floats(-50, 900), st.floats(1, 900), st.floats(1, 900))
def test_the_person_is_in_the_middle_and_of_the_wanted_size(x, y, width, height):
    view, size = crop_around(np.array([x, y, x + width, y + height], np.float32))
    (left, top), (scale, other) = view.origin, view.scale
    assert scale == other and size[0] == ROWS and size[1] in COLUMNS
    assert (x + width / 2 - left) * scale == pytest.approx(size[1] / 2, abs=0.1)
    assert (y + height / 2 - top) * scale == pytest.approx(size[0] / 2, abs=0.1)
    assert height * scale <= 160.1 and width * scale <= 200.1
    if height >= 0.8 * width:
        assert height * scale == pytest.approx(160, rel=1e-3)


@pytest.mark.parametrize(("width", "columns"), [(60, 96), (100, 160), (128, 160), (190, 256), (400, 256)])
def test_the_crop_is_as_wide_as_the_person_needs(width, columns):
    _, size = crop_around(np.array([0, 0, width, 160], np.float32))
    assert size == (192, columns)


@pytest.mark.parametrize("scale", [0.23, 0.5, 1.0, 1.7])
def test_what_is_cut_out_lies_where_the_view_says(scale):
    image = np.zeros((400, 500, 3), np.uint8)
    spots = [(180, 120), (260, 185), (222, 161)]  # pixels' edges, in the image
    for x, y in spots:
        image[y - 6 : y + 6, x - 6 : x + 6] = 255
    view = View((150.3, 90.7), (scale, scale))
    crop = cut_out(image, view, (192, 256)).mean(2)
    for x, y in spots:
        at = (np.array([x, y]) - view.origin) * scale
        x0, y0 = np.maximum((at - 10 * scale).astype(int), 0)
        x1, y1 = np.ceil(at + 10 * scale).astype(int)
        patch = crop[y0:y1, x0:x1]
        rows, columns = np.indices(patch.shape)
        center = np.array([(columns * patch).sum(), (rows * patch).sum()]) / patch.sum() + (x0, y0)
        np.testing.assert_allclose(center, at - 0.5, atol=0.12)


def test_beyond_the_image_it_is_black():
    image = np.full((50, 40, 3), 200, np.uint8)
    crop = cut_out(image, View((-20, -30), (1.0, 1.0)), (192, 96))
    assert (crop[32:78, 22:58] == 200).all()
    assert not crop[:29].any() and not crop[:, :19].any() and not crop[82:].any() and not crop[:, 62:].any()


@pytest.mark.parametrize("origin", [(-500, 0), (0, 5000), (41, 0), (-96, -192)])
def test_a_crop_beside_the_image_is_black(origin):
    image = np.full((50, 40, 3), 200, np.uint8)
    assert not cut_out(image, View(origin, (1.0, 1.0)), (192, 96)).any()


def test_large_people_are_averaged_and_not_skipped():
    image = np.zeros((960, 480, 3), np.uint8)
    image[::2] = 255  # stripes that bilinear sampling would turn into patterns
    crop = cut_out(image, View((0, 0), (0.1, 0.1)), (192, 96))
    assert np.abs(crop[4:92, 4:44].astype(int) - 127).max() <= 3


@given(st.floats(-100, 100), st.floats(0.2, 3), st.floats(0.2, 3))
def test_a_view_maps_there_and_back(origin, fx, fy):
    boxes, one = np.array([[10, 20, 60, 150]], np.float32), np.ones(1, np.float32)
    keypoints = np.random.default_rng(0).uniform(0, 100, (1, 17, 3)).astype(np.float32)
    people = People(boxes, one, keypoints, one, one, np.zeros(1, np.int64))
    view = View((origin, -origin), (fx, fy))
    back = view.to_image(in_input(people, view))
    np.testing.assert_allclose(back.boxes, boxes, atol=1e-3)
    np.testing.assert_allclose(back.keypoints, keypoints, atol=1e-3)


def test_a_resized_image_is_what_the_view_of_it_shows():
    rng = np.random.default_rng(1)
    image = cv2.resize(rng.integers(0, 256, (30, 40, 3), np.uint8), (400, 300), interpolation=cv2.INTER_CUBIC)
    whole = cv2.resize(image, (200, 150), interpolation=cv2.INTER_AREA)
    crop = cut_out(image, View((0, 0), (0.5, 0.5)), (150, 200))
    assert np.abs(crop.astype(int) - whole).max() <= 1
