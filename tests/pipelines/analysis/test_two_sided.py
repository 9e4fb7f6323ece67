"""In files, landmarks at rest stop trembling, fast ones keep their speed, and nothing lags."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sepcam.pipelines.analysis.two_sided import MOST_FRAMES, TwoSidedFilter
from sepcam.pipelines.types import Frame, FrameResult, Instances

FPS = 25
IMAGE = np.zeros((1, 1, 3), np.uint8)


def result(index, points, *, number=1, time_s=None):
    """A frame with one person, whose K landmarks are (K, 2)."""
    points = np.asarray(points, np.float32)
    keypoints = np.concatenate([points, np.ones((len(points), 1), np.float32)], 1)[None]
    found = Instances(
        (480, 640),
        np.array([[100, 100, 200, 300]], np.float32),
        np.ones(1, np.float32),
        np.zeros(1, np.int64),
        ["person"],
        np.array([number]),
        keypoints=keypoints,
    )
    return FrameResult(Frame(IMAGE, index, index / FPS if time_s is None else time_s), found)


def smoothed(results, strength="light"):
    one = TwoSidedFilter(strength)
    out = [ready for each in results for ready in one.push(each)]
    return [*out, *one.flush()]


def xs(results):
    return np.array([each.instances.keypoints[0, :, 0] for each in results])


def along(x, **options):
    return [result(i, [[value, 50.0]], **options) for i, value in enumerate(x)]


@pytest.mark.parametrize("strength", ["light", "strong"])
def test_a_landmark_at_rest_trembles_less_than_half(strength):
    x = 100 + np.random.default_rng(0).normal(0, 1, 200)
    steady = xs(smoothed(along(x), strength))[:, 0]
    assert np.abs(np.diff(steady)).mean() < 0.5 * np.abs(np.diff(x)).mean()
    assert np.abs(steady - 100).mean() < 0.65 * np.abs(x - 100).mean()


@pytest.mark.parametrize("hertz", [1, 2, 3])
def test_a_waving_wrist_keeps_its_speed_and_does_not_lag(hertz):
    true = 300 + 40 * np.sin(2 * np.pi * hertz * np.arange(200) / FPS)
    steady = xs(smoothed(along(true + np.random.default_rng(1).normal(0, 1, 200))))[:, 0]
    assert np.abs(np.diff(steady)).max() > 0.9 * np.abs(np.diff(true)).max()
    # A lag of one frame would show as the error of neighboring frames.
    assert np.abs(steady - true).mean() < 0.35 * np.abs(np.diff(true)).mean()


def test_nothing_is_smoothed_across_a_jump():
    """The picture jumps by a box's width: landmarks and boxes are where they were, before it and after."""
    shift = np.where(np.arange(40) < 20, 0.0, 100.0)
    moved = []
    for each, by in zip(along(150 + shift), shift, strict=True):
        boxes = each.instances.boxes + np.array([by, 0, by, 0], np.float32)
        moved.append(replace(each, instances=replace(each.instances, boxes=boxes)))
    out = smoothed(moved, "strong")
    assert xs(out)[:, 0] == pytest.approx(150 + shift, abs=0.01)
    assert [each.instances.boxes[0, 0] for each in out] == pytest.approx((100 + shift).tolist(), abs=0.01)


def test_every_frame_leaves_once_in_order_with_its_own_image():
    results = along(np.arange(40.0))
    out = smoothed(results)
    assert [each.frame for each in out] == [each.frame for each in results]


def test_no_more_than_a_few_frames_wait():
    one, waiting = TwoSidedFilter("strong"), 0
    for each in along(np.arange(400.0), time_s=None):
        each = replace(each, frame=replace(each.frame, time_s=each.frame.index / 1000))
        waiting += 1 - len(list(one.push(each)))
        assert waiting <= MOST_FRAMES


def test_identities_are_not_mixed():
    results = along([10.0] * 20) + [result(20 + i, [[500.0, 50.0]], number=2) for i in range(20)]
    assert set(xs(smoothed(results, "strong"))[:, 0].round(3)) == {10, 500}


def test_joints_that_are_not_there_stay_and_move_nobody():
    results = along([10.0] * 15)
    for each in results[5:8]:
        each.instances.keypoints[0, 0] = 0
    out = smoothed(results, "strong")
    assert [bool(each.instances.keypoints[0, 0, 2]) for each in out] == [True] * 5 + [False] * 3 + [True] * 7
    np.testing.assert_allclose(xs(out)[[0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14], 0], 10, atol=1e-3)
    assert (xs(out)[5:8] == 0).all()


def test_frames_without_identities_or_landmarks_pass():
    plain = result(0, [[1.0, 2.0]])
    for found in (replace(plain.instances, track_ids=None), replace(plain.instances, keypoints=None)):
        given_results = [replace(plain, instances=found) for _ in range(5)]
        assert [each.instances for each in smoothed(given_results)] == [found] * 5


@given(
    cut=st.integers(1, 59),
    start=st.floats(-50, 50),
    speed=st.floats(-8, 8),
    steps=st.lists(st.floats(0.005, 0.2), min_size=60, max_size=60),
)
@settings(max_examples=15)
def test_part_of_a_file_with_a_few_frames_around_is_smoothed_as_in_the_whole(cut, start, speed, steps):
    """Jobs rely on it: the parts of a long file are smoothed by themselves."""
    times = np.cumsum(steps)
    noise = np.random.default_rng(2).normal(0, 1, 60)
    results = [
        result(i, [[start + speed * i + noise[i], 50.0]], time_s=float(at)) for i, at in enumerate(times)
    ]
    whole = smoothed(results)
    first = max(0, cut - MOST_FRAMES)
    part = smoothed(results[first:])[cut - first :]
    np.testing.assert_allclose(xs(part), xs(whole[cut:]), atol=1e-4)
    until = smoothed(results[: cut + MOST_FRAMES])[:cut]
    np.testing.assert_allclose(xs(until), xs(whole[:cut]), atol=1e-4)
