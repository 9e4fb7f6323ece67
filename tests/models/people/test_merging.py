"""Several finds of one person become one, and finds of several people stay apart."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sepcam.models.people.merging import (
    find_again,
    merge_detector,
    merge_looks,
    merge_second,
    pose_similarity,
    unique,
)
from sepcam.models.people.types import People


def people(boxes, scores, *, keypoint_score=0.5, shift=0.0):
    """People whose 17 keypoints lie on a line down their boxes, moved by ``shift`` pixels."""
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    scores = np.array(scores, np.float32)
    down = np.linspace(0.05, 0.95, 17, dtype=np.float32)
    keypoints = np.full((len(boxes), 17, 3), keypoint_score, np.float32)
    keypoints[..., 0] = (boxes[:, :1] + boxes[:, 2:3]) / 2 + shift
    keypoints[..., 1] = boxes[:, 1:2] + (boxes[:, 3:] - boxes[:, 1:2]) * down
    views = np.zeros(len(boxes), np.int64)
    return People(boxes, scores, keypoints, scores * np.float32(keypoint_score), scores.copy(), views)


BOX = (100, 50, 150, 200)


def test_finds_with_one_box_are_one_person():
    found = unique(people([(102, 52, 152, 198), BOX], [0.5, 0.9], shift=3))
    assert found.boxes.tolist() == [list(BOX)] and found.scores.tolist() == [np.float32(0.9)]


def test_finds_with_one_pose_and_boxes_that_overlap_are_one_person():
    half = (100, 50, 150, 125)  # IoU 0.5
    upper, whole = people([half], [0.5]), people([BOX], [0.9])
    same = replace(upper, keypoints=whole.keypoints.copy())
    assert len(merge_looks([whole, upper])) == 2
    assert len(merge_looks([whole, same])) == 1


def test_a_find_that_ends_at_the_hips_is_the_person_whose_upper_half_it_is():
    half = (100, 50, 150, 125)
    upper, whole = people([half], [0.5]), people([BOX], [0.9])
    keypoints = whole.keypoints.copy()
    keypoints[:, 11:, :2], keypoints[:, 11:, 2] = upper.keypoints[:, 11:, :2], 0.05  # legs, somewhere
    assert len(merge_looks([whole, replace(upper, keypoints=keypoints)])) == 1
    keypoints[:, :11, 0] += 25  # somebody else, in front
    assert len(merge_looks([whole, replace(upper, keypoints=keypoints)])) == 2


def test_people_behind_one_another_stay_apart():
    assert len(unique(people([BOX, (125, 50, 175, 200)], [0.9, 0.8]))) == 2


def test_poses_without_any_keypoint_are_not_compared():
    boxes = [(100, 50, 150, 200), (100, 50, 150, 125)]
    assert len(unique(people(boxes, [0.9, 0.8], keypoint_score=0.0))) == 2


def test_a_pose_is_most_similar_to_itself():
    keypoints = people([BOX], [1.0]).keypoints
    areas = np.array([7500], np.float32)
    moved = keypoints + np.array([5, 0, 0], np.float32)
    far = keypoints + np.array([500, 0, 0], np.float32)
    similarities = [float(pose_similarity(keypoints, other, areas)[0]) for other in (keypoints, moved, far)]
    assert similarities[0] == 1 and 0.3 < similarities[1] < 0.95 and similarities[2] < 1e-6


@given(arrays(np.float32, (12, 4), elements=st.floats(0, 200, width=32)), st.permutations(range(12)))
def test_the_best_finds_stay_whatever_their_order(corners, order):
    boxes = np.concatenate([corners[:, :2], corners[:, :2] + corners[:, 2:] + 8], 1)
    scores = np.linspace(0.1, 0.9, 12)
    one, other = unique(people(boxes, scores)), unique(people(boxes[order], scores[order]))
    np.testing.assert_array_equal(one.boxes, other.boxes)
    assert one.scores[0] == np.float32(0.9)
    assert (np.diff(one.scores) <= 0).all()


def test_nobody_merges_with_nobody():
    none = np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
    assert len(merge_looks([People.empty(), People.empty()])) == 0
    assert len(merge_detector(*none, People.empty())) == 0
    assert len(merge_second(People.empty(), [])) == 0
    assert find_again(np.array(BOX, np.float32), People.empty()) is None


def test_a_detectors_box_and_a_look_confirm_each_other():
    looks = people([(104, 50, 154, 200), (300, 50, 350, 200)], [0.5, 0.6])
    boxes, scores = np.array([BOX, (10, 10, 40, 90)], np.float32), np.array([0.8, 0.3], np.float32)
    merged = merge_detector(boxes, scores, looks)
    assert len(merged) == 3
    assert merged.boxes[0, 0] == pytest.approx(100 + 4 * 0.4 / 1.2, rel=1e-5)
    assert merged.scores == pytest.approx([1 - 0.2 * 0.6, 0.3, 0.48])
    np.testing.assert_array_equal(merged.keypoints[0], looks.keypoints[0])
    assert not merged.keypoints[1].any() and merged.views.tolist() == [0, -1, 0]


def test_a_look_confirms_one_box_only():
    boxes = np.array([BOX, (101, 50, 151, 200)], np.float32)
    merged = merge_detector(boxes, np.array([0.8, 0.7], np.float32), people([BOX], [0.5]))
    assert merged.scores == pytest.approx([1 - 0.2 * 0.6, 0.7])


def test_the_person_found_again_is_the_one_of_the_box():
    box = np.array(BOX, np.float32)
    found = people([(300, 50, 350, 200), (102, 50, 152, 200), (110, 50, 160, 190)], [0.9, 0.5, 0.4])
    assert find_again(box, found) == 1
    assert find_again(box, found[:1]) is None


def test_a_second_look_gives_keypoints_and_half_a_box():
    first = people([BOX, (300, 50, 350, 200)], [0.5, 0.5], keypoint_score=0.4)
    first = replace(first, views=np.array([3, 4]))
    second = people([(110, 50, 160, 200)], [0.5], keypoint_score=0.9, shift=2)
    merged = merge_second(first, [second, None])
    np.testing.assert_allclose(merged.boxes, [(105, 50, 155, 200), (300, 50, 350, 200)])
    np.testing.assert_array_equal(merged.keypoints[0], second.keypoints[0])
    np.testing.assert_array_equal(merged.keypoints[1], first.keypoints[1])
    assert merged.scores == pytest.approx([0.5 * 0.9**0.25, 0.5 * 0.4**0.25])
    assert merged.pose_scores == pytest.approx([0.45, 0.3 * 0.2])
    assert merged.views.tolist() == [3, 4]


def test_two_people_who_become_one_in_the_second_look_are_one():
    first = people([BOX, (130, 50, 180, 200)], [0.6, 0.5])
    second = people([BOX], [0.9])
    merged = merge_second(first, [second, replace(second, boxes=np.array([(98, 50, 140, 200)], np.float32))])
    assert len(merged) == 1
