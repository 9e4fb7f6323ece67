"""Hidden people cannot be recognized: in the picture, at once, and also where a detector is not sure."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from sepcam.assets import demo_clip
from sepcam.pipelines.hiding.anonymize import HOLD_S, Anonymizer, pixelate
from sepcam.pipelines.hiding.options import Hiding
from sepcam.pipelines.types import Frame, FrameResult, Instances, MaskCrop

HEIGHT, WIDTH = 360, 640
NOBODY = np.zeros((0, 4), np.float32)


def noise():
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def detail(image):
    """How much neighboring pixels differ, on average."""
    return float(np.abs(np.diff(image.astype(int), axis=1)).mean())


def person(box, head=None, presence=1.0):
    """Somebody in a box, with landmarks of a head around a point where one is given."""
    boxes = np.array([box], np.float32)
    keypoints = None
    if head is not None:
        keypoints = np.zeros((1, 33, 3), np.float32)
        x, y = head
        for i, (dx, dy) in enumerate(
            [(0, 0), *[(-4, -4)] * 3, *[(4, -4)] * 3, (-9, -2), (9, -2), (-3, 6), (3, 6)]
        ):
            keypoints[0, i] = x + dx, y + dy, 1
        keypoints[0, 11:13] = (x - 20, y + 30, 1), (x + 20, y + 30, 1)
    return Instances(
        (HEIGHT, WIDTH),
        boxes,
        np.ones(1, np.float32),
        np.zeros(1, np.int64),
        ("person", "dog"),
        keypoints=keypoints,
        presence=None if keypoints is None else np.array([presence], np.float32),
    )


def nobody():
    return Instances((HEIGHT, WIDTH), NOBODY, np.zeros(0, np.float32), np.zeros(0, np.int64), ("person",))


def hidden(found, blur, suspects=NOBODY, anonymizer=None, time_s=0.0, how="blur"):
    """(H, W) bool, the pixels that were changed."""
    before = noise()
    after = before.copy()
    result = FrameResult(Frame(after, 0, time_s), found, likely=suspects)
    (anonymizer or Anonymizer()).hide(after, result, Hiding(**{how: blur}))
    return (before != after).any(axis=2)


BOX = (200, 60, 280, 300)
HEAD = (240, 85)


def test_nothing_is_hidden_unless_asked_for():
    assert not hidden(person(BOX, HEAD), "nothing").any()


def test_a_head_is_hidden_with_a_margin_and_the_body_is_not():
    changed = hidden(person(BOX, HEAD), "faces")
    x, y = HEAD
    assert changed[y - 12 : y + 14, x - 12 : x + 12].mean() > 0.99  # well beyond the landmarks
    assert not changed[y + 60 :].any()


@pytest.mark.parametrize(
    "found",
    [person(BOX), person(BOX, HEAD, presence=0.2), person(BOX, head=(500, 300))],
    ids=["no landmarks", "landmarks in doubt", "landmarks elsewhere"],
)
def test_without_landmarks_to_trust_the_upper_part_of_the_box_is_hidden(found):
    changed = hidden(found, "faces")
    assert changed[70:110, 225:255].mean() > 0.99
    assert not changed[200:].any()


def test_a_whole_person_is_hidden():
    changed = hidden(person(BOX), "people")
    assert changed[60:300, 200:280].mean() > 0.99
    assert not changed[:, 320:].any()


@pytest.mark.parametrize("blur", ["faces", "people"])
def test_whoever_the_detector_only_suspects_is_hidden_too(blur):
    assert hidden(nobody(), blur, np.array([BOX], np.float32))[70:100, 225:255].mean() > 0.99


def test_a_head_of_coco_keypoints_is_hidden_where_they_are_seen():
    found = person(BOX, HEAD)
    assert found.keypoints is not None
    points = found.keypoints[:, [0, 2, 5, 7, 8, 11, 12, *[11] * 10]]
    coco = replace(found, keypoints=points, presence=None)
    x, y = HEAD
    changed = hidden(coco, "faces")
    assert changed[y - 12 : y + 14, x - 12 : x + 12].mean() > 0.99 and not changed[y + 60 :].any()
    points[:, :5, 2] = 0.1
    assert hidden(coco, "faces")[70:110, 225:255].mean() > 0.99  # as without landmarks


@pytest.mark.parametrize("how", ["blur", "hide"])
def test_everything_is_the_whole_image(how):
    assert hidden(nobody(), "everything", how=how).mean() > 0.99


def test_what_is_painted_over_shows_nothing():
    image = noise()
    Anonymizer().hide(image, FrameResult(Frame(image, 0, 0.0), person(BOX)), Hiding(hide="people"))
    assert detail(image[60:300, 200:280]) == 0 and detail(image[:, 320:]) > 50


def test_other_things_are_not_hidden():
    dog = person(BOX)
    dog.labels[:] = 1
    assert not hidden(dog, "people").any()


def test_a_place_stays_hidden_for_a_moment_when_somebody_is_missed():
    anonymizer = Anonymizer()
    hidden(person(BOX), "people", anonymizer=anonymizer, time_s=1.0)
    assert (
        hidden(nobody(), "people", anonymizer=anonymizer, time_s=1.0 + 0.9 * HOLD_S)[60:300, 200:280].mean()
        > 0.99
    )
    assert not hidden(nobody(), "people", anonymizer=anonymizer, time_s=1.0 + 1.1 * HOLD_S).any()


def test_somebody_who_walks_leaves_no_trail():
    anonymizer = Anonymizer()
    for step in range(60):
        x = 10 + step * 8
        changed = hidden(person((x, 60, x + 80, 300)), "people", anonymizer=anonymizer, time_s=step / 30)
    assert not changed[:, : x - 60].any()


def test_whoever_is_missed_beside_somebody_else_stays_hidden():
    anonymizer = Anonymizer()
    left, right = (200, 60, 300, 300), (250, 60, 350, 300)
    both = np.array([left, right], np.float32)
    hidden(nobody(), "people", both, anonymizer, time_s=1.0)
    for step in range(1, 6):
        changed = hidden(nobody(), "people", both[1:], anonymizer, time_s=1.0 + step / 10)
        assert changed[60:300, 200:250].mean() > 0.99


def test_of_what_is_hidden_a_few_blocks_remain():
    image = noise()
    pixelate(image, (100, 100, 200, 220))
    inside = image[100:220, 100:200].reshape(-1, 3)
    assert len(np.unique(inside, axis=0)) <= 150
    assert detail(image[100:220, 100:200]) < 0.1 * detail(noise())


@pytest.mark.parametrize("rect", [(0, 0, 0, 0), (630, 350, 640, 360), (0, 0, 1, 1)])
def test_only_pixels_of_the_rectangle_change_at_the_edges_of_the_image(rect):
    image, (x1, y1, x2, y2) = noise(), rect
    pixelate(image, rect, round_shape=True)
    outside = np.ones(image.shape[:2], bool)
    outside[y1:y2, x1:x2] = False
    assert (image == noise())[outside].all()


def test_faces_in_a_film_lose_their_features():
    """The people of the bundled clip: their heads are hidden where a person would look for them."""
    capture = cv2.VideoCapture(str(demo_clip()))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 170)
    there, image = capture.read()
    capture.release()
    assert there
    image = np.asarray(image, np.uint8)
    before = image.copy()
    walker = Instances(
        image.shape[:2],
        np.array([[350, 130, 420, 260]], np.float32),
        np.ones(1, np.float32),
        np.zeros(1, np.int64),
        ("person",),
        masks=[MaskCrop(np.ones((130, 70), np.uint8), 350, 130)],
    )
    Anonymizer().hide(image, FrameResult(Frame(image, 0, 0.0), walker), Hiding("faces"))
    changed = (before != image).any(axis=2)
    assert changed[140:165, 365:405].mean() > 0.9
    assert not changed[200:].any()


def test_landmarks_of_another_network_are_not_taken_for_a_head():
    """It may have its elbows and wrists where BlazePose and COCO have the face."""
    blazepose = person(BOX, HEAD)
    other = replace(blazepose, keypoints=blazepose.keypoints[:, :20])
    assert (hidden(other, "faces") == hidden(person(BOX), "faces")).all()
    assert not (hidden(blazepose, "faces") == hidden(person(BOX), "faces")).all()
