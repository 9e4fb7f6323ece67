"""Colors tell people apart where boxes don't, and bring back the identity of whoever was hidden."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sepcam.models.types import Detections
from sepcam.pipelines.tracking.bytetrack import ByteTrack
from sepcam.pipelines.tracking.colors import COLORS, colors_of, with_colors
from sepcam.pipelines.tracking.returns import RETURN_S
from sepcam.pipelines.types import Frame

from tests.walkers import analyzer_of

FPS = 10.0
SIZE = (240, 320)
RED, BLUE, GREEN, GRAY = (40, 30, 200), (190, 60, 30), (60, 170, 40), (120, 120, 120)


def street(*people):
    """An image with people in it, each (x, y, height, color), the first one farthest away."""
    image = np.full((*SIZE, 3), 90, np.uint8)
    for x, y, height, color in people:
        left, right = (np.clip(round(x + side * height / 5), 0, SIZE[1]) for side in (-1, 1))
        image[max(round(y), 0) : round(y + height), left:right] = color
    return image


def box(x, y, height, _=None):
    return x - height / 5, y, x + height / 5, y + height


def found(*people, score=0.9, pose=True):
    """What a network finds of these people: boxes, keypoints in the middle of the torso, colors."""
    n = len(people)
    boxes = np.array([box(*person) for person in people], np.float32).reshape(n, 4)
    keypoints = np.ones((n, 17, 3), np.float32)
    keypoints[..., :2] = np.array([(x, y + 0.4 * height) for x, y, height, _ in people]).reshape(n, 1, 2)
    people_found = Detections(
        boxes, np.full(n, score, np.float32), np.zeros(n, np.int64), keypoints if pose else None
    )
    return with_colors(people_found, street(*people), 0.1)


def identities(tracker, frames):
    """By frame, the identity of each color."""
    seen = []
    for k, people in enumerate(frames):
        _, rows, ids = tracker.follow(found(*people), k / FPS, SIZE)
        seen.append({people[row][3]: number for row, number in zip(rows.tolist(), ids.tolist(), strict=True)})
    return seen


@pytest.mark.parametrize(("turn", "least"), [(False, 30), (True, 28)])
def test_people_who_cross_or_turn_back_where_they_meet_keep_their_identities(turn, least):
    """Of 30 pairs. Who turns back within a frame or two of being hidden may be taken for the other one."""
    rng = np.random.default_rng(1)
    kept = 0
    for _ in range(30):
        speed, offset, hidden = rng.uniform(3, 7), rng.uniform(-4, 4), rng.integers(2, 9)
        frames = []
        for k in range(-16, 17):
            way = speed * (-abs(k) if turn else k)
            pair = [(160 + way, 60 + offset, 90, RED), (160 - way, 62, 90, BLUE)]
            shown = pair[1:] if abs(k) <= hidden // 2 else pair  # blue is in front
            frames.append(
                [(x + rng.normal(0, 1), y + rng.normal(0, 1), h, color) for x, y, h, color in shown]
            )
        seen = identities(ByteTrack(("person",), fps=FPS), frames)
        everyone = {number for each in seen for number in each.values()}
        kept += seen[10] == seen[-1] and len(seen[-1]) == 2 and everyone == {1, 2}
    assert kept >= least


def coming_back(gap_s, *, then=(150, 60, 90, RED), before=(140, 60, 90, RED)):
    """The identity of somebody before and after they were hidden."""
    nobody = [[(290, 100, 60, GREEN)]] * round(gap_s * FPS)
    seen = identities(ByteTrack(("person",), fps=FPS), [[before]] * 6 + nobody + [[then]] * 4)
    return seen[5][before[3]], seen[-1][then[3]]


@pytest.mark.parametrize("gap_s", [1.0, 4.0, RETURN_S - 3])
def test_whoever_was_hidden_gets_the_same_identity(gap_s):
    before, after = coming_back(gap_s)
    assert before == after


@pytest.mark.parametrize(
    ("gap_s", "then"),
    [
        (4.0, (150, 60, 90, BLUE)),
        (RETURN_S + 1, (150, 60, 90, RED)),
        (4.0, (150, 60, 40, RED)),
        (1.0, (290, 150, 70, RED)),
        (4.0, (17, 60, 90, RED)),
    ],
    ids=["other clothes", "too late", "another size", "too far away", "comes in at the border"],
)
def test_others_get_another_one(gap_s, then):
    before, after = coming_back(gap_s, then=then)
    assert before != after


def test_whoever_left_is_not_looked_for():
    before, after = coming_back(4.0, before=(17, 60, 90, RED), then=(60, 60, 90, RED))
    assert before != after


def test_an_identity_is_given_back_to_one_of_two_who_look_alike():
    before = [[(140, 60, 90, RED)]] * 6
    after = [[(120, 60, 90, RED), (190, 62, 90, (42, 32, 200))]] * 4
    seen = identities(ByteTrack(("person",), fps=FPS), before + [[]] * 10 + after)
    assert sorted(seen[-1].values()) == [1, 2]


def test_where_all_look_alike_nobody_is_taken_for_somebody_who_was_hidden():
    others = [(30 + 60 * k, 150, 60, (120 + k, 120, 120)) for k in range(5)]
    before, after = (140, 30, 90, (110, 110, 110)), (150, 30, 90, (112, 112, 112))
    frames = [[*others, before]] * 20 + [others] * 30 + [[*others, after]] * 4
    seen = identities(ByteTrack(("person",), fps=FPS), frames)
    assert seen[-1][after[3]] == len(others) + 2
    assert [seen[-1][one[3]] for one in others] == [seen[10][one[3]] for one in others]


def test_after_a_reset_nobody_returns():
    tracker = ByteTrack(("person",), fps=FPS)
    identities(tracker, [[(140, 60, 90, RED)]] * 6)
    tracker.reset()
    assert identities(tracker, [[(140, 60, 90, RED)]] * 6)[-1] == {RED: 2}


def test_where_colors_are_unknown_boxes_decide_alone():
    walk = [[(100.0 + 3 * k, 60, 90, RED)] for k in range(8)]
    bare, colored = ByteTrack(("person",), fps=FPS), ByteTrack(("person",), fps=FPS)
    for k, people in enumerate(walk):
        seen = found(*people)
        plain = Detections(seen.boxes, seen.scores, seen.labels)
        # Colors may be switched on in the middle, and some may be missing.
        some = plain if k < 4 else seen
        assert bare.follow(plain, k / FPS)[2].tolist() == colored.follow(some, k / FPS, SIZE)[2].tolist()


boxes = st.lists(
    st.tuples(*[st.floats(-50, 400, width=32)] * 2, *[st.floats(0, 300, width=32)] * 2), max_size=4
)


@given(boxes, st.integers(0, 100))
def test_colors_are_unit_vectors_wherever_the_boxes_are(corners, seed):
    image = np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), np.uint8)
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in corners], np.float32).reshape(-1, 4)
    colors = colors_of(image, boxes)
    assert colors.shape == (len(boxes), COLORS)
    assert np.linalg.norm(colors, axis=1) == pytest.approx(np.ones(len(boxes)), abs=1e-5)


def test_the_same_clothes_look_alike_in_any_size_and_others_do_not():
    people = (60, 20, 40, RED), (130, 20, 160, RED), (230, 20, 160, BLUE), (290, 20, 100, GRAY)
    colors = colors_of(street(*people), np.array([box(*person) for person in people], np.float32))
    alike = colors @ colors.T
    assert alike[0, 1] > 0.99
    assert alike[1:, 1:][~np.eye(3, dtype=bool)].max() < 0.1


class Painted:
    """Finds the red square, which may be hidden."""

    name, labels, parts = "painted", ("person",), frozenset()

    def detect(self, image):
        rows, columns = np.nonzero((image == RED).all(2))
        if not len(rows):
            return Detections.empty()
        corners = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return Detections(np.array([corners], np.float32), np.array([0.9], np.float32), np.zeros(1, np.int64))


@pytest.mark.parametrize(("options", "after"), [({}, 1), ({"reid": False}, 2)])
def test_an_analysis_brings_identities_back_unless_it_is_told_not_to(options, after):
    analyzer = analyzer_of(Painted(), tasks=("track",), fps=FPS, **options)
    there, nobody = street((150, 60, 90, RED)), street()
    for index, image in enumerate([*[there] * 6, *[nobody] * 40, *[there] * 4]):
        found, _ = analyzer.analyze(Frame(image, index, index / FPS))
    assert found.track_ids.tolist() == [after]
