"""Turns are taken in rounds, in random order, and what is said of them rests on whole rounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sepcam.models.profiling.energy import EnergyMeter
from sepcam.pipelines.evaluation.paired_timing import (
    LEAST_ROUNDS,
    Estimate,
    Rounds,
    Turn,
    beyond_noise,
    estimate,
)

FORMS = ("separable", "standard", "baseline")


class Log:
    """Work that notes when it was done and says how long it took."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.done: list[tuple[str, str]] = []
        self.stop_at = stop_at

    def turn(self, subject: str, form: str, *times: float) -> Turn:
        def work():
            if len(self.done) == self.stop_at:
                raise KeyboardInterrupt
            self.done.append((subject, form))
            return times or (1.0,)

        return Turn(subject, form, work)


def test_every_form_has_one_turn_in_every_round_beside_the_others_of_its_subject():
    log = Log()
    rounds = Rounds([log.turn(s, f) for s in ("a", "b") for f in FORMS])
    rounds.run(rounds=20, seconds=0)
    assert rounds.count == 20
    orders = set()
    for start in range(0, len(log.done), 6):
        turns = log.done[start : start + 6]
        assert set(turns) == {(s, f) for s in ("a", "b") for f in FORMS}
        for half in (turns[:3], turns[3:]):
            assert len({subject for subject, _ in half}) == 1
            orders.add(tuple(form for _, form in half))
    assert len(orders) > 3


def test_a_seed_fixes_the_order():
    def order(seed: int) -> list[tuple[str, str]]:
        log = Log()
        Rounds([log.turn("a", f) for f in FORMS], seed=seed).run(rounds=8, seconds=0)
        return log.done

    assert order(1) == order(1) != order(2)


def test_without_a_number_of_rounds_there_are_a_few_even_where_there_is_no_time():
    rounds = Rounds([Log().turn("a", "separable")])
    rounds.run(rounds=None, seconds=1e-9)
    assert rounds.count == LEAST_ROUNDS


def test_an_interrupted_round_leaves_no_trace():
    log = Log(stop_at=7)
    rounds = Rounds([log.turn("a", form, 2.0, 4.0) for form in FORMS])
    with pytest.raises(KeyboardInterrupt):
        rounds.run(rounds=9, seconds=0)
    assert rounds.count == 2
    for form in FORMS:
        assert rounds.per_round("a", form, np.mean) == [3.0, 3.0]
        assert rounds.p95("a", form) == pytest.approx(3.9 + 0.1)


def test_progress_grows_to_one():
    shares: list[float] = []
    Rounds([Log().turn("a", f) for f in FORMS]).run(rounds=4, seconds=0, tick=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_energy_is_per_unit_of_work(tmp_path):
    zone = tmp_path / "intel-rapl:0"
    zone.mkdir()
    counter = zone / "energy_uj"
    counter.write_text("0")

    def work():
        counter.write_text(str(int(counter.read_text()) + 8_000_000))
        return (1.0, 1.0, 1.0, 1.0)

    rounds = Rounds([Turn("a", "separable", work)], energy=EnergyMeter(tmp_path))
    rounds.run(rounds=3, seconds=0)
    assert rounds.joules("a", "separable") == 2.0


def test_energy_is_absent_where_the_machine_does_not_tell(tmp_path):
    rounds = Rounds([Log().turn("a", "separable")], energy=EnergyMeter(tmp_path))
    rounds.run(rounds=1, seconds=0)
    assert rounds.joules("a", "separable") is None


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(3)
    hits = 0
    for trial in range(200):
        found = estimate(generator.normal(10, 1, 25), seed=trial)
        hits += found.low <= 10 <= found.high
    assert 175 <= hits <= 200


@given(st.lists(st.floats(0.1, 1e4), min_size=1, max_size=30))
def test_the_median_lies_in_its_interval_and_both_in_the_range_of_the_rounds(values):
    found = estimate(values)
    assert min(values) <= found.low <= found.median <= found.high <= max(values)


def test_changes_are_beyond_the_noise_where_intervals_part():
    assert beyond_noise(Estimate(1, 0.9, 1.1), Estimate(2, 1.5, 2.5))
    assert beyond_noise(Estimate(2, 1.5, 2.5), Estimate(1, 0.9, 1.1))
    assert not beyond_noise(Estimate(1, 0.9, 1.6), Estimate(2, 1.5, 2.5))
