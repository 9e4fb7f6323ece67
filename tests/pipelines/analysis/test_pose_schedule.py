"""People looked at in turn: everybody within so many frames, and the others move with their boxes."""

import numpy as np
import pytest
from sepcam.models.types import Poses
from sepcam.pipelines.analysis.pose_schedule import PoseSchedule

SIDE = 8


def look(boxes):
    """A person in the middle of each box; the mask bears the box's left edge."""
    n = len(boxes)
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    rois = np.concatenate([centers, (boxes[:, 3:] - boxes[:, 1:2]), np.zeros((n, 1))], 1).astype(np.float32)
    keypoints = np.concatenate([centers, np.ones((n, 1))], 1)[:, None].astype(np.float32)
    logits = np.tile(boxes[:, :1, None], (1, SIDE, SIDE)).astype(np.float32)
    return Poses(rois, keypoints, np.ones(n, np.float32), rois.copy(), logits)


def boxes_at(*lefts, height=100):
    return np.array([[x, 10, x + 40, 10 + height] for x in lefts], np.float32).reshape(-1, 4)


def step(schedule, ids, boxes, *, detected=False):
    """One frame; gives everybody's poses, and who was looked at."""
    ids = np.array(ids, np.int64)
    due = schedule.due(ids, detected=detected)
    return schedule.merge(ids, boxes, due, look(boxes[due])), ids[due].tolist()


def test_in_one_turn_everybody_is_looked_at_in_each_frame():
    schedule = PoseSchedule()
    for _ in range(3):
        assert step(schedule, [1, 2, 3], boxes_at(0, 100, 200))[1] == [1, 2, 3]


@pytest.mark.parametrize("count", [2, 3, 4])
def test_everybody_is_looked_at_once_in_so_many_frames_and_as_many_in_each(count):
    schedule = PoseSchedule()
    schedule.count = count
    ids, boxes = [3, 5, 8, 13, 21, 34, 55, 89], boxes_at(*range(0, 800, 100))
    assert step(schedule, ids, boxes)[1] == ids  # the first time there is nothing to keep
    looked = [step(schedule, ids, boxes)[1] for _ in range(count)]
    assert sorted(i for frame in looked for i in frame) == ids
    assert max(map(len, looked)) - min(map(len, looked)) <= 1


def test_newcomers_are_looked_at_at_once():
    schedule = PoseSchedule()
    schedule.count = 4
    step(schedule, [1], boxes_at(0))
    assert 2 in step(schedule, [1, 2], boxes_at(0, 100))[1]


def test_whoever_is_not_looked_at_moves_and_grows_with_the_box():
    schedule = PoseSchedule()
    schedule.count = 2
    step(schedule, [1, 2], boxes_at(0, 100))
    poses, looked = step(schedule, [1, 2], boxes_at(30, 130, height=200))
    (kept,) = [row for row, number in enumerate([1, 2]) if number not in looked]
    now = look(boxes_at(30, 130, height=200))
    np.testing.assert_allclose(poses.keypoints, now.keypoints)
    np.testing.assert_allclose(poses.rois, now.rois)
    np.testing.assert_allclose(poses.next_rois, now.next_rois)
    assert poses.mask_logits[kept, 0, 0] == (0, 100)[kept]  # the old mask, in the moved region


def test_somebody_who_was_away_is_looked_at_again():
    schedule = PoseSchedule()
    schedule.count = 4
    step(schedule, [1, 2], boxes_at(0, 100))
    step(schedule, [2], boxes_at(100))
    assert 1 in step(schedule, [1, 2], boxes_at(0, 100))[1]


def test_nobody_is_no_trouble():
    schedule = PoseSchedule()
    schedule.count = 2
    assert len(step(schedule, [], boxes_at())[0]) == 0


def test_apart_a_frame_with_a_detection_looks_at_newcomers_alone_and_costs_nobody_a_turn():
    schedule = PoseSchedule()
    schedule.count, schedule.apart = 2, True
    step(schedule, [1, 2], boxes_at(0, 100))
    (first,) = step(schedule, [1, 2], boxes_at(0, 100))[1]
    assert step(schedule, [1, 2, 3], boxes_at(5, 105, 205), detected=True)[1] == [3]
    assert step(schedule, [1, 2], boxes_at(5, 105))[1] == [3 - first]


def test_apart_detections_in_every_frame_take_nobodys_turn_for_long():
    schedule = PoseSchedule()
    schedule.apart = True
    step(schedule, [1, 2], boxes_at(0, 100))
    looked = [step(schedule, [1, 2], boxes_at(0, 100), detected=True)[1] for _ in range(4)]
    assert looked == [[], [1, 2], [], [1, 2]]


def test_what_was_seen_long_ago_is_not_taken_up_again():
    schedule = PoseSchedule()
    schedule.count = 4
    step(schedule, [1, 2], boxes_at(0, 100))
    schedule.count = 1
    step(schedule, [1, 2], boxes_at(50, 150))
    schedule.count = 4
    assert step(schedule, [1, 2], boxes_at(200, 300))[1] == [1, 2]
