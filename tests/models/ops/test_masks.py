"""Masks: small crops that agree with the whole picture, and people who do not take each other's pixels."""

import cv2
import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sepcam.models.ops.masks import mask_crops
from sepcam.models.ops.roi import roi_to_image

SIZE = (120, 160)  # height, width


def blob(seed):
    """Smooth random logits, (1, 64, 64)."""
    noise = np.random.default_rng(seed).normal(0, 300, (64, 64)).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 4)[None]


def full(crop):
    pixels, x, y = crop
    mask = np.zeros(SIZE, np.uint8)
    mask[y : y + pixels.shape[0], x : x + pixels.shape[1]] = pixels
    return mask


def flat(value):
    return np.full((64, 64), value, np.float32)


def roi(x, y, side):
    return [x, y, side, 0]


def crops_of(logits, rois, boxes):
    return mask_crops(np.stack(logits), np.array(rois, np.float32), np.array(boxes, np.float32), SIZE)


@settings(max_examples=50)
@given(
    st.integers(0, 1000),
    st.tuples(st.floats(0, 160), st.floats(0, 120), st.floats(20, 200), st.floats(-3, 3)),
    st.tuples(st.floats(-20, 150), st.floats(-20, 110), st.floats(2, 120), st.floats(2, 120)),
)
def test_a_crop_is_what_warping_the_mask_to_the_whole_picture_gives(seed, region, corner):
    x, y, w, h = corner
    edges = np.array([x - 0.025 * w, y - 0.025 * h, x + 1.025 * w, y + 1.025 * h])
    assume((np.abs(edges % 1 - 0.5) > 1e-3).all())  # float32 may round those to either side
    logits, rois = blob(seed), np.array([region], np.float32)
    (crop,) = mask_crops(logits, rois, np.array([[x, y, x + w, y + h]], np.float32), SIZE)

    affine = roi_to_image(rois, 64)[0]
    whole = cv2.warpAffine(logits[0], affine, SIZE[::-1], flags=cv2.INTER_LINEAR, borderValue=(-100,))
    inside = np.zeros(SIZE, bool)
    x1, y1, x2, y2 = np.round(edges).astype(int).clip(0)
    inside[y1:y2, x1:x2] = True
    sure = np.abs(whole) > 5  # where rounding of coordinates cannot turn the sign
    np.testing.assert_array_equal(full(crop)[sure], (inside & (whole > 0))[sure])


def test_the_mask_ends_at_the_box_grown_by_a_fortieth():
    ((pixels, x, y),) = crops_of([flat(50)], [roi(80, 60, 200)], [[40, 20, 80, 100]])
    assert (x, y) == (39, 18)
    assert pixels.shape == (84, 42)
    assert pixels.all()


def test_outside_its_region_nothing_is_the_person():
    (crop,) = crops_of([flat(50)], [roi(40, 60, 20)], [[0, 0, 160, 120]])
    rows, columns = np.nonzero(full(crop))
    assert 29 <= columns.min() < columns.max() <= 51
    assert 49 <= rows.min() < rows.max() <= 71


def test_a_crop_never_leaves_the_picture():
    for pixels, x, y in crops_of(
        [flat(9)] * 3,
        [roi(0, 0, 400)] * 3,
        [[-50, -50, 30, 30], [150, 100, 400, 300], [-9, -9, 999, 999]],
    ):
        assert x >= 0 and y >= 0
        assert x + pixels.shape[1] <= 160 and y + pixels.shape[0] <= 120
        assert pixels.dtype == np.uint8


def test_a_box_outside_the_picture_gives_an_empty_crop():
    ((pixels, x, y),) = crops_of([flat(9)], [roi(0, 0, 400)], [[200, 10, 300, 90]])
    assert (pixels.shape, x, y) == ((0, 0), 0, 0)


def test_no_people_give_no_crops():
    none = np.zeros((0, 4), np.float32)
    assert mask_crops(np.zeros((0, 64, 64), np.float32), none, none, SIZE) == []


def test_whoever_wins_a_pixel_by_two_logits_inside_the_own_box_keeps_it_alone():
    boxes = [[20, 20, 80, 100], [60, 20, 120, 100]]
    left, right = crops_of([flat(10), flat(13)], [roi(80, 60, 240)] * 2, boxes)
    both = full(left) & full(right)
    assert not both.any()
    assert not full(left)[30:90, 60:].any()
    assert full(left)[30:90, 25:55].all()
    assert full(right)[30:90, 60:118].all()


def test_a_narrow_win_leaves_the_pixel_to_both():
    boxes = [[20, 20, 80, 100], [60, 20, 120, 100]]
    left, right = crops_of([flat(10), flat(11)], [roi(80, 60, 240)] * 2, boxes)
    assert (full(left) & full(right))[30:90, 61:79].all()


def test_people_far_apart_do_not_disturb_each_other():
    boxes = [[10, 20, 50, 100], [90, 20, 130, 100]]
    alone = crops_of([flat(10)], [roi(80, 60, 240)], boxes[:1])[0]
    beside = crops_of([flat(10), flat(500)], [roi(80, 60, 240)] * 2, boxes)[0]
    np.testing.assert_array_equal(alone[0], beside[0])
