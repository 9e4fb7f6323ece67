"""The pose estimator: people in an image, in one batch, with no more work than was asked for."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from sepcam.models.ops.coco import keypoint_order
from sepcam.models.pose.blazepose import KEYPOINTS, SKELETON, BlazePose
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.models.types import PoseEstimator
from sepcam.models.zoo import load_pose

GOLDEN = Path(__file__).parents[2] / "golden" / "blazepose_a.npz"
OPTIONS = RuntimeOptions(runtime="openvino", device="cpu", precision="f32", threads=2)
WHOLE = np.array([[128, 128, 256, 0]], np.float32)  # the region of a picture that is a crop itself


@pytest.fixture(scope="module")
def pose():
    return load_pose("blazepose-full", options=OPTIONS)


@pytest.fixture(scope="module")
def person():
    return cv2.imdecode(np.load(GOLDEN)["image_png"], cv2.IMREAD_COLOR)


class Network:
    """Stands in for a compiled network: notes the batches, sees people in the middle, owns its outputs."""

    def __init__(self, masks):
        self.masks = masks
        self.batches = []
        self.mask = np.zeros((8, 256, 256), np.float32)

    def __call__(self, images):
        self.batches.append(images.shape)
        n = len(images)
        landmarks = np.full((n, 39, 5), 128, np.float32)
        landmarks[:, 34, 1] = 64
        self.mask[:n] = images.mean((1, 2, 3))[:, None, None]
        outputs = [landmarks.reshape(n, -1), np.ones((n, 1), np.float32)]
        outputs += [self.mask[:n]] if self.masks else []
        return (*outputs, np.full((n, 64, 64, 39), -9, np.float32), np.zeros((n, 117), np.float32))


@pytest.fixture
def compiled():
    return {}


@pytest.fixture
def fake(compiled):
    return BlazePose(lambda masks: compiled.setdefault(masks, Network(masks)))


def test_is_a_pose_estimator(fake):
    assert isinstance(fake, PoseEstimator)
    assert fake.name == "blazepose-full"


def test_finds_the_person_where_the_network_puts_it(pose, person):
    poses = pose.estimate(person, WHOLE, masks=True)
    raw = np.load(GOLDEN)["landmarks"].reshape(39, 5)
    assert poses.presence[0] > 0.99
    visible = poses.keypoints[0, :, 2] > 0.5
    assert visible.sum() > 15
    off = np.hypot(*(poses.keypoints[0, visible, :2] - raw[:33][visible, :2]).T)
    assert off.max() < 20  # refinement moves them by some pixels
    np.testing.assert_allclose(poses.keypoints[0, :, 2], 1 / (1 + np.exp(-raw[:33, 3])), atol=1e-3)
    nose, hips = poses.keypoints[0, 0], poses.keypoints[0, [23, 24]].mean(0)
    assert nose[1] < hips[1]
    assert poses.mask_logits is not None
    assert poses.mask_logits[0, int(hips[1]), int(hips[0])] > 0


def test_finds_the_same_person_in_a_larger_turned_picture(pose, person):
    upright = pose.estimate(person, WHOLE, masks=False)
    turn = np.array([[0, -2, 600], [2, 0, 50]], np.float32)  # a quarter clockwise, twice the size
    scene = cv2.warpAffine(person, turn, (700, 700), borderMode=cv2.BORDER_REPLICATE)
    center = turn[:, :2] @ np.float32([128, 128]) + turn[:, 2]
    turned = pose.estimate(scene, np.array([[*center, 512, np.pi / 2]], np.float32), masks=False)
    wanted = upright.keypoints[0, :, :2] @ turn[:, :2].T + turn[:, 2]
    np.testing.assert_allclose(turned.keypoints[0, :, :2], wanted, atol=4)
    np.testing.assert_allclose(turned.next_rois[0, 2], 2 * upright.next_rois[0, 2], rtol=0.02)
    np.testing.assert_allclose(turned.next_rois[0, 3], upright.next_rois[0, 3] + np.pi / 2, atol=0.02)


def test_the_region_that_the_landmarks_suggest_finds_the_person_again(pose, person):
    first = pose.estimate(person, WHOLE, masks=False)
    second = pose.estimate(person, first.next_rois, masks=False)
    sure = first.keypoints[0, :, 2] > 0.8
    moved = np.hypot(*(first.keypoints - second.keypoints)[0, sure, :2].T)
    assert np.median(moved) < 4


def test_masks_cost_nothing_when_they_are_not_asked_for(fake, compiled):
    poses = fake.estimate(np.zeros((50, 50, 3), np.uint8), WHOLE, masks=False)
    assert poses.mask_logits is None
    assert list(compiled) == [False]


def test_everyone_goes_through_the_network_together(fake, compiled):
    image = np.zeros((50, 50, 3), np.uint8)
    for count in (3, 1, 5):
        poses = fake.estimate(image, np.repeat(WHOLE, count, 0), masks=True)
        assert len(poses) == len(poses.keypoints) == count
    assert compiled[True].batches == [(3, 256, 256, 3), (1, 256, 256, 3), (5, 256, 256, 3)]


def test_the_masks_of_one_frame_outlive_the_next(fake):
    dark = fake.estimate(np.full((50, 50, 3), 10, np.uint8), WHOLE, masks=True)
    fake.estimate(np.full((50, 50, 3), 90, np.uint8), WHOLE, masks=True)
    assert (dark.mask_logits == 10).all()


def test_without_people_nothing_runs(fake, compiled):
    none = np.zeros((0, 4), np.float32)
    poses = fake.estimate(np.zeros((50, 50, 3), np.uint8), none, masks=True)
    assert len(poses) == 0
    assert poses.keypoints.shape == (0, 33, 3)
    assert poses.mask_logits is not None and len(poses.mask_logits) == 0
    assert compiled == {}


def test_a_network_can_be_prepared_ahead(fake, compiled):
    fake.prepare(masks=True)
    assert list(compiled) == [True]


def test_the_skeleton_and_cocos_order_name_real_keypoints():
    assert len(KEYPOINTS) == len(set(KEYPOINTS)) == 33
    assert all(0 <= a < 33 and 0 <= b < 33 for a, b in SKELETON)
    coco = [
        *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
        *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
        *("left_knee", "right_knee", "left_ankle", "right_ankle"),
    ]
    order = keypoint_order(KEYPOINTS)
    assert order is not None and [KEYPOINTS[i] for i in order] == coco


def test_depths_and_world_landmarks_turn_and_grow_with_the_region(pose, person):
    golden = np.load(GOLDEN)
    upright = pose.estimate(person, WHOLE, masks=False).space
    assert upright.shape == (1, 33, 4)
    wanted = golden["world"].reshape(-1, 39, 3)[0, :33]
    np.testing.assert_allclose(upright[0, :, 1:], wanted, atol=0.01)
    np.testing.assert_allclose(upright[0, :, 0], golden["landmarks"].reshape(-1, 39, 5)[0, :33, 2], atol=1)
    # The person lies on the side, in an image of twice the size.
    lying = np.ascontiguousarray(np.rot90(cv2.resize(person, (512, 512))))
    region = np.array([[256, 256, 512, -np.pi / 2]], np.float32)
    turned = pose.estimate(lying, region, masks=False).space
    np.testing.assert_allclose(turned[0, :, 1], upright[0, :, 2], atol=0.1)
    np.testing.assert_allclose(turned[0, :, 2], -upright[0, :, 1], atol=0.1)
    face = slice(11)  # depths of limbs change with every pixel
    np.testing.assert_allclose(turned[0, face, 0], 2 * upright[0, face, 0], atol=15)
