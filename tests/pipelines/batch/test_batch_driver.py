"""The driver against workers that do what the test says: retries, crashes, a full disk, an end on the way."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sepcam.models.errors import SepcamError
from sepcam.models.files import DiskFullError
from sepcam.pipelines.analysis.options import AnalysisOptions
from sepcam.pipelines.batch.driver import Driver
from sepcam.pipelines.batch.files.inputs import find_inputs
from sepcam.pipelines.batch.planning import plan
from sepcam.pipelines.batch.state.job_folder import JobFolder, JobInfo
from sepcam.pipelines.batch.state.journal import Entry, fingerprint
from sepcam.pipelines.batch.state.settings import JobSettings
from sepcam.pipelines.batch.tasks.plan import FileInParts
from sepcam.pipelines.batch.tasks.segment_store import note
from sepcam.pipelines.batch.tasks.types import DetectTask, FileTask, Task, TaskResult
from sepcam.pipelines.batch.workers.protocol import Died, Event, Finished
from sepcam.pipelines.sinks.outputs import Target
from sepcam.pipelines.statistics import Statistics

SETTINGS = JobSettings(AnalysisOptions("some-detector"), saves=("jsonl",))
CRASH = "crash"


class Pool:
    """Workers that answer at once."""

    def __init__(self, answer: Callable[[str, int], TaskResult | str], size: int = 2) -> None:
        self.size = size
        self.answer = answer
        self.attempts: list[str] = []
        self.most = 0
        self.stopped = False
        self._tasks: list[Task] = []

    def free(self) -> int:
        return self.size - len(self._tasks)

    def submit(self, task: Task) -> None:
        self._tasks.append(task)
        self.most = max(self.most, len(self._tasks))

    def wait(self, timeout_s: float) -> list[Event]:
        tasks, self._tasks = self._tasks, []
        return [self._done(task) for task in tasks]

    def stop(self) -> None:
        self.stopped = True

    def close(self) -> None:
        pass

    def _done(self, task: Task) -> Event:
        assert isinstance(task, FileTask)
        name = Path(task.source.name).name
        self.attempts.append(name)
        answer = self.answer(name, self.attempts.count(name))
        if isinstance(answer, str):
            task.target.files["jsonl"].with_name(".a.partial-7.jsonl").write_text("half")
            return Died(1, task.id, answer)
        if answer.error is None and answer.complete:
            path = task.target.files["jsonl"]
            path.write_text("results")
            answer = replace(answer, outputs=(fingerprint(path),))
        return Finished(1, task.id, answer)


class Quiet:
    def began(self, entry: Entry) -> None: ...
    def advanced(self, entry: Entry, worker: int, frames: int, total: int | None) -> None: ...
    def retried(self, entry: Entry, reason: str) -> None: ...
    def ended(self, entry: Entry, result: TaskResult) -> None: ...


@pytest.fixture
def run(tmp_path):
    """Runs a job over three files; gives the entries by name."""
    for name in "abc":
        (tmp_path / f"{name}.mp4").write_text(name)
    job = JobFolder(tmp_path / "out")

    def go(pool: Pool, stopped: Callable[[], bool] = lambda: False) -> dict[str, Entry]:
        with job.locked(), job.journal() as journal:
            info = JobInfo(SETTINGS, (), False, {}, {})
            plan(job, journal, find_inputs([str(tmp_path)]).inputs, info, overwrite=False)
            try:
                Driver(job, journal, pool, Quiet(), settings=SETTINGS, stopped=stopped).run()
            finally:
                entries = journal.entries()
        return {Path(entry.input.name).name: entry for entry in entries}

    return go


def fine(name: str, attempt: int) -> TaskResult:
    return TaskResult(frames=5)


def test_every_file_is_done_once_and_no_worker_gets_two(run):
    pool = Pool(fine)
    entries = run(pool)
    assert pool.attempts == ["a.mp4", "b.mp4", "c.mp4"]
    assert pool.most == 2
    assert all((one.state, one.frames, one.attempts) == ("done", 5, 1) for one in entries.values())
    again = Pool(fine)
    run(again)
    assert again.attempts == []


def test_a_crash_is_tried_again_and_leaves_nothing(run, tmp_path):
    pool = Pool(lambda name, attempt: CRASH if (name, attempt) == ("a.mp4", 1) else TaskResult(5))
    entries = run(pool)
    assert pool.attempts.count("a.mp4") == 2
    assert (entries["a.mp4"].state, entries["a.mp4"].attempts) == ("done", 2)
    assert not list((tmp_path / "out").glob(".a.*"))


def test_a_file_that_always_crashes_is_set_aside_and_the_next_run_tries_it_anew(run):
    entries = run(Pool(lambda name, attempt: CRASH if name == "a.mp4" else TaskResult(5)))
    assert (entries["a.mp4"].state, entries["a.mp4"].error) == ("failed", CRASH)
    assert entries["c.mp4"].state == "done"
    pool = Pool(fine)
    assert run(pool)["a.mp4"].state == "done"
    assert pool.attempts == ["a.mp4"]


def test_what_no_attempt_can_mend_gets_one(run):
    pool = Pool(lambda name, attempt: TaskResult(error="no video"))
    assert {one.error for one in run(pool).values()} == {"no video"}
    assert len(pool.attempts) == 3


def test_a_full_disk_ends_the_job_and_sets_nothing_aside(run):
    pool = Pool(lambda name, attempt: TaskResult(error="the disk is full", disk_full=True), size=1)
    with pytest.raises(DiskFullError, match="the disk is full; then the same command continues"):
        run(pool)
    assert pool.attempts == ["a.mp4"]
    assert all(one.state == "done" for one in run(Pool(fine)).values())


def test_a_job_that_is_stopped_goes_on_later(run):
    pool = Pool(lambda name, attempt: TaskResult(complete=False), size=1)
    entries = run(pool, stopped=lambda: bool(pool.attempts))
    assert pool.stopped
    assert pool.attempts == ["a.mp4"]
    assert {one.state for one in entries.values()} == {"waiting"}
    assert all(one.state == "done" for one in run(Pool(fine)).values())


def test_a_file_that_was_stopped_has_as_many_attempts_as_before(run, tmp_path):
    def begun(name: str, attempt: int) -> TaskResult:
        path = tmp_path / "out" / "a.jsonl"
        path.write_text("the beginning")
        return TaskResult(2, complete=False, outputs=(fingerprint(path),))

    pool = Pool(begun, size=1)
    entries = run(pool, stopped=lambda: bool(pool.attempts))
    assert (entries["a.mp4"].state, entries["a.mp4"].attempts) == ("stopped", 0)
    pool = Pool(lambda name, attempt: CRASH if (name, attempt) == ("a.mp4", 1) else TaskResult(5))
    entries = run(pool)
    assert (entries["a.mp4"].state, entries["a.mp4"].attempts) == ("done", 2)


def test_a_source_that_has_changed_is_done_again(run, tmp_path):
    run(Pool(fine))
    (tmp_path / "b.mp4").write_text("longer than before")
    pool = Pool(fine)
    run(pool)
    assert pool.attempts == ["b.mp4"]


def test_a_file_that_is_done_again_has_no_counts_until_then(run, tmp_path):
    counted = run(Pool(lambda name, attempt: TaskResult(5, statistics=Statistics(people=2))))
    assert counted["b.mp4"].statistics is not None
    (tmp_path / "b.mp4").write_text("damaged")
    entries = run(Pool(lambda name, attempt: TaskResult(error="no video")))
    assert (entries["b.mp4"].state, entries["b.mp4"].statistics) == ("failed", None)
    assert entries["a.mp4"].statistics is not None


@pytest.mark.parametrize("new", ["x", "longer than before"])
def test_a_copy_of_what_has_changed_since_is_a_copy_no_longer(run, tmp_path, new):
    (tmp_path / "b.mp4").write_text("a")
    assert run(Pool(fine))["b.mp4"].state == "skipped"
    (tmp_path / "a.mp4").touch()
    pool = Pool(fine)
    assert run(pool)["b.mp4"].state == "skipped"
    assert pool.attempts == ["a.mp4"]
    (tmp_path / "a.mp4").write_text(new)
    pool = Pool(fine)
    assert run(pool)["b.mp4"].state == "done"
    assert pool.attempts == ["a.mp4", "b.mp4"]


def test_images_among_the_results_are_no_inputs_of_the_next_run(tmp_path):
    (tmp_path / "v.mp4").write_text("v")
    out = tmp_path / "out"
    job, info = JobFolder(out), JobInfo(replace(SETTINGS, saves=("contact-sheet", "crops")), (), True, {}, {})

    def inputs() -> list[str]:
        with job.locked(), job.journal() as journal:
            found = find_inputs([str(tmp_path)], recursive=True).inputs
            return [entry.input.name for entry in plan(job, journal, found, info, overwrite=False)]

    assert inputs() == [str(tmp_path / "v.mp4")]
    for name in ("v-sheet.jpg", "v-crops/person-0001/000000.jpg"):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(b"")
    assert inputs() == [str(tmp_path / "v.mp4")]
    (tmp_path / "photo.jpg").write_bytes(b"")
    assert inputs() == [str(tmp_path / "v.mp4"), str(tmp_path)]


def test_a_damaged_file_in_parts_is_done_as_a_whole_after_a_kill_too(tmp_path):
    """The kill came after its parts were found damaged, and before they were given up."""
    (tmp_path / "v.mp4").write_text("v")
    (source,) = find_inputs([str(tmp_path / "v.mp4")]).inputs
    target, parts = Target(source.name, {"jsonl": tmp_path / "v.jsonl"}), tmp_path / "parts" / "1"

    def task() -> Task | None:
        return FileInParts(source, target, parts, workers=2, overwrite=True, tracked=True).next(1)

    note(parts / "plan.json", {"cuts": [5.0]})
    assert isinstance(task(), DetectTask)
    for number in range(2):
        note(parts / f"detected-{number:05}.json", {"frames": 9, "sound": number > 0, "stage_ms": {}})
    assert isinstance(task(), FileTask)
    assert not parts.exists()


def test_a_journal_that_is_damaged_or_gone_says_what_to_do(run, tmp_path):
    run(Pool(fine))
    path = tmp_path / "out" / ".sepcam" / "journal.sqlite"
    path.write_text("garbage " * 1000)
    with pytest.raises(SepcamError, match=r"cannot be used: .*: restart with --fresh"):
        run(Pool(fine))
    path.unlink()
    with pytest.raises(SepcamError, match="is gone: restart with --fresh"):
        JobFolder(tmp_path / "out").journal(read_only=True)
