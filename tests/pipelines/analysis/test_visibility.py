"""A joint that cannot be seen carries a low score and is not drawn."""

import numpy as np
from sepcam.pipelines.analysis.visibility import with_visibility
from sepcam.pipelines.drawing.skeleton import MIN_JOINT_SCORE
from sepcam.pipelines.types import Instances, MaskCrop

SIZE = (240, 320)
FAR, NEAR = (60.0, 20.0, 120.0, 160.0), (90.0, 40.0, 160.0, 220.0)


def people(points, *, boxes=(FAR, NEAR), presence=(1.0, 1.0), masks=True):
    """People with the same landmarks, all of visibility 0.9, and masks that fill their boxes."""
    n = len(boxes)
    keypoints = np.array([[(x, y, 0.9) for x, y in points]] * n, np.float32)
    crops = [
        MaskCrop(np.ones((int(y2 - y1), int(x2 - x1)), np.uint8), int(x1), int(y1))
        for x1, y1, x2, y2 in boxes
    ]
    return Instances(
        SIZE,
        np.array(boxes, np.float32),
        np.full(n, 0.9, np.float32),
        np.zeros(n, np.int64),
        ("person",),
        keypoints=keypoints,
        presence=np.array(presence[:n], np.float32),
        masks=crops if masks else None,
    )


def drawn(found):
    return (with_visibility(found).keypoints[..., 2] >= MIN_JOINT_SCORE).tolist()


def test_a_joint_behind_somebody_nearer_is_not_seen():
    free, shared = (70, 50), (100, 100)
    assert drawn(people([free, shared])) == [[True, False], [True, True]]


def test_without_masks_nobody_is_known_to_hide_anybody():
    assert drawn(people([(100, 100)], masks=False)) == [[True], [True]]


def test_a_joint_outside_the_picture_is_not_seen():
    points = [(-1, 50), (70, 240), (320, 50), (70, -0.5), (0, 0), (319.9, 239.9)]
    assert drawn(people(points, boxes=(FAR,))) == [[False] * 4 + [True] * 2]


def test_nobody_there_has_no_visible_joints():
    assert drawn(people([(70, 50)], presence=(0.3, 1.0))) == [[False], [True]]


def test_places_stay_and_the_original_is_left_alone():
    found = people([(-5, 50), (100, 100)])
    before = found.keypoints.copy()
    after = with_visibility(found)
    np.testing.assert_array_equal(after.keypoints[..., :2], before[..., :2])
    np.testing.assert_array_equal(found.keypoints, before)


def test_what_has_no_keypoints_stays_as_it_is():
    nobody = Instances(
        SIZE, np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), ("person",)
    )
    assert with_visibility(nobody) is nobody
