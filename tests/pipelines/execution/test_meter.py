"""The meter's figures are what a stopwatch would say."""

import threading
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sepcam.pipelines.execution.meter import STAGE_FRAMES, WINDOW_S, Meter, Rate


class Clock:
    """A clock that the test winds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@given(fps=st.floats(0.2, 1000), events=st.integers(2, 300))
def test_a_steady_rate_is_told_right_from_the_second_event_on(fps, events):
    clock = Clock()
    rate = Rate(clock=clock)
    for number in range(events):
        if number:
            clock.now += 1 / fps
        rate.tick()
        if number and 1 / fps <= WINDOW_S:
            assert rate.per_second() == pytest.approx(fps, rel=1e-6)


def test_there_is_no_rate_before_the_second_event():
    rate = Rate(clock=Clock())
    assert rate.per_second() is None
    rate.tick()
    assert rate.per_second() is None


def test_a_rate_falls_as_soon_as_events_stay_away_and_ends_at_nothing():
    clock = Clock()
    rate = Rate(clock=clock)
    for _ in range(31):
        rate.tick()
        clock.now += 0.1
    steady = rate.per_second()
    clock.now += 0.9
    falling = rate.per_second()
    clock.now += WINDOW_S
    assert steady == pytest.approx(10)
    assert 0 < falling < steady
    assert rate.per_second() == 0


def test_a_rate_follows_a_change_within_its_window():
    clock = Clock()
    rate = Rate(clock=clock)
    for step in [0.1] * 50 + [0.02] * 150:
        clock.now += step
        rate.tick()
    assert rate.per_second() == pytest.approx(50, rel=0.02)


def test_a_meter_tells_rates_latencies_stages_and_drops():
    clock = Clock()
    meter = Meter(clock=clock)
    for number in range(40):
        meter.arrived()
        meter.stage("detect", 0.010)
        meter.finished(0.020 if number % 10 else 0.120)
        clock.now += 0.05
    meter.dropped(3)
    seen = meter.snapshot()
    assert seen.source_fps == pytest.approx(20)
    assert seen.processing_fps == pytest.approx(20)
    assert seen.stage_ms == {"detect": pytest.approx(10)}
    assert seen.latency_ms_p50 == pytest.approx(20)
    assert seen.latency_ms_p95 == pytest.approx(120)
    assert (seen.frames, seen.dropped) == (40, 3)


def test_slow_events_have_a_rate_and_not_now_and_then_none():
    clock = Clock()
    rate = Rate(clock=clock)
    for _ in range(4):
        rate.tick()
        clock.now += 5.0
    assert rate.per_second() == pytest.approx(0.2)


@given(st.lists(st.floats(1e-3, 10), min_size=2, max_size=100))
def test_a_rate_lies_between_the_slowest_and_the_fastest_of_its_events(gaps):
    clock = Clock()
    rate = Rate(clock=clock)
    rate.tick()
    for gap in gaps:
        clock.now += gap
        rate.tick()
    assert 1 / max(gaps) * 0.999 <= rate.per_second() <= 1 / min(gaps) * 1.001


def test_a_stage_that_runs_now_and_then_has_its_own_time_and_one_that_stopped_is_gone():
    meter = Meter(clock=Clock())
    for number in range(3 * STAGE_FRAMES):
        if number % 10 == 0:
            meter.stage("detect", 0.020)
        if number < STAGE_FRAMES:
            meter.stage("pose", 0.010)
        meter.finished()
    assert meter.snapshot().stage_ms == {"detect": pytest.approx(20)}


def test_memory_does_not_grow_with_the_length_of_a_run():
    clock = Clock()
    meter = Meter(clock=clock)

    def run(frames: int) -> int:
        tracemalloc.start()
        for _ in range(frames):
            clock.now += 1e-4
            meter.arrived()
            meter.stage("detect", 0.01)
            meter.finished(0.02)
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return kept

    run(4000)
    assert run(8000) < 200_000


def test_what_a_source_says_of_its_rate_is_believed():
    assert Meter(29.97).snapshot().source_fps == 29.97


def test_nothing_is_known_of_a_run_that_has_not_begun():
    seen = Meter().snapshot()
    assert (seen.source_fps, seen.processing_fps, seen.latency_ms_p50) == (None, None, None)


def test_threads_may_count_at_the_same_time():
    meter = Meter()
    threads = [threading.Thread(target=lambda: [meter.finished(0.01) for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert meter.snapshot().frames == 2000
