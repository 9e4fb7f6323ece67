"""Stages overlap, keep order, lose nothing that must not be lost, and always end."""

import gc
import sys
import threading
from collections.abc import Iterator
from itertools import count

import pytest
from sepcam.pipelines.execution import stages as stream
from sepcam.pipelines.execution.stages import Stage, run_stages

PATIENCE_S = 20
"""How long a test waits for what must happen before it calls it a deadlock."""


class Numbers:
    """A source that counts, and remembers how far it was read and by whom it was closed."""

    def __init__(self, count: int, fails_at: int | None = None) -> None:
        self.count = count
        self.fails_at = fails_at
        self.read = 0
        self.closed_by: list[str] = []

    def __iter__(self) -> Iterator[int]:
        for number in range(self.count):
            if number == self.fails_at:
                raise OSError(f"cannot read {number}")
            self.read += 1
            yield number

    def close(self) -> None:
        self.closed_by.append(threading.current_thread().name)


def double(number: int) -> int:
    return number * 2


def passing(number: int) -> int:
    return number


def fails_at(bad: int, error: type[BaseException] = ValueError):
    def work(number: int) -> int:
        if number == bad:
            raise error(f"cannot take {number}")
        return number

    return work


def stages_running() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("sepcam-")]


@pytest.fixture(autouse=True)
def no_thread_is_left_over():
    assert stages_running() == []
    yield
    gc.collect()
    assert stages_running() == []


@pytest.mark.parametrize("depth", [1, 2, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_every_item_passes_every_stage_in_order(count, depth):
    source = Numbers(count)
    stages = [Stage("a", double), Stage("b", passing), Stage("c", double)]
    assert list(run_stages(source, stages, depth=depth)) == [4 * n for n in range(count)]
    assert source.closed_by == ["sepcam-read"]


def test_without_stages_the_source_comes_through():
    assert list(run_stages(Numbers(50), [])) == list(range(50))


def test_each_stage_works_in_one_thread_of_its_own():
    seen: dict[str, set[int]] = {}

    def note(name: str):
        def work(number: int) -> int:
            seen.setdefault(name, set()).add(threading.get_ident())
            return number

        return work

    list(run_stages(Numbers(50), [Stage(n, note(n)) for n in "abc"]))
    assert [len(seen[n]) for n in "abc"] == [1, 1, 1]
    assert len(set().union(*seen.values(), {threading.get_ident()})) == 4


def test_the_source_and_all_stages_work_at_the_same_time():
    # Each holds its item until all four are holding one: only possible when they overlap.
    together = threading.Barrier(4)

    class Source(Numbers):
        def __iter__(self) -> Iterator[int]:
            for number in super().__iter__():
                if number == 3:
                    together.wait(PATIENCE_S)
                yield number

    def meet_at(item: int):
        def work(number: int) -> int:
            if number == item:
                together.wait(PATIENCE_S)
            return number

        return work

    stages = [Stage("analyze", meet_at(2)), Stage("draw", meet_at(1)), Stage("encode", meet_at(0))]
    assert list(run_stages(Source(6), stages)) == list(range(6))


def test_a_full_queue_makes_the_source_wait_and_loses_nothing():
    gate = threading.Event()
    started = threading.Event()

    def hold(number: int) -> int:
        started.set()
        assert gate.wait(PATIENCE_S)
        return number

    source = Numbers(100)
    results = run_stages(source, [Stage("slow", hold)], depth=3)
    first: list[int] = []
    taker = threading.Thread(target=lambda: first.append(next(results)))
    taker.start()
    assert started.wait(PATIENCE_S)
    for _ in range(1000):
        assert source.read <= 1 + 3 + 1  # in work, waiting, and the one the reader holds
    gate.set()
    taker.join(PATIENCE_S)
    assert first + list(results) == list(range(100))


def test_a_caller_that_is_slow_holds_back_the_source():
    source = Numbers(1000)
    for number in run_stages(source, [Stage("a", passing), Stage("b", passing)], depth=2):
        # Three queues of two, one item in each of two stages, one with the reader, one with the caller.
        assert source.read <= number + 1 + 3 * 2 + 2 + 1
    assert source.read == 1000


def test_a_live_source_shows_the_newest_and_counts_what_it_drops():
    busy, all_read = threading.Event(), threading.Event()

    class Camera(Numbers):
        def __iter__(self) -> Iterator[int]:
            for number in super().__iter__():
                if number == 1:
                    assert busy.wait(PATIENCE_S)
                yield number
            all_read.set()

    def first_is_slow(number: int) -> int:
        busy.set()
        assert all_read.wait(PATIENCE_S)
        return number

    drops: list[int] = []
    shown = list(run_stages(Camera(100), [Stage("slow", first_is_slow)], newest=True, on_drop=drops.append))
    assert shown == [0, 99]
    assert sum(drops) == 98


def test_times_are_told_for_the_source_and_every_stage():
    told: list[str] = []
    list(
        run_stages(
            Numbers(5), [Stage("a", passing), Stage("b", passing)], on_time=lambda n, s: told.append(n)
        )
    )
    assert {n: told.count(n) for n in told} == {"read": 5, "a": 5, "b": 5}


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("bad", [0, 15, 29])
def test_a_stage_that_raises_ends_the_run(bad, position, depth):
    source = Numbers(30)
    stages = [Stage(n, passing) for n in "abc"]
    stages[position] = Stage("bad", fails_at(bad))
    got = []
    with pytest.raises(ValueError, match=f"cannot take {bad}"):
        got.extend(run_stages(source, stages, depth=depth))
    assert got == list(range(len(got)))
    assert len(got) <= bad
    assert source.closed_by == ["sepcam-read"]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_stage_that_raises_ends_an_endless_live_run(position):
    calls = count()

    def fails_later(number: int) -> int:
        if next(calls) == 10:
            raise ValueError("enough")
        return number

    stages = [Stage(n, passing) for n in "abc"]
    stages[position] = Stage("bad", fails_later)
    source = Numbers(sys.maxsize)
    with pytest.raises(ValueError, match="enough"):
        list(run_stages(source, stages, newest=True))
    assert source.closed_by == ["sepcam-read"]


@pytest.mark.parametrize("bad", [0, 15, 29])
def test_a_source_that_raises_ends_the_run(bad):
    source = Numbers(30, fails_at=bad)
    with pytest.raises(OSError, match=f"cannot read {bad}"):
        list(run_stages(source, [Stage("a", passing), Stage("b", passing)]))
    assert source.closed_by == ["sepcam-read"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError, GeneratorExit])
def test_what_is_not_an_exception_ends_the_run_too(error):
    with pytest.raises(error, match="cannot take 3"):
        list(run_stages(Numbers(30), [Stage("a", fails_at(3, error)), Stage("b", passing)]))


def test_the_first_error_is_the_one_raised():
    failed = threading.Event()

    class Source(Numbers):
        def close(self) -> None:
            assert failed.is_set()
            raise OSError("second")

    def bad(number: int) -> int:
        failed.set()
        raise ValueError("first")

    with pytest.raises(ValueError, match="first"):
        list(run_stages(Source(1000), [Stage("a", bad)], depth=1))


def test_a_source_that_cannot_be_closed_is_reported():
    class Source(Numbers):
        def close(self) -> None:
            raise OSError("cannot close")

    got = []
    with pytest.raises(OSError, match="cannot close"):
        got.extend(run_stages(Source(3), []))


@pytest.mark.parametrize("after", [1, 10])
@pytest.mark.parametrize("depth", [1, 4])
def test_a_caller_that_stops_early_ends_everything(after, depth):
    source = Numbers(10_000)
    results = run_stages(source, [Stage("a", passing), Stage("b", passing)], depth=depth)
    for number in results:
        if number == after:
            break
    results.close()
    assert stages_running() == []
    assert source.closed_by == ["sepcam-read"]
    assert source.read < 100


def test_a_caller_that_raises_ends_everything():
    def interrupted(source: Numbers) -> None:
        for number in run_stages(source, [Stage("a", passing)]):
            if number == 5:
                raise KeyboardInterrupt

    source = Numbers(10_000)
    with pytest.raises(KeyboardInterrupt):
        interrupted(source)
    gc.collect()
    assert stages_running() == []
    assert source.closed_by == ["sepcam-read"]


def test_a_run_that_was_never_begun_starts_no_thread():
    results = run_stages(Numbers(10), [Stage("a", passing)])
    assert stages_running() == []
    results.close()


class Hanging:
    """Foreign code that does not come back until the test lets it."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self._release = threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self._release.wait(PATIENCE_S)

    def end(self) -> None:
        assert self.begun.is_set()
        self._release.set()
        for thread in threading.enumerate():
            if thread.name.startswith("sepcam-"):
                thread.join(PATIENCE_S)


@pytest.fixture
def hanging(monkeypatch):
    monkeypatch.setattr(stream, "GRACE_S", 0.05)
    return Hanging()


def fails_when(hanging: Hanging):
    def work(number: int) -> int:
        assert hanging.begun.wait(PATIENCE_S)
        raise ValueError("elsewhere")

    return work


def test_an_error_does_not_wait_for_a_stage_that_hangs(hanging):
    def work(number: int) -> int:
        if number == 1:
            hanging()
        return number

    source = Numbers(100)
    with pytest.raises(ValueError, match="elsewhere"):
        list(run_stages(source, [Stage("hangs", work), Stage("bad", fails_when(hanging))], depth=1))
    assert stages_running() == ["sepcam-hangs"]
    hanging.end()
    assert source.closed_by == ["sepcam-read"]


def test_an_error_does_not_wait_for_a_source_that_hangs(hanging):
    class Source(Numbers):
        def __iter__(self) -> Iterator[int]:
            yield 0
            hanging()

    source = Source(1)
    with pytest.raises(ValueError, match="elsewhere"):
        list(run_stages(source, [Stage("bad", fails_when(hanging))]))
    assert stages_running() == ["sepcam-read"]
    hanging.end()
    assert source.closed_by == ["sepcam-read"]


def test_a_source_that_hangs_when_closed_holds_nothing_back(hanging):
    class Source(Numbers):
        def close(self) -> None:
            hanging()

    assert list(run_stages(Source(20), [Stage("a", passing)])) == list(range(20))
    assert stages_running() == ["sepcam-read"]
    hanging.end()
