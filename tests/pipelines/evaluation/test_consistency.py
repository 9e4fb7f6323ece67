"""How far two analyses are apart is measured object by object."""

from dataclasses import replace

import numpy as np
import pytest
from sepcam.pipelines.evaluation.consistency import Difference, difference, largest
from sepcam.pipelines.types import Instances, MaskCrop


def found(count: int = 2, **changes) -> Instances:
    boxes = np.array([[10, 10, 30, 60], [40, 10, 60, 60]], np.float32)[:count]
    square = MaskCrop(np.ones((4, 4), np.uint8), 10, 10)
    whole = Instances(
        size=(80, 100),
        boxes=boxes,
        scores=np.full(count, 0.9, np.float32),
        labels=np.zeros(count, np.int64),
        names=("person", "dog"),
        track_ids=np.arange(1, count + 1),
        keypoints=np.full((count, 33, 3), 20, np.float32),
        presence=np.ones(count, np.float32),
        masks=[square] * count,
    )
    return replace(whole, **changes)


def test_the_same_is_no_difference():
    assert difference(found(), found()) == Difference()


def test_nothing_is_the_same_as_nothing():
    assert difference(found(0), found(0)) == Difference()


def test_the_largest_coordinate_counts():
    moved = found().boxes + np.array([[0, 0, 0, 0.25], [0, -0.5, 0, 0]], np.float32)
    points = found().keypoints.copy()
    points[1, 7, 0] -= 3
    points[0, 0, 2] = 0  # scores are no coordinates
    far = difference(found(), found(boxes=moved, keypoints=points))
    assert far == Difference(True, 0.5, 3.0, 1.0)


def test_objects_are_matched_by_identity():
    turned = replace(found(), boxes=found().boxes[::-1].copy(), track_ids=np.array([2, 1]))
    assert difference(found(), turned).boxes_px == 0
    assert difference(found(track_ids=None), turned).boxes_px == 30


@pytest.mark.parametrize(
    "other", [found(1), found(track_ids=np.array([1, 3])), found(labels=np.array([0, 1]))]
)
def test_other_objects_are_told(other):
    assert not difference(found(), other).same_objects


@pytest.mark.parametrize(
    ("other", "iou"),
    [
        (MaskCrop(np.ones((4, 4), np.uint8), 12, 10), 8 / 24),
        (MaskCrop(np.ones((2, 4), np.uint8), 10, 11), 0.5),
        (MaskCrop(np.ones((4, 4), np.uint8), 50, 10), 0.0),
        (None, 0.0),
    ],
)
def test_masks_are_compared_where_they_lie(other, iou):
    one = found(1)
    assert difference(one, replace(one, masks=[other])).mask_iou == pytest.approx(iou)
    assert difference(replace(one, masks=[other]), one).mask_iou == pytest.approx(iou)


def test_empty_masks_agree():
    nothing = [MaskCrop(np.zeros((3, 3), np.uint8), 0, 0)]
    assert difference(found(1, masks=nothing), found(1, masks=nothing)).mask_iou == 1
    assert difference(found(1, masks=[None]), found(1, masks=[None])).mask_iou == 1


def test_the_largest_of_several_is_taken_part_by_part():
    several = [Difference(True, 1, 2, 0.9), Difference(False, 0, 5, 0.95), Difference()]
    assert largest(several) == Difference(False, 1, 5, 0.9)
    assert largest([]) == Difference()
