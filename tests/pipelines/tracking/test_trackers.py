"""Every tracker that can be chosen: identities that last, start at 1, keep to their class and come back."""

from typing import get_args

import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.models.spec import TrackerSettings
from sepcam.pipelines.tracking.base import TRACKERS, create_tracker
from sepcam.pipelines.types import TrackerName

from tests.pipelines.tracking.test_bytetrack import DOG, FPS, LABELS, SIZE, both, seen, walker

SETTINGS = TrackerSettings(high=0.5, new=0.6)


@pytest.fixture(params=TRACKERS)
def tracker(request):
    return create_tracker(request.param, LABELS, SETTINGS, FPS)


def test_all_of_them_can_be_named():
    assert set(get_args(TrackerName)) == set(TRACKERS)
    with pytest.raises(SepcamError, match="unknown tracker 'deep'; choose from bytetrack, "):
        create_tracker("deep", LABELS, SETTINGS)


def test_people_keep_their_numbers_though_rows_change_places(tracker):
    for frame in range(30):
        couple = both(seen(walker(frame)), seen(walker(frame, x=400, step=-3), score=0.8))
        rows = [0, 1] if frame % 2 else [1, 0]
        boxes, found, ids = tracker.follow(couple[rows], frame / FPS)
    assert boxes.dtype == np.float32 and sorted(ids.tolist()) == [1, 2]
    assert found.tolist() == [0, 1]  # the better score first
    np.testing.assert_allclose(boxes, couple[rows].boxes[found], atol=8)
    assert not tracker.tentative and not tracker.lost


def test_nobody_is_numbered_at_the_first_sighting(tracker):
    assert tracker.follow(seen(walker(0)), 0.0)[2].tolist() == []
    assert tracker.tentative


def test_a_dog_never_takes_over_a_person(tracker):
    for frame in range(6):
        tracker.follow(seen(walker(frame)), frame / FPS)
    for frame in range(6, 12):
        ids = tracker.follow(seen(walker(frame), label=DOG), frame / FPS)[2]
    assert ids.tolist() == [2]


def test_who_is_missed_is_expected_where_they_walk_and_keeps_the_number(tracker):
    for frame in range(12):
        tracker.follow(seen(walker(frame)), frame / FPS)
    expected = tracker.predict(np.array([1]), 12 / FPS)
    np.testing.assert_allclose(expected, [walker(12)], atol=8)
    nothing = seen()
    for frame in range(12, 15):
        assert tracker.follow(nothing, frame / FPS)[2].tolist() == []
    assert tracker.lost
    coasted, ids = tracker.coasted(SIZE)
    assert ids.tolist() == [1] and 0 < coasted.scores[0] < 0.9
    np.testing.assert_allclose(coasted.boxes, [walker(14)], atol=16)
    for frame in range(15, 18):
        ids = tracker.follow(seen(walker(frame)), frame / FPS)[2]
    assert ids.tolist() == [1]


def test_after_a_cut_numbers_continue(tracker):
    for frame in range(5):
        tracker.follow(seen(walker(frame)), frame / FPS)
    tracker.reset()
    for frame in range(5, 10):
        ids = tracker.follow(seen(walker(frame)), frame / FPS)[2]
    assert ids.tolist() == [2]


def test_another_detector_keeps_tracks_by_the_names_of_classes(tracker):
    for frame in range(5):
        tracker.follow(both(seen(walker(frame)), seen(walker(frame, x=350), label=DOG)), frame / FPS)
    tracker.configure(SETTINGS, ("dog",))
    ids = tracker.follow(seen(walker(5, x=350), label=0), 5 / FPS)[2]
    assert len(ids) == 1
    assert len(tracker.coasted(SIZE)[1]) == 0


@pytest.mark.parametrize("time_s", [None, float("nan"), -1.0, 0.0])
def test_times_that_make_no_sense_count_as_a_frame(tracker, time_s):
    for frame in range(5):
        ids = tracker.follow(seen(walker(frame)), frame / FPS if frame < 3 else time_s)[2]
    assert ids.tolist() == [1]
