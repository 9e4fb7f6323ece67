"""How a job shares out the cores, and when it gives a file up: decided by what was seen, not by hope."""

import pytest
from sepcam.pipelines.batch.workers.autotune import MEASURED_S, Split, Trial, choose, splits
from sepcam.pipelines.batch.workers.watchdog import StallWatch

LONG = 100_000
ONE, TWO, FOUR = Split(1, 4), Split(2, 2), Split(4, 1)


class Machine:
    """Gives so many frames per second with each number of workers, and remembers what was tried."""

    def __init__(self, fps: dict[int, float], *, frames: int | None = LONG, starting_s: float = 2.0) -> None:
        self.fps, self.frames, self.starting_s = fps, frames, starting_s
        self.tried: list[int] = []

    def attempt(self, split: Split) -> Trial | None:
        self.tried.append(split.workers)
        fps = self.fps.get(split.workers)
        return None if fps is None else Trial(fps, self.starting_s, 1_000, self.frames)


def test_ever_more_workers_share_the_cores():
    assert list(splits(100, 4)) == [ONE, TWO, FOUR]
    assert list(splits(100, 6)) == [Split(1, 6), Split(2, 3), Split(4, 1), Split(6, 1)]
    assert list(splits(2, 4)) == [ONE, TWO]  # no more than there is to do at the same time
    assert list(splits(1, 4)) == [ONE]
    assert list(splits(100, 4, threads=2)) == [Split(1, 2), Split(2, 2)]
    assert list(splits(100, 1)) == [Split(1, 1)]


@pytest.mark.parametrize(
    ("fps", "chosen", "tried"),
    [
        ({1: 10, 2: 15, 4: 20}, FOUR, [1, 2, 4]),
        ({1: 10, 2: 8, 4: 20}, ONE, [1, 2]),  # what made it slower is not carried further
        ({1: 10, 2: 15, 4: 15.5}, TWO, [1, 2, 4]),  # 3 % are not worth the memory
        ({1: 10, 2: None}, ONE, [1, 2]),
        ({}, ONE, [1]),
    ],
)
def test_more_workers_are_taken_for_as_long_as_they_are_faster(fps, chosen, tried):
    machine = Machine(fps)
    assert choose([ONE, TWO, FOUR], machine.attempt, files=100).split == chosen
    assert machine.tried == tried


def test_a_short_job_does_not_wait_for_a_trial_that_it_cannot_repay():
    machine = Machine({1: 10, 2: 20}, frames=600)  # a minute, for 6 seconds of trial
    choice = choose([ONE, TWO], machine.attempt, files=100)
    assert (choice.split, machine.tried) == (ONE, [1])
    assert choice.why == (
        "1 worker with 4 threads: 10.0 FPS in a trial; more workers would not repay "
        "their start-up (about 60 s of work)"
    )
    enough = round(10 * (2 * 2.0 + MEASURED_S) / 0.05)
    assert choose([ONE, TWO], Machine({1: 10, 2: 20}, frames=enough).attempt, files=100).split == TWO
    assert choose([ONE, TWO], Machine({1: 10, 2: 20}, frames=None).attempt, files=100).split == TWO


def test_workers_that_have_to_share_a_file_must_bring_more():
    assert choose([ONE, TWO], Machine({1: 10, 2: 11}).attempt, files=2).split == TWO
    assert choose([ONE, TWO], Machine({1: 10, 2: 11}).attempt, files=1).split == ONE
    assert choose([ONE, TWO], Machine({1: 10, 2: 13}).attempt, files=1).split == TWO


def test_no_more_workers_are_tried_than_fit_into_the_memory():
    machine = Machine({1: 10, 2: 20, 4: 40})
    choice = choose([ONE, TWO, FOUR], machine.attempt, files=100, max_memory=5_000)
    assert (choice.split, machine.tried) == (TWO, [1, 2])
    assert choice.why.endswith("no memory to try 4 workers with 1 thread each")


def test_what_was_measured_is_told_in_a_line():
    assert choose([ONE, TWO], Machine({1: 6.24, 2: 4.91}).attempt, files=9).why == (
        "1 worker with 4 threads: 6.2 FPS in a trial; 2 workers with 2 threads each: 4.9 FPS"
    )
    assert choose([ONE], Machine({}).attempt, files=1).why == "1 worker with 4 threads"


class Watched:
    """A task under a watch of two minutes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.watch = StallWatch(120.0, clock=lambda: self.now)

    def after(self, seconds: int) -> str | None:
        """What is told within so many seconds, asked every second."""
        for _ in range(seconds):
            self.now += 1.0
            if (told := self.watch.stalled()) is not None:
                return told
        return None


def test_a_task_that_says_nothing_for_too_long_hangs():
    task = Watched()
    assert task.after(500) is None  # there is none yet
    task.watch.begun()
    assert task.after(120) is None
    task.watch.moved(1, 100)
    assert task.after(120) is None
    assert task.after(1) == "it hangs: no frame was finished in 120 s (--stall-timeout)"
    task.watch.ended()
    assert task.after(500) is None


def test_completing_large_files_may_take_longer_than_a_frame():
    task = Watched()
    task.watch.begun()
    task.watch.moved(100, 100)
    assert task.after(1200) is None
    assert task.after(1) == "it hangs: its files were not completed in 1200 s (--stall-timeout)"


def test_a_job_that_was_suspended_does_not_hang():
    task = Watched()
    task.watch.begun()
    task.now += 3600.0
    assert task.watch.stalled() is None
    assert task.after(100) is None
