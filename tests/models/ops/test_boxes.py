"""Letterboxing, non-maximum suppression and box voting."""

import cv2
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from sepcam.models.ops.boxes import nms, vote
from sepcam.models.ops.letterbox import Letterbox


def reference_nms(boxes, scores, labels, iou, limit):
    """The definition, pair by pair."""

    def overlap(a, b):
        width, height = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
        both = max(width, 0) * max(height, 0)
        return both / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - both)

    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        rivals = [k for k in kept if labels[k] == labels[i]]
        if all(overlap(boxes[k], boxes[i]) <= iou for k in rivals):
            kept.append(int(i))
    return kept[:limit]


@st.composite
def candidates(draw):
    n = draw(st.integers(0, 25))
    # Whole pixels and distinct scores: no overlap then lies within rounding of the threshold.
    corner = draw(hnp.arrays(np.int64, (n, 2), elements=st.integers(0, 40)))
    side = draw(hnp.arrays(np.int64, (n, 2), elements=st.integers(1, 40)))
    scores = np.array(draw(st.permutations(range(1, n + 1))), np.float32) / (n + 1)
    labels = draw(hnp.arrays(np.int64, n, elements=st.integers(0, 2)))
    return np.concatenate([corner, corner + side], 1).astype(np.float32), scores, labels


@settings(max_examples=200, deadline=None)
@given(candidates(), st.integers(1, 30))
def test_nms_keeps_what_its_definition_keeps(found, limit):
    boxes, scores, labels = found
    iou = 0.4517  # is no ratio of small whole numbers
    assert nms(boxes, scores, labels, iou, limit).tolist() == reference_nms(boxes, scores, labels, iou, limit)


def test_a_box_is_the_mean_of_those_of_its_class_that_agree_with_it_by_their_scores():
    boxes = np.array([[0, 0, 10, 20], [1, 0, 11, 20], [9, 0, 19, 20], [0, 0, 10, 19]], np.float32)
    scores, labels = np.array([0.75, 0.25, 0.5, 0.6], np.float32), np.array([0, 0, 0, 1])
    voted = vote(boxes, scores, labels, np.array([0, 3, 2]), 0.8)
    np.testing.assert_allclose(voted, [[0.25, 0, 10.25, 20], [0, 0, 10, 19], [9, 0, 19, 20]])
    assert voted.dtype == np.float32


@settings(max_examples=50, deadline=None)
@given(candidates())
def test_voting_keeps_boxes_where_they_were_chosen(found):
    boxes, scores, labels = found
    kept = nms(boxes, scores, labels, 0.5, 30)
    voted = vote(boxes, scores, labels, kept, 0.8)
    sides = boxes[kept, 2:] - boxes[kept, :2]
    assert voted.shape == (len(kept), 4)
    assert (np.abs(voted - boxes[kept]) <= np.tile(sides, 2) * 0.25 + 1e-3).all()


def test_boxes_of_other_classes_do_not_suppress_each_other():
    boxes = np.array([[0, 0, 10, 10]] * 3, np.float32)
    kept = nms(boxes, np.array([0.5, 0.9, 0.8], np.float32), np.array([0, 0, 1]), 0.5, 10)
    assert kept.tolist() == [1, 2]


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.tuples(st.sampled_from([32, 64, 96]), st.sampled_from([32, 160])),
)
def test_a_letterboxed_picture_fills_one_side_and_maps_back_to_its_own_corners(height, width, size):
    batch, scale = Letterbox(size)(np.full((height, width, 3), 200, np.uint8))

    inner = np.round(np.array([width, height]) * scale).astype(int)
    picture, beside = (batch[0] == 200).all(2), (batch[0] == 114).all(2)
    assert batch.shape == (1, *size, 3)
    assert picture[: inner[1], : inner[0]].all() and picture.sum() == inner.prod()
    assert beside.sum() == np.prod(size) - inner.prod()
    assert (inner >= 1).all() and (inner <= size[::-1]).all()
    assert (inner / size[::-1]).max() == pytest.approx(1, abs=1 / 32)


def test_a_smaller_picture_after_a_larger_one_leaves_nothing_of_it():
    letterbox = Letterbox((64, 64))
    letterbox(np.full((64, 64, 3), 255, np.uint8))
    batch, _ = letterbox(np.zeros((16, 64, 3), np.uint8))
    assert (batch[0, :16] == 0).all() and (batch[0, 16:] == 114).all()


def test_a_letterboxed_picture_is_the_scaled_one():
    image = np.random.default_rng(0).integers(0, 256, (48, 100, 3), np.uint8)
    batch, scale = Letterbox((64, 64))(image)
    assert scale.tolist() == pytest.approx([0.64, 30 / 48])
    assert np.array_equal(batch[0, :30], cv2.resize(image, (64, 30)))
