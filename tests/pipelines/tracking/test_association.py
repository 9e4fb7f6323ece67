"""Detections are joined to tracks as the `trackers` package does it, which is slow to import and to run."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.optimize import linear_sum_assignment
from sepcam.pipelines.tracking.assignment import assign
from sepcam.pipelines.tracking.association import ClassTracks, Rules, Sighted

RULES = Rules(high=0.7, new=0.8, first=0.2, second=0.5, confirm=2, lost_s=0.95333)


@given(arrays.arrays(np.float64, st.tuples(st.integers(0, 7), st.integers(0, 7)), elements=st.floats(0, 1)))
def test_no_other_pairs_are_more_similar_together(similarity):
    rows, columns = assign(similarity, 0.0)
    assert len(set(rows)) == len(rows) and len(set(columns)) == len(columns)
    assert rows.tolist() == sorted(rows)
    best = similarity[linear_sum_assignment(similarity, maximize=True)].sum()
    assert similarity[rows, columns].sum() == pytest.approx(best)


def test_pairs_that_are_too_different_are_left_out():
    rows, columns = assign(np.array([[0.9, 0.8], [0.85, 0.1], [0.0, 0.0]]), 0.82)
    assert (rows.tolist(), columns.tolist()) == ([1], [0])


def walkers(seed, frames=120, people=6):
    """Per frame: boxes and scores of people who walk, pass each other, are missed at times, and come back."""
    random = np.random.default_rng(seed)
    place, speed = random.uniform(0, 400, (people, 2)), random.uniform(-5, 5, (people, 2))
    sides = random.uniform(20, 90, (people, 1)) * (1, 2.5)
    for _ in range(frames):
        place += speed + random.normal(0, 0.5, place.shape)
        seen = random.random(people) < 0.85
        corners = place + random.normal(0, 1, place.shape)
        boxes = np.concatenate([corners, corners + sides + random.normal(0, 1, place.shape)], 1)[seen]
        yield boxes.astype(np.float32), random.uniform(0.05, 1, seen.sum()).astype(np.float32)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([10.0, 25.0, 30.0]))
def test_identities_and_boxes_are_those_of_the_package(seed, fps):
    supervision, trackers = pytest.importorskip("supervision"), pytest.importorskip("trackers")
    reference = trackers.BoTSORTTracker(
        lost_track_buffer=28.6,  # seconds that no sum of steps comes close to
        frame_rate=fps,
        track_activation_threshold=RULES.new,
        minimum_consecutive_frames=RULES.confirm,
        minimum_iou_threshold_first_assoc=RULES.first,
        minimum_iou_threshold_second_assoc=RULES.second,
        high_conf_det_threshold=RULES.high,
        enable_cmc=False,
        instant_first_frame_activation=False,
    )
    ours, time_s, next_id = ClassTracks(), 0.0, 0
    jumps = np.random.default_rng(seed).choice([1.0, 1.0, 1.0, 0.5, 3.0], 200)
    for (boxes, scores), jump in zip(walkers(seed), jumps, strict=False):
        time_s += jump / fps
        theirs = reference.update(
            supervision.Detections(xyxy=boxes, confidence=scores, data={"row": np.arange(len(boxes))}),
            timestamp=time_s,
        )
        rows, places = ours.update(Sighted.of(boxes, scores), jump / fps, fps, RULES, next_id)
        ids = ours.ids[places]
        next_id = max(next_id, int(ids.max(initial=-1)) + 1)
        kept = theirs.tracker_id >= 0
        expected = (
            dict(zip(theirs.data["row"][kept].tolist(), theirs.tracker_id[kept].tolist(), strict=True))
            if kept.any()
            else {}
        )
        assert dict(zip(rows.tolist(), ids.tolist(), strict=True)) == expected
        alive = reference.tracked_objects
        order = np.argsort(ours.ids[ours.ids >= 0])
        np.testing.assert_allclose(
            ours.filters.boxes()[ours.ids >= 0][order], alive.xyxy[np.argsort(alive.tracker_id)], atol=1e-2
        )
