"""Look and follow as a whole: who comes in appears in time, and whoever crosses somebody stays who they are.

The people are striped rectangles, each of another color, and the network sees what it is shown: it finds the
extent of each color in its input, whether that is the whole frame or crops side by side. Of two people in one
place every other stripe is seen.
"""

import cv2
import numpy as np
import pytest
from sepcam.models.people.follow import Follow
from sepcam.models.people.network import PeopleNetwork
from sepcam.pipelines.analysis.detection_schedule import APPEAR_S
from sepcam.pipelines.types import Frame

from tests.models.people.people_maps import empty_maps, plant
from tests.walkers import analyzer_of

SIZE = (288, 512)
FPS = 25.0
COLORS = ((40, 60, 220), (220, 90, 30), (60, 200, 60), (200, 40, 200))
STRIPE = 8
GROUND = (128, 128, 128)


def frame(people, index):
    """People are (x1, y1, x2, y2) or None."""
    image = np.full((*SIZE, 3), GROUND, np.uint8)
    for number, (color, box) in enumerate(zip(COLORS, people, strict=False)):
        if box is not None:
            x1, y1, x2, y2 = (max(0, round(side)) for side in box)
            for top in range(y1 + STRIPE * number, y2, 2 * STRIPE):
                image[top : min(top + STRIPE, y2), x1:x2] = color
    return Frame(image, index, index / FPS)


def look_at(size):
    def maps_of(image):
        maps = empty_maps(size[0] // 4, size[1] // 4)
        for color in COLORS:
            there = (np.abs(image.astype(int) - color) < 50).all(2).astype(np.uint8)
            there = cv2.morphologyEx(there, cv2.MORPH_CLOSE, np.ones((2 * STRIPE, 1), np.uint8))
            for x, y, width, height, _ in cv2.connectedComponentsWithStats(there)[2][1:].tolist():
                if width > 2 and height > 12:  # not the seam between two others
                    middle = x + width / 2, y + height / 2
                    plant(maps, (x, y, x + width, y + height), [middle] * 17, score=0.8)
        return maps.maps()

    return lambda batch: [maps_of(image) for image in batch]


def analyze(people_at, count):
    """Per frame the boxes by identity, and whether the whole frame was looked at."""
    network = PeopleNetwork(look_at, None, sizes=(512,), follow=Follow(look_at, 128))
    analyzer = analyzer_of(network, None, ("track", "pose"), fps=FPS, detect_every="auto")
    found = []
    for index in range(count):
        instances, stages = analyzer.analyze(frame(people_at(index), index))
        boxes = dict(zip(instances.track_ids.tolist(), instances.boxes, strict=True))
        found.append((boxes, "detect" in stages))
    return found


def person(x, y=80.0, wide=36.0, high=110.0):
    return (x, y, x + wide, y + high)


def test_whoever_is_not_where_they_are_expected_is_looked_for_at_once():
    """The camera is knocked between two looks."""
    knocked = 17
    found = analyze(lambda index: [person(100 + (20 if index >= knocked else 0)), person(300)], 30)
    assert [looked for _, looked in found[knocked - 1 : knocked + 1]] == [False, True]
    for index, (boxes, _) in enumerate(found[1:], 1):
        assert boxes.keys() == {1, 2}
        assert min(box[0] for box in boxes.values()) == pytest.approx(100 + 20 * (index >= knocked), abs=12)


def test_between_looks_people_are_followed():
    found = analyze(lambda index: [person(40 + 4 * index), person(400, 100)], 50)
    looks = [looked for _, looked in found]
    assert sum(looks) < 20 and looks[0]
    for index, (boxes, _) in enumerate(found[3:], 3):
        assert len(boxes) == 2
        np.testing.assert_allclose(sorted(map(tuple, boxes.values()))[0][0], min(40 + 4 * index, 400), atol=6)


@pytest.mark.parametrize("begin", range(14, 22))
@pytest.mark.parametrize("walks_in", [True, False])
def test_whoever_comes_in_appears_in_time(begin, walks_in):
    def people(index):
        since = index - begin
        there = None if since < 0 else person(480 - 8 * since if walks_in else 300)
        return [person(60 + index), there]

    found = analyze(people, begin + 12)
    shown = next(index for index, (boxes, _) in enumerate(found) if len(boxes) == 2)
    assert (shown - begin) / FPS <= APPEAR_S + 1e-6


@pytest.mark.parametrize(("down", "speed"), [(0, 4.0), (6, 4.0), (20, 4.0), (6, 2.0), (12, 8.0)])
def test_identities_stay_with_people_who_cross(down, speed):
    """While they cross, both are in both crops."""
    steps = round(400 / speed)

    def people(index):
        return [person(30 + speed * index), person(430 - speed * index, 80 + down, high=120.0)]

    found = analyze(people, steps)
    before, after = ({number: box[0] for number, box in found[k][0].items()} for k in (8, steps - 1))
    assert len(before) == 2 and before.keys() == after.keys()
    left, right = sorted(before, key=before.__getitem__)
    assert after[left] > after[right]
    assert all(boxes.keys() <= before.keys() for boxes, _ in found)
