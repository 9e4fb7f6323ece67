"""Lines and zones count people by where they stand, tell who crossed, and are drawn with their tallies."""

import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.analytics.zones import Crossing, Zone, ZoneCounter, parse_zone
from sepcam.pipelines.drawing.zones import draw_counts
from sepcam.pipelines.types import Instances

SIZE = (320, 240)


def people(*places, labels=None):
    """People with identities 1, 2, ... whose feet are at (x, y); None for one who is not seen."""
    seen = [(i, place) for i, place in enumerate(places, 1) if place is not None]
    boxes = np.array([[x - 10, y - 60, x + 10, y] for _, (x, y) in seen], np.float32).reshape(-1, 4)
    n = len(seen)
    return Instances(
        SIZE[::-1],
        boxes,
        np.ones(n, np.float32),
        np.zeros(n, np.int64) if labels is None else np.array(labels),
        ("person", "dog"),
        np.array([i for i, _ in seen], np.int64),
    )


def walk(marks, *frames):
    return [
        crossing
        for number, places in enumerate(frames)
        for crossing in marks.update(people(*places), number / 30)
    ]


def test_a_line_counts_both_ways():
    line = ZoneCounter([parse_zone("160,0,160,240", line=True)], SIZE)
    steps = [[(x, 200)] for x in range(100, 221, 10)]
    there = walk(line, *steps)
    back = walk(line, *steps[::-1])
    assert [c.track_id for c in there + back] == [1, 1]
    assert there[0].inwards != back[0].inwards
    assert [(c.first, c.second) for c in line.counts()] == [(1, 1)]


def test_people_to_the_right_of_a_line_drawn_upwards_come_in_over_it():
    # From the first point to the second: in is from the right to the left.
    upwards = ZoneCounter([parse_zone("160,240,160,0", line=True)], SIZE)
    assert [c.inwards for c in walk(upwards, *[[(x, 200)] for x in range(220, 99, -10)])] == [True]


def test_passing_beyond_the_ends_of_a_line_does_not_count():
    short = ZoneCounter([parse_zone("160,0,160,50", line=True)], SIZE)
    assert walk(short, *[[(x, 200)] for x in range(100, 221, 10)]) == []


def test_a_zone_tells_who_enters_and_leaves():
    zone = ZoneCounter([parse_zone("100,150,200,150,200,239,100,239", line=False)], SIZE)
    crossings = walk(zone, [(50, 200)], [(150, 200)], [(150, 200)], [(250, 200)])
    assert crossings == [Crossing(0, False, True, 1), Crossing(0, False, False, 1)]
    assert [str(c) for c in zone.counts()] == ["zone 1: 0 now, 1 in all"]


def test_somebody_unseen_for_a_moment_has_not_left_the_zone():
    zone = ZoneCounter([parse_zone("0,0,319,0,319,239,0,239", line=False)], SIZE)
    assert len(walk(zone, [(150, 200)], [None], [None], [(150, 200)])) == 1
    gone = walk(zone, *[[None]] * 60)
    assert gone == [Crossing(0, False, False, 1)]


def test_how_long_somebody_may_go_unseen_is_a_matter_of_time_not_of_frames():
    zone = ZoneCounter([parse_zone("0,0,319,0,319,239,0,239", line=False)], SIZE)
    assert len(zone.update(people((150, 200)), 0.0)) == 1
    assert zone.update(people(None), 0.9) == []
    assert zone.update(people(None), 1.8) == [Crossing(0, False, False, 1)]


def test_dogs_do_not_count():
    zone = ZoneCounter([parse_zone("0,0,319,0,319,239,0,239", line=False)], SIZE)
    assert zone.update(people((150, 200), labels=[1]), 0.0) == []


def test_without_identities_nothing_is_counted():
    zone = ZoneCounter([parse_zone("0,0,319,0,319,239,0,239", line=False)], SIZE)
    nameless = Instances(
        SIZE[::-1], np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), ()
    )
    assert zone.update(nameless, 0.0) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        *(("1,2,3", True), ("1,2,3,4,5,6", True), ("1,2,1,2", True), ("a,b,c,d", True), ("", True)),
        *(("-5,0,5,5", True), ("nan,0,5,5", True)),
        *(("1,2,3,4", False), ("1,2,3,4,5", False), ("0,0,1,1,0,0", False)),
    ],
)
def test_an_invalid_line_or_zone_is_refused(text, line):
    with pytest.raises(SepcamError, match=r"is not a valid (line|zone): write"):
        parse_zone(text, line=line)


def test_both_ways_of_writing_points_are_read():
    assert parse_zone("1,2 3,4", line=True) == Zone(((1, 2), (3, 4))) == parse_zone("1, 2, 3, 4", line=True)


def test_a_zone_outside_the_frame_is_refused():
    with pytest.raises(SepcamError, match="lies outside the frame, which has 320x240 pixels"):
        ZoneCounter([parse_zone("0,0,640,480", line=True)], SIZE)


def test_drawing_changes_the_picture_near_the_mark_alone():
    image = np.full((240, 320, 3), 128, np.uint8)
    draw_counts(image, ZoneCounter([parse_zone("20,100,60,100", line=True)], SIZE).counts())
    assert (image != 128).any()
    assert (image[150:] == 128).all() and (image[:, 250:] == 128).all()
