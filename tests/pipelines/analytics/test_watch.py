"""Lines and zones count by where people stand; events say who comes, goes and crosses, and when."""

from dataclasses import replace

import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.analytics.tally import Tally
from sepcam.pipelines.analytics.watch import Watch
from sepcam.pipelines.analytics.zones import parse_zone
from sepcam.pipelines.drawing.zones import draw_counts
from sepcam.pipelines.events import Event
from sepcam.pipelines.statistics import Statistics

from tests.pipelines.analytics.people import SIZE, people, results, walk

MIDDLE = parse_zone("middle: 0.5,0,0.5,1", "line")
BELOW = parse_zone("below: 100,150,200,150,200,239,100,239", "zone")


def places(*xs, y=200):
    return [[(x, y)] for x in xs]


def told(events):
    return [(event.frame, event.name, event.direction) for event in events]


def test_a_line_counts_both_ways_and_dates_a_crossing_to_the_first_frame_beyond():
    watch = Watch([MIDDLE], SIZE)
    there = walk(watch, *places(100, 130, 150, 170, 200, 220, 220))
    assert told(there) == [(3, "middle", "in")]
    back = walk(Watch([MIDDLE], SIZE), *places(220, 180, 140, 100, 100, 100))
    assert told(back) == [(2, "middle", "out")]
    assert [str(count) for count in watch.counts] == ["middle: 1 in, 0 out"]


def test_people_to_the_right_of_a_line_drawn_upwards_come_in_over_it():
    # From the first point to the second: in is from the right to the left.
    upwards = Watch([parse_zone("160,240,160,0", "line")], SIZE)
    assert [event.direction for event in walk(upwards, *places(220, 180, 140, 100, 100, 100))] == ["in"]


def test_passing_beyond_the_ends_of_a_line_does_not_count():
    short = Watch([parse_zone("160,0,160,50", "line")], SIZE)
    assert walk(short, *places(100, 140, 180, 220, 220, 220)) == []
    # Nor does somebody who walks around it.
    around = [(140, 30), (140, 90), (180, 90), (180, 30), (180, 30), (180, 30), (180, 30)]
    assert walk(Watch([parse_zone("160,0,160,50", "line")], SIZE), *[[place] for place in around]) == []


def test_somebody_who_stands_on_a_line_is_not_counted_again_and_again():
    shaking = places(140, *[158, 163] * 10, 140, 140, 140, 140)
    assert walk(Watch([MIDDLE], SIZE), *shaking) == []


@pytest.mark.parametrize(("away_s", "crossed"), [(50, ["in"]), (70, [])])
def test_where_somebody_stood_is_forgotten_after_a_minute(away_s, crossed):
    events = walk(Watch([MIDDLE], SIZE), *places(100, 220, 220), fps=1 / away_s)
    assert [event.direction for event in events] == crossed


def test_somebody_missed_for_a_second_while_crossing_is_counted():
    missed = [[(140, 200)], *[[None]] * 10, *places(180, 180, 180, 180)]
    assert told(walk(Watch([MIDDLE], SIZE), *missed)) == [(11, "middle", "in")]


@pytest.mark.parametrize("fps", [2.0, 10.0, 100.0])
def test_how_long_somebody_has_to_stay_beyond_a_line_is_a_matter_of_time(fps):
    frames = places(140, *[180] * (round(0.25 * fps) + 2))
    assert len(walk(Watch([MIDDLE], SIZE), *frames, fps=fps)) == 1


def test_feet_are_the_ankles_that_are_seen():
    across = [180, 200, 1.0], [190, 198, 1.0]  # the box stands at 150, left of the line
    hidden = [180, 200, 0.2], [190, 198, 0.2]
    above = [180, 150, 1.0], [190, 150, 1.0]
    for ankles, crossed in ((across, 1), (hidden, 0), (above, 0)):
        frames = results([people((150, 204))] + [people((150, 204), ankles=ankles)] * 4)
        watch = Watch([MIDDLE], SIZE)
        assert sum(bool(event.name) for result in frames for event in watch.update(result).events) == crossed


def test_classes_are_counted_by_themselves():
    watch = Watch([MIDDLE], SIZE)
    for result in results(
        [people((100, 200), (220, 200), labels=[0, 1])] + [people((220, 200), (100, 200), labels=[0, 1])] * 5
    ):
        watch.update(result)
    assert [str(count) for count in watch.counts] == ["middle: person 1 in, 0 out; dog 0 in, 1 out"]


def test_a_zone_tells_who_enters_and_leaves_and_for_how_long():
    watch = Watch([BELOW], SIZE)
    events = walk(watch, *places(50, 150, 150, 150, 250))
    assert told(events) == [(1, "below", "in"), (3, "below", "out")]
    assert events[1].seconds == pytest.approx(0.2)
    assert [str(count) for count in watch.counts] == ["below: 0 now, 1 in all"]


def test_somebody_on_the_edge_of_a_zone_does_not_leave_again_and_again():
    assert told(walk(Watch([BELOW], SIZE), *places(150, *[200.5, 199] * 10))) == [(0, "below", "in")]


def test_how_long_somebody_in_a_zone_may_go_unseen_is_a_matter_of_time():
    everywhere = parse_zone("all: 0,0,1,0,1,1,0,1", "zone")
    for fps in (10.0, 1.9):
        assert len(walk(Watch([everywhere], SIZE), [(150, 200)], [None], [(150, 200)], fps=fps)) == 1
    gone = walk(Watch([everywhere], SIZE), [(150, 239)], *[[None]] * 12)
    assert told(gone) == [(0, "all", "in"), (0, "all", "out")]


def test_a_zone_outside_the_frame_is_refused():
    with pytest.raises(SepcamError, match="lies outside the frame, which has 320x240 pixels"):
        Watch([parse_zone("0,0,640,480", "line")], SIZE)


def test_people_enter_once_and_leave_once_when_they_were_last_seen():
    watch = Watch([], SIZE)
    frames = (
        [people()] * 3 + [people((50, 200))] * 5 + [people()] * 15 + [people((50, 200))] * 5 + [people()] * 30
    )
    events = [event for result in results(frames) for event in watch.update(result).events]
    assert events == [Event("enter", 0.3, 3, 1), replace(events[1], kind="leave", frame=27)]
    assert events[0].to_json() == {"time_s": 0.3, "frame": 3, "kind": "enter", "class": "person", "id": 1}
    assert events[1].to_json() == {
        **{"time_s": 2.7, "frame": 27, "kind": "leave", "class": "person", "id": 1, "seconds": 2.4}
    }


def test_after_a_cut_the_same_numbers_are_other_people():
    watch = Watch([MIDDLE, BELOW], SIZE)
    for result in results([people((120, 200))] * 5):
        watch.update(result)
    watch.cut()
    after = [event for result in results([people((190, 200))] * 5) for event in watch.update(result).events]
    gone, come = [("zone", "out"), ("leave", "")], [("enter", ""), ("zone", "in")]
    assert [(event.kind, event.direction) for event in after] == [*gone, *come]
    assert [str(count) for count in watch.counts] == ["middle: 0 in, 0 out", "below: 1 now, 2 in all"]


def test_everyone_leaves_the_frame_and_the_zones_at_the_end_once():
    watch = Watch([parse_zone("all: 0,0,1,0,1,1,0,1", "zone")], SIZE)
    for result in results([people((50, 200), (90, 200), labels=[0, 1])] * 3):
        watch.update(result)
    assert [(event.kind, event.track_id, event.label, event.frame) for event in watch.end()] == [
        *(("zone", 1, "person", 2), ("zone", 2, "dog", 2), ("leave", 1, "person", 2), ("leave", 2, "dog", 2))
    ]
    assert watch.end() == ()
    assert watch.update(results([people((50, 200))])[0]).events == ()


def test_who_is_expected_but_not_seen_crosses_nothing():
    lost = replace(people((180, 200)), coasted=np.array([True]))
    watch = Watch([MIDDLE], SIZE)
    frames = results([people((140, 200))] + [lost] * 5)
    assert [event.kind for result in frames for event in watch.update(result).events] == ["enter"]


def test_statistics_add_up_what_happened():
    watch, tally = Watch([MIDDLE, BELOW], SIZE), Tally()
    frames = [people((120, 200), (50, 100))] * 20 + [
        people((220, 200), (50, 100), (60, 100), labels=[0, 0, 1])
    ] * 10
    for result in results(frames):
        tally.add(watch.update(result))
    found = tally.statistics(watch.end())
    assert (found.people, found.at_once, dict(found.classes)) == (2, 2, {"person": 2, "dog": 1})
    assert found.seconds == pytest.approx(3.0) and found.per_minute == pytest.approx(40)
    assert found.timeline == (2, 2, 2)
    (line,), (zone,) = found.lines, found.zones
    assert (line.name, line.classes, line.crossed_in) == ("middle", {"person": (1, 0)}, (2.0,))
    assert (zone.classes, zone.visits, zone.identities) == ({"person": (1, 1)}, 1, 1)
    assert zone.mean_s == zone.longest_s == pytest.approx(1.9)
    assert Statistics.from_json(found.to_json()).to_json() == found.to_json()


def test_without_identities_people_are_the_most_at_once():
    tally = Tally()
    for result in results([replace(people(*[(50, 100)] * n), track_ids=None) for n in (1, 3, 2)]):
        tally.add(result)
    found = tally.statistics()
    assert (found.people, found.tracked, found.per_minute) == (3, False, None)


def test_the_timeline_of_a_long_video_has_few_steps():
    tally = Tally()
    for result in results([people((50, 100))] * 1000, fps=1.0):
        tally.add(result)
    found = tally.statistics()
    assert (found.step_s, len(found.timeline)) == (5.0, 200)


def test_a_leap_of_the_clock_takes_no_room_in_the_timeline():
    tally = Tally()
    for result in results([people((50, 100))] * 3, fps=1e-9):
        tally.add(result)
    found = tally.statistics()
    assert len(found.timeline) <= 240
    assert sum(found.timeline) == 3


def test_drawing_changes_the_image_near_the_mark_alone():
    image = np.full((240, 320, 3), 128, np.uint8)
    draw_counts(image, Watch([parse_zone("20,100,60,100", "line")], SIZE).counts)
    assert (image != 128).any()
    assert (image[150:] == 128).all() and (image[:, 250:] == 128).all()
