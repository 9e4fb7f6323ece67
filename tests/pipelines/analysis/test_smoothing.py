"""The One Euro filter: landmarks at rest tremble less, moving ones are not late."""

import numpy as np
import pytest
from sepcam.pipelines.analysis.smoothing import LandmarkFilter
from sepcam.pipelines.types import Instances

FPS = 30.0
HEIGHT = 200.0


def person(points, number=1, score=0.9):
    """One person of 200 pixels with (K, 2) landmarks."""
    points = np.asarray(points, np.float32).reshape(-1, 2)
    keypoints = np.concatenate([points, np.full((len(points), 1), score, np.float32)], 1)
    box = np.array([[100, 100, 180, 100 + HEIGHT]], np.float32)
    one, none = np.ones(1, np.float32), np.zeros(1, np.int64)
    return Instances((480, 640), box, one, none, ("person",), np.array([number]), keypoints[None], one)


def filtered(path, fps=FPS):
    """(T, 2) path of one landmark, after the filter."""
    steady = LandmarkFilter()
    return np.stack([steady.apply(person(p), k / fps).keypoints[0, 0, :2] for k, p in enumerate(path)])


def lag(path, smooth):
    """Frames by which a path is late: the shift that fits best."""
    shifts, frames = np.arange(0, 5, 0.05), np.arange(len(path))
    errors = [np.abs(np.interp(frames - q, frames, path[:, 0]) - smooth[:, 0])[10:].mean() for q in shifts]
    return shifts[int(np.argmin(errors))]


def test_a_landmark_at_rest_trembles_half_as_much():
    noise = np.random.default_rng(0).normal(0, 1.0, (200, 2)).astype(np.float32)
    path = 150 + noise
    assert np.diff(filtered(path), axis=0).std() < 0.5 * np.diff(path, axis=0).std()


@pytest.mark.parametrize("speed", [0.1, 0.5, 2.0])  # heights a second
def test_someone_who_walks_is_late_by_less_than_a_frame(speed):
    path = np.stack([100 + np.arange(90) * speed * HEIGHT / FPS, np.full(90, 150.0)], 1)
    assert lag(path, filtered(path)) < 1


@pytest.mark.parametrize("hertz", [0.5, 1, 2])
def test_a_waving_hand_is_late_by_less_than_a_frame(hertz):
    times = np.arange(90) / FPS
    path = np.stack([150 + 0.15 * HEIGHT * np.sin(2 * np.pi * hertz * times), np.full(90, 150.0)], 1)
    smooth = filtered(path)
    assert lag(path, smooth) < 1
    assert np.ptp(smooth[30:, 0]) > 0.9 * np.ptp(path[30:, 0])


def test_each_person_is_filtered_alone_and_somebody_new_begins_anew():
    steady = LandmarkFilter()
    steady.apply(person([(100, 100)], number=1), 0.0)
    other = steady.apply(person([(300, 300)], number=2), 1 / FPS)
    np.testing.assert_array_equal(other.keypoints[0, 0, :2], [300, 300])
    back = steady.apply(person([(110, 100)], number=1), 2 / FPS)
    np.testing.assert_array_equal(back.keypoints[0, 0, :2], [110, 100])


@pytest.mark.parametrize("time_s", [0.0, -1.0, 0.6])
def test_after_a_gap_or_a_jump_back_everyone_begins_anew(time_s):
    steady = LandmarkFilter()
    steady.apply(person([(100, 100)]), 0.0)
    found = steady.apply(person([(140, 100)]), time_s)
    np.testing.assert_array_equal(found.keypoints[0, 0, :2], [140, 100])


def test_scores_and_what_has_no_landmarks_stay_as_they_are():
    steady = LandmarkFilter()
    for k in range(3):
        found = steady.apply(person([(100 + k, 100)], score=0.3), k / FPS)
    assert found.keypoints[0, 0, 2] == np.float32(0.3)
    nobody = person([(0, 0)], score=0.0)
    assert steady.apply(nobody, 4 / FPS).keypoints.tolist() == nobody.keypoints.tolist()
