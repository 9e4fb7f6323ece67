"""MoveNet lightning and thunder as pose networks: the person in the middle of each region."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from sepcam.models import zoo
from sepcam.models.ops import coco
from sepcam.models.pose.movenet import MoveNetPose, read_keypoints
from sepcam.models.types import PoseEstimator

CELLS = 48


def maps(*people):
    """The outputs for one crop with people of (row, column, score); their keypoints form a column."""
    center, heatmap = np.zeros((1, CELLS, CELLS), np.float32), np.zeros((17, CELLS, CELLS), np.float32)
    regress, offset = (np.zeros((17, 2, CELLS, CELLS), np.float32) for _ in range(2))
    offset[:] = 0.5
    for row, column, score in people:
        center[0, row, column] = score
        for kind in range(17):
            heatmap[kind, row + kind - 8, column] = 0.9
            regress[kind, :, row, column] = kind - 7.5, 0.4
    return [
        out[None]
        for out in (center, heatmap, regress.reshape(34, CELLS, CELLS), offset.reshape(34, CELLS, CELLS))
    ]


def expected(row, column):
    return [[(column + 0.5) * 4, (row + kind - 8 + 0.5) * 4, np.float32(0.9)] for kind in range(17)]


def test_keypoints_are_those_of_the_person_in_the_middle():
    found, centers = read_keypoints(*maps((24, 24, 0.6), (20, 5, 0.65), (30, 44, 0.65)))
    np.testing.assert_allclose(found[0], expected(24, 24), atol=1e-4)
    assert centers.tolist() == [np.float32(0.6)]


def test_a_faint_center_in_the_middle_gives_way_to_a_clear_one_beside_it():
    found, centers = read_keypoints(*maps((24, 24, 0.05), (20, 30, 0.8)))
    np.testing.assert_allclose(found[0], expected(20, 30), atol=1e-4)
    assert centers.tolist() == [np.float32(0.8)]


class Network:
    """Sees a person in the middle of each crop that is not black, and counts the crops of each call."""

    def __init__(self):
        self.batches = []

    def __call__(self, crops):
        self.batches.append(len(crops))
        outputs = [maps((24, 24, 0.8) if crop.any() else (24, 24, 0.01)) for crop in crops]
        return [np.concatenate(column) for column in zip(*outputs, strict=True)]


def test_people_come_in_batches_and_in_image_pixels():
    network = Network()
    pose = MoveNetPose(network, 4 * CELLS, name="movenet-lightning")
    assert isinstance(pose, PoseEstimator)
    image = np.full((400, 600, 3), 90, np.uint8)
    rois = np.array([[100 + 30 * k, 200, 96, 0.3] for k in range(10)], np.float32)
    found = pose.estimate(image, rois, masks=False)
    assert network.batches == [8, 2]
    wanted = np.array(expected(24, 24))[:, :2] / 2  # a region is half as large as its crop
    for keypoints, roi in zip(found.keypoints, rois, strict=True):
        np.testing.assert_allclose(keypoints[:, :2], wanted + roi[:2] - 48, atol=1e-3)
    assert found.presence.tolist() == [1] * 10
    assert found.rois[:, 3].tolist() == [0] * 10
    assert (np.abs(found.next_rois[:, :2] - rois[:, :2]) < 4).all()


def test_nobody_is_where_the_network_sees_no_center():
    pose = MoveNetPose(Network(), 4 * CELLS, name="movenet-lightning")
    beyond = np.array([[-500, -500, 80, 0]], np.float32)  # black
    assert pose.estimate(np.full((60, 60, 3), 90, np.uint8), beyond, masks=False).presence.tolist() == [0]
    assert pose.estimate(np.zeros((60, 60, 3), np.uint8), np.zeros((0, 4)), masks=False).keypoints.shape == (
        0,
        17,
        3,
    )
    with pytest.raises(ValueError, match="returns no masks"):
        pose.estimate(np.zeros((60, 60, 3), np.uint8), beyond, masks=True)


@pytest.mark.parametrize("name", ["movenet-lightning", "movenet-thunder"])
def test_googles_weights_find_the_joints_of_a_person(name, movenet_files, cache_dir):
    """Head above hips above feet, most joints there, and the likely ones within the person's box."""
    image = cv2.imread(str(Path(__file__).parents[2] / "golden" / "market_street.png"))
    box = np.array([225, 115, 246, 212])
    side = 1.25 * max(box[2] - box[0], box[3] - box[1])
    roi = np.array([[(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, side, 0]], np.float32)
    pose = zoo.load_pose(name, weights_file=movenet_files / f"{name}.json")
    keypoints = pose.estimate(image, roi, masks=False).keypoints[0]
    height = dict(zip(coco.KEYPOINTS, keypoints[:, 1], strict=True))
    assert height["nose"] < height["left_hip"] < height["left_knee"] < height["left_ankle"]
    assert (keypoints[:, 2] > 0.5).sum() >= 12
    assert ((keypoints[:, :2] >= box[:2] - 4) & (keypoints[:, :2] <= box[2:] + 4))[
        keypoints[:, 2] > 0.3
    ].all()
