"""Identities: who keeps one, who gets a new one, and what they look like."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sepcam.models.spec import TrackerSettings
from sepcam.models.types import Detections
from sepcam.pipelines.tracking.bytetrack import ByteTrack
from sepcam.pipelines.tracking.settings import settings_for

PERSON, DOG = 0, 16
LABELS = ("person", *(f"class {i}" for i in range(1, 16)), "dog")
FPS = 25.0
SIZE = (480, 640)


def seen(*boxes, score=0.9, label=PERSON):
    n = len(boxes)
    return Detections(
        np.array(boxes, np.float32).reshape(n, 4), np.full(n, score, np.float32), np.full(n, label, np.int64)
    )


def update(tracker, found, time_s=None):
    """What has an identity after this frame, with its steadier box, and the identities."""
    boxes, rows, ids = tracker.follow(found, time_s)
    return replace(found[rows], boxes=boxes), ids


def both(a, b):
    columns = ((a.boxes, b.boxes), (a.scores, b.scores), (a.labels, b.labels))
    return Detections(*(np.concatenate(column) for column in columns))


def walker(frame, x=100.0, step=3.0):
    return (x + step * frame, 50.0, x + step * frame + 40.0, 170.0)


def test_a_person_is_numbered_from_1_and_keeps_the_number():
    tracker = ByteTrack(LABELS, fps=FPS)
    numbers = [update(tracker, seen(walker(k)), k / FPS)[1].tolist() for k in range(20)]
    assert numbers[0] == []
    assert numbers[2:] == [[1]] * 18


def test_boxes_follow_the_detector_and_carry_its_score_and_label():
    tracker = ByteTrack(LABELS, fps=FPS)
    for k in range(10):
        found, _ = update(tracker, seen(walker(k), score=0.8, label=DOG), k / FPS)
    np.testing.assert_allclose(found.boxes, [walker(9)], atol=2)
    assert found.boxes.dtype == np.float32
    assert found.scores.tolist() == [np.float32(0.8)]
    assert found.labels.tolist() == [DOG]


def test_a_detector_with_low_scores_is_followed_like_any_other():
    """ByteTrack multiplies IoU and score: thresholds of a detector that scores low must mean the same."""
    tracker = ByteTrack(LABELS, TrackerSettings(high=0.2, new=0.25, low=0.06), fps=FPS)
    scores = [0.3, 0.26, 0.22, 0.21, 0.08, 0.3, 0.2, 0.07]
    numbers = [
        update(tracker, seen(walker(k, step=10.0), score=score), k / FPS)[1].tolist()
        for k, score in enumerate(scores)
    ]
    assert numbers == [[]] + [[1]] * 7


@pytest.mark.parametrize("conf", [0.0, 0.3, 1.0])
def test_scores_below_the_threshold_start_no_track(conf):
    settings = TrackerSettings().with_confidence(conf)
    for score, starts in ((conf, True), (conf - 0.01, False)):
        tracker = ByteTrack(LABELS, settings, fps=FPS)
        for k in range(3):
            _, ids = update(tracker, seen(walker(k), score=max(score, 0.0)), k / FPS)
        assert ids.tolist() == ([1] if starts or score < 0 else [])


def test_the_surest_comes_first():
    tracker = ByteTrack(LABELS, fps=FPS)
    for k in range(3):
        found, ids = update(
            tracker, both(seen(walker(k), score=0.75), seen(walker(k, x=300), score=0.95)), k / FPS
        )
    assert found.scores.tolist() == sorted(found.scores.tolist(), reverse=True)
    assert sorted(ids.tolist()) == [1, 2]


def test_trackers_do_not_share_their_numbers():
    first, second = ByteTrack(LABELS, fps=FPS), ByteTrack(LABELS, fps=FPS)
    for k in range(3):
        _, ids = update(first, seen(walker(k), walker(k, x=300), walker(k, x=500)), k / FPS)
        _, others = update(second, seen(walker(k)), k / FPS)
    assert sorted(ids.tolist()) == [1, 2, 3]
    assert others.tolist() == [1]


def test_no_number_is_used_twice_not_even_after_a_cut():
    tracker = ByteTrack(LABELS, fps=FPS)
    given_out = []
    for _ in range(3):
        for k in range(4):
            _, ids = update(tracker, seen(walker(k), label=PERSON), k / FPS)
        given_out += ids.tolist()
        tracker.reset()
        for k in range(4):
            _, ids = update(tracker, seen(walker(k), label=DOG), k / FPS)
        given_out += ids.tolist()
        tracker.reset()
    assert given_out == [1, 2, 3, 4, 5, 6]


def test_a_dog_does_not_take_over_the_number_of_a_person():
    tracker = ByteTrack(LABELS, fps=FPS)
    for k in range(5):
        _, person = update(tracker, seen(walker(k)), k / FPS)
    for k in range(5, 10):
        found, dog = update(tracker, seen(walker(k), label=DOG), k / FPS)
    assert person.tolist() == [1]
    assert (dog.tolist(), found.labels.tolist()) == ([2], [DOG])


def test_weak_boxes_keep_a_track_alive_but_begin_none():
    tracker = ByteTrack(LABELS, fps=FPS)
    for k in range(4):
        update(tracker, seen(walker(k)), k / FPS)
    for k in range(4, 30):
        found, ids = update(
            tracker, both(seen(walker(k), score=0.15), seen(walker(k, x=400), score=0.3)), k / FPS
        )
        assert ids.tolist() == [1]
        assert found.scores.tolist() == [np.float32(0.15)]


def test_someone_hidden_for_a_moment_returns_with_the_same_number():
    tracker = ByteTrack(LABELS, fps=FPS)
    for k in range(10):
        update(tracker, seen(walker(k)), k / FPS)
    for k in range(10, 20):
        assert update(tracker, Detections.empty(), k / FPS)[1].tolist() == []
    assert update(tracker, seen(walker(20)), 20 / FPS)[1].tolist() == [1]


def test_someone_missed_is_carried_on_for_a_quarter_of_a_second():
    tracker = ByteTrack(LABELS, fps=FPS)
    for k in range(10):
        update(tracker, seen(walker(k), score=0.8, label=DOG), k / FPS)
    assert len(tracker.coasted(SIZE)[0]) == 0
    shown = []
    for k in range(10, 20):
        update(tracker, Detections.empty(), k / FPS)
        found, ids = tracker.coasted(SIZE)
        shown.append(len(found))
        if len(found):
            assert (ids.tolist(), found.labels.tolist()) == ([1], [DOG])
            assert found.scores.tolist() == [pytest.approx(0.4)]
            np.testing.assert_allclose(found.boxes, [walker(k)], atol=4)
    assert shown == [1] * 6 + [0] * 4  # 0.24 s


def test_someone_who_walks_out_is_not_carried_on():
    tracker = ByteTrack(LABELS, fps=FPS)
    for k in range(10):
        update(tracker, seen(walker(k, x=SIZE[1] - 40 - 27)), k / FPS)
    update(tracker, Detections.empty(), 10 / FPS)
    assert len(tracker.coasted(SIZE)[0]) == 0


def test_nobody_is_carried_on_after_a_cut():
    tracker = ByteTrack(LABELS, fps=FPS)
    for k in range(10):
        update(tracker, seen(walker(k)), k / FPS)
    tracker.reset()
    update(tracker, Detections.empty(), 10 / FPS)
    assert len(tracker.coasted(SIZE)[0]) == 0


def test_someone_away_for_longer_is_somebody_new():
    tracker = ByteTrack(LABELS, TrackerSettings(lost_s=0.5), fps=FPS)
    for k in range(10):
        update(tracker, seen(walker(k, step=0)), k / FPS)
    for k in range(10, 40):
        update(tracker, Detections.empty(), k / FPS)
    for k in range(40, 43):
        _, ids = update(tracker, seen(walker(k, step=0)), k / FPS)
    assert ids.tolist() == [2]


def test_lost_time_is_counted_on_the_source_s_clock_not_in_frames():
    tracker = ByteTrack(LABELS, TrackerSettings(lost_s=1.0), fps=FPS)
    for k in range(5):
        update(tracker, seen(walker(k, step=0)), k / FPS)
    for time_s in (0.5, 1.0, 1.5):
        update(tracker, Detections.empty(), time_s)
    for k in range(3):
        _, ids = update(tracker, seen(walker(k, step=0)), 1.5 + (k + 1) / FPS)
    assert ids.tolist() == [2]


def test_who_is_there_after_a_gap_in_the_stream_is_who_was_there_before():
    tracker = ByteTrack(LABELS, TrackerSettings(lost_s=1.0), fps=FPS)
    for k in range(5):
        update(tracker, seen(walker(k, step=0)), k / FPS)
    for k in range(3):
        _, ids = update(tracker, seen(walker(k, step=0)), 60.0 + k / FPS)
        assert ids.tolist() == [1]


@pytest.mark.parametrize("times", [[None] * 8, [3.0] * 8, [8.0 - k for k in range(8)], [0.0, np.nan] * 4])
def test_times_that_are_missing_or_go_back_do_no_harm(times):
    tracker = ByteTrack(LABELS, fps=FPS)
    for k, time_s in enumerate(times):
        _, ids = update(tracker, seen(walker(k)), time_s)
    assert ids.tolist() == [1]


def test_an_empty_beginning_is_nothing_special():
    tracker = ByteTrack(LABELS)
    for _ in range(3):
        found, ids = update(tracker, Detections.empty())
        assert (len(found), ids.shape, ids.dtype) == (0, (0,), np.int64)
    for k in range(3):
        _, ids = update(tracker, seen(walker(k)))
    assert ids.tolist() == [1]


def test_conf_is_the_score_at_which_a_track_begins():
    eager, strict = (ByteTrack(LABELS, TrackerSettings().with_confidence(conf), FPS) for conf in (0.3, 0.95))
    for k in range(3):
        _, ids = update(eager, seen(walker(k), score=0.35), k / FPS)
        _, none = update(strict, seen(walker(k), score=0.9), k / FPS)
    assert ids.tolist() == [1]
    assert none.tolist() == []
    assert TrackerSettings().with_confidence(None) == TrackerSettings()


def test_every_detector_has_thresholds_and_unknown_ones_get_the_defaults():
    assert settings_for("somebody-s-own") == TrackerSettings()
    for name in ("yolox-nano", "ssdlite-person", "ssd-mobilenet-v1-coco"):
        chosen = settings_for(name)
        assert chosen != TrackerSettings()
        assert 0 < chosen.low < chosen.high <= chosen.new < 1


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.floats(0, 600), st.floats(0, 400), st.floats(1, 200), st.floats(1, 200),
                st.floats(0, 1), st.sampled_from([PERSON, DOG]),
            ),
            max_size=5,
        ),
        max_size=12,
    )
)  # fmt: skip
def test_whatever_is_seen_numbers_are_unique_in_a_frame_and_stay_with_their_class(frames):
    tracker = ByteTrack(LABELS, fps=FPS)
    class_of = {}
    for k, objects in enumerate(frames):
        x, y, w, h, scores, labels = np.array(objects, np.float32).reshape(-1, 6).T
        found = Detections(np.stack([x, y, x + w, y + h], 1), scores, labels.astype(np.int64))
        tracked, ids = update(tracker, found, k / FPS)
        assert len(set(ids.tolist())) == len(ids) == len(tracked)
        assert np.isfinite(tracked.boxes).all()
        for number, label in zip(ids.tolist(), tracked.labels.tolist(), strict=True):
            assert number >= 1
            assert class_of.setdefault(number, label) == label
