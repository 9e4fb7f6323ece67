"""Between looks, known people are found in crops around them: each once, and nobody in place of another."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sepcam.models.people.canvas import arrange, canvas_size, paint
from sepcam.models.people.follow import Follow
from sepcam.models.people.types import View

from tests.models.people.people_maps import empty_maps, in_input, plant

LOOK = (256, 416)
IMAGE = np.zeros((720, 1280, 3), np.uint8)


def following(people, expected, look=LOOK):
    """What is found where the network sees these people (boxes) wherever a crop shows their middle."""
    slots, _ = arrange(np.float32(expected), 160)

    def compile_canvas(size):
        maps = empty_maps(size[0] // 4, size[1] // 4)
        for slot in slots:
            for box in people:
                corners = (np.float32(box).reshape(2, 2) - slot.view.origin) * slot.view.scale[0]
                middle = corners.mean(0)
                if 0 <= middle[0] < slot.right - slot.left and 0 <= middle[1] < 160:
                    x1, y1, x2, y2 = (corners + np.float32([slot.left, 0])).ravel()
                    x, y = middle[0] + slot.left, middle[1]
                    plant(maps, (x1, y1, x2, y2), [(x, y)] * 17)
        return lambda batch: [maps.maps()]

    return Follow(compile_canvas, 160)(IMAGE, np.float32(expected).reshape(-1, 4), look)


def test_people_are_found_where_they_moved_to():
    now = [(110, 100, 190, 300), (604, 210, 676, 400)]
    people, seen = following(now, [(100, 100, 180, 300), (600, 205, 680, 395)])
    assert len(people) == len(seen) == 2
    np.testing.assert_allclose(sorted(people.boxes.tolist()), now, atol=0.01)
    for box, view in zip(people.boxes, people.views, strict=True):
        assert in_input(people[people.boxes[:, 0] == box[0]], seen[view].view).boxes.min() >= -20


def test_somebody_beside_whom_nobody_expects_is_left_to_the_next_look():
    people, _ = following([(100, 100, 180, 300), (150, 100, 230, 300)], [(100, 100, 180, 300)])
    np.testing.assert_allclose(people.boxes, [(100, 100, 180, 300)], atol=0.01)


@pytest.mark.parametrize("apart", [90, 60, 40, 30, -30, -40, -60])
def test_people_who_cross_are_each_found_once(apart):
    """Both crops show both of them."""
    now = [(500, 100, 580, 300), (500 + apart, 104, 580 + apart, 304)]
    expected = [(504, 100, 584, 300), (497 + apart, 104, 577 + apart, 304)]
    people, _ = following(now, expected)
    assert len(people) == 2
    np.testing.assert_allclose(sorted(people.boxes.tolist()), sorted(map(list, now)), atol=0.01)


def test_one_person_is_not_found_for_two():
    people, _ = following([(500, 100, 580, 300)], [(490, 100, 570, 300), (510, 100, 590, 300)])
    assert len(people) == 1


def test_whoever_is_gone_is_not_found():
    people, _ = following([], [(100, 100, 180, 300)])
    assert len(people) == 0


def test_nobody_is_followed_without_a_network():
    people, seen = Follow(lambda size: pytest.fail("compiled"), 160)(
        IMAGE, np.zeros((0, 4), np.float32), LOOK
    )
    assert len(people) == 0 and not seen


@pytest.mark.parametrize(
    ("count", "look", "cheaper"), [(4, LOOK, True), (12, LOOK, False), (4, (96, 160), False)]
)
def test_many_people_are_left_to_a_look(count, look, cheaper):
    boxes = [(100 * i, 100, 100 * i + 60, 300) for i in range(count)]
    assert (following(boxes, boxes, look) is not None) == cheaper


@given(st.lists(st.tuples(*[st.floats(0, 1200)] * 2, *[st.floats(1, 600)] * 2), min_size=1, max_size=5))
def test_slots_lie_side_by_side_and_show_their_people(corners):
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in corners], np.float32)
    slots, columns = arrange(boxes, 160)
    assert slots[-1].right == columns
    for slot, after in itertools.pairwise(slots):
        assert after.left - slot.right >= 8
    for slot, (x1, y1, x2, y2) in zip(slots, boxes, strict=True):
        (left, top), (scale, _) = slot.view.origin, slot.view.scale
        assert (x1 - left) * scale >= 0 and (x2 - left) * scale <= slot.right - slot.left
        assert (y1 - top) * scale >= 0 and (y2 - top) * scale <= 160
        assert slot.left % 4 == slot.right % 4 == 0


def test_between_the_crops_the_canvas_is_black():
    image = np.full((400, 900, 3), 200, np.uint8)
    slots, columns = arrange(np.float32([(100, 100, 180, 300), (500, 100, 580, 300)]), 160)
    size = canvas_size(columns, 160)
    canvas = paint(image, slots, size)[0]
    assert canvas.shape == (160, 192, 3)
    assert (canvas[:, : slots[0].right] == 200).all() and (
        canvas[:, slots[1].left : slots[1].right] == 200
    ).all()
    assert not canvas[:, slots[0].right : slots[1].left].any() and not canvas[:, slots[1].right :].any()


def test_the_canvas_knows_where_its_crops_come_from():
    (first, second), _ = arrange(np.float32([(0, 0, 50, 128), (300, 0, 350, 128)]), 160)
    assert first.on_canvas == first.view and isinstance(second.on_canvas, View)
    x = (325 - second.on_canvas.origin[0]) * second.view.scale[0]
    assert x == pytest.approx((second.left + second.right) / 2)
