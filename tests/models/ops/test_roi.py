"""Regions of interest: where they lie, how they are cut out, and how landmarks come back from them."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sepcam.models.ops.logistic import sigmoid
from sepcam.models.ops.roi import (
    overlap,
    project,
    refine,
    roi_from_boxes,
    roi_from_landmarks,
    roi_to_image,
    sample,
)

SIZE = (480, 640)  # height, width

rois = st.tuples(
    st.floats(-200, 2000), st.floats(-200, 2000), st.floats(4, 3000), st.floats(-math.pi, math.pi)
).map(lambda values: np.array([values], np.float32))


def box_of(roi):
    x, y, side, _ = roi
    return [x - side / 2, y - side / 2, x + side / 2, y + side / 2]


# --- from region to image and back ------------------------------------------------------------------------


@given(rois, st.floats(0, 256), st.floats(0, 256))
def test_a_point_comes_back_from_the_image_to_where_it_was_in_the_region(roi, x, y):
    point = np.array([[[x, y]]], np.float32)
    in_image = project(point, roi, 256)
    back = cv2.transform(in_image, cv2.invertAffineTransform(roi_to_image(roi, 256)[0]))
    # float32 carries 2e-4 px at 3,000; a small region magnifies that.
    np.testing.assert_allclose(back, point, atol=0.01 + 0.2 / roi[0, 2])


@given(rois)
def test_the_middle_of_the_crop_is_the_regions_center_and_its_corners_are_half_a_diagonal_away(roi):
    points = np.array([[[128, 128], [0, 0], [256, 0], [0, 256], [256, 256]]], np.float32)
    middle, *corners = project(points, roi, 256)[0]
    np.testing.assert_allclose(middle, roi[0, :2], atol=0.01)
    distances = np.hypot(*(np.array(corners) - middle).T)
    np.testing.assert_allclose(distances, roi[0, 2] / math.sqrt(2), rtol=1e-3, atol=0.01)


def test_a_region_turned_clockwise_has_its_top_to_the_right():
    top = project(
        np.array([[[128, 0]]], np.float32), np.array([[100, 100, 80, math.pi / 2]], np.float32), 256
    )
    np.testing.assert_allclose(top[0, 0], [140, 100], atol=1e-3)


@given(
    st.floats(100, 540),
    st.floats(100, 380),
    st.floats(5, 400),
    st.floats(-math.pi, math.pi).filter(lambda angle: abs(angle) < math.pi - 1e-3),
)
def test_the_landmark_above_the_head_stands_straight_above_the_center_of_the_next_region(x, y, reach, angle):
    center = np.array([[x, y]], np.float32)
    rim = center + np.float32([[math.sin(angle), -math.cos(angle)]]) * np.float32(reach)
    roi = roi_from_landmarks(center, rim)
    np.testing.assert_allclose(roi[0], [x, y, 2.5 * reach, angle], rtol=1e-3, atol=1e-3)
    above = project(np.array([[[128, 128 - 256 / 2.5]]], np.float32), roi, 256)
    np.testing.assert_allclose(above[0], rim, atol=0.05)


def test_landmarks_that_fall_together_still_give_a_region():
    point = np.array([[50, 60]], np.float32)
    roi = roi_from_landmarks(point, point)
    assert roi[0, 2] >= 1
    assert np.isfinite(roi).all()


# --- the "stand" rule -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("why", "box", "person"),
    [
        ("a whole standing person", [300, 100, 340, 200], [300, 100, 340, 200]),
        ("an upper body: legs are hidden below", [300, 100, 400, 200], [300, 100, 400, 320]),
        ("lying down: wider than high by more than 1 / 0.8", [200, 200, 400, 260], [200, 200, 400, 260]),
        ("cut by the top: the rest is above", [300, 0, 400, 150], [300, -70, 400, 150]),
        ("cut by top and bottom: as any upper body", [100, 0, 500, 480], [100, 0, 500, 880]),
        ("slim and cut at the left", [0, 100, 20, 420], [-80, 100, 20, 420]),
        ("slim and cut at the right", [620, 100, 640, 420], [620, 100, 720, 420]),
        ("slim inside the image", [300, 100, 320, 420], [300, 100, 320, 420]),
    ],
)
def test_stand_rule(why, box, person):
    x1, y1, x2, y2 = person
    wanted = [(x1 + x2) / 2, (y1 + y2) / 2, 1.25 * max(x2 - x1, y2 - y1), 0]
    np.testing.assert_allclose(roi_from_boxes(np.array([box], np.float32), SIZE)[0], wanted, rtol=1e-5)


boxes = st.tuples(st.floats(0, 600), st.floats(0, 440), st.floats(1, 640), st.floats(1, 480)).map(
    lambda b: [b[0], b[1], min(b[0] + b[2], 640), min(b[1] + b[3], 480)]
)


@given(st.lists(boxes, min_size=1, max_size=8))
def test_every_box_lies_in_its_region_whoever_else_is_there(people):
    array = np.array(people, np.float32)
    regions = roi_from_boxes(array, SIZE)
    for box, roi in zip(array, regions, strict=True):
        np.testing.assert_allclose(roi_from_boxes(box[None], SIZE)[0], roi, rtol=1e-5)
        outer = np.array(box_of(roi))
        assert (outer[:2] <= box[:2] + 0.01).all()
        assert (outer[2:] >= box[2:] - 0.01).all()


def test_no_boxes_give_no_regions():
    assert roi_from_boxes(np.zeros((0, 4), np.float32), SIZE).shape == (0, 4)


def test_overlap_is_the_iou_of_the_squares():
    a = np.array([[50, 50, 20, 0], [50, 50, 20, 0], [50, 50, 20, 0]], np.float32)
    b = np.array([[50, 50, 20, 1], [60, 50, 20, 0], [500, 50, 20, 0]], np.float32)
    np.testing.assert_allclose(overlap(a, b), [1, 1 / 3, 0], rtol=1e-6)


# --- sampling ---------------------------------------------------------------------------------------------


def test_a_crop_shows_what_lies_where_project_says():
    y, x = np.mgrid[0:256, 0:256].astype(np.uint8)
    image = np.stack([x, y, np.full_like(x, 7)], 2)
    roi = np.array([[120, 130, 100, 0.4]], np.float32)
    crop = np.zeros((1, 64, 64, 3), np.uint8)
    sample(image, roi, crop)
    grid = np.stack(np.meshgrid(np.arange(64), np.arange(64)), 2).reshape(1, -1, 2).astype(np.float32)
    np.testing.assert_allclose(crop[0, ..., :2].reshape(-1, 2), project(grid, roi, 64)[0], atol=1)
    assert (crop[..., 2] == 7).all()


def test_beyond_the_image_its_edge_is_repeated():
    image = np.zeros((40, 40, 3), np.uint8)
    image[:, -1] = 200
    crop = np.zeros((1, 32, 32, 3), np.uint8)
    sample(image, np.array([[80, 20, 32, 0]], np.float32), crop)
    assert (crop == 200).all()


# --- heatmap refinement -----------------------------------------------------------------------------------


def refine_one(x, y, heatmap):
    """MediaPipe's RefineLandmarksFromHeatmapCalculator for one landmark, spelled out."""
    size = len(heatmap)
    column, row = int(x * size), int(y * size)
    if not (0 <= column < size and 0 <= row < size):
        return x, y
    x1, x2, y1, y2 = max(0, column - 3), min(size, column + 4), max(0, row - 3), min(size, row + 4)
    weight = 1 / (1 + np.exp(-heatmap[y1:y2, x1:x2].astype(np.float64)))
    if weight.max() < 0.5:
        return x, y
    columns, rows = np.arange(x1, x2), np.arange(y1, y2)[:, None]
    return (weight * columns).sum() / weight.sum() / size, (weight * rows).sum() / weight.sum() / size


@given(st.integers(0, 2**32 - 1))
def test_refines_every_landmark_of_everyone_as_mediapipe_refines_one(seed):
    random = np.random.default_rng(seed)
    points = random.uniform(-0.1, 1.1, (3, 5, 2)).astype(np.float32)
    heatmaps = random.normal(-2, 2, (3, 16, 16, 6)).astype(np.float32)
    wanted = [[refine_one(*points[n, k], heatmaps[n, :, :, k]) for k in range(5)] for n in range(3)]
    np.testing.assert_allclose(refine(points, heatmaps), wanted, atol=1e-5)


def test_sigmoid_does_not_overflow():
    np.testing.assert_allclose(sigmoid(np.array([-1500, 0, 1500], np.float32)), [0, 0.5, 1], atol=1e-30)
