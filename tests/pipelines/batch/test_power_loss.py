"""The order in which a job writes: a file before its name, and its name before the journal says so."""

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import pytest
from sepcam.pipelines.analysis.options import AnalysisOptions
from sepcam.pipelines.batch.driver import Driver
from sepcam.pipelines.batch.files.inputs import find_inputs
from sepcam.pipelines.batch.files.transfer import put
from sepcam.pipelines.batch.planning import plan
from sepcam.pipelines.batch.state.job_folder import JobFolder, JobInfo
from sepcam.pipelines.batch.state.journal import Entry, Journal
from sepcam.pipelines.batch.state.settings import JobSettings
from sepcam.pipelines.batch.tasks.run import run_task
from sepcam.pipelines.batch.tasks.types import Task, TaskResult
from sepcam.pipelines.batch.workers.protocol import Event, Finished

from tests.clips import write_clip
from tests.walkers import pipeline_of, square_picture

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="tells files by /proc/self/fd")


class Disk:
    """What was asked of the disk, in order: ("sync", file or folder), ("name", file), ("journal", file)."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.log: list[tuple[str, Path]] = []
        self._unsynced: list[Path] = []
        sync = os.fsync
        patch.setattr(os, "fsync", lambda handle: (self._synced(handle), sync(handle))[1])
        for name in ("replace", "link", "rename"):
            patch.setattr(os, name, self._naming(getattr(os, name)))

    def _synced(self, handle: int) -> None:
        self.log.append(("sync", Path(os.readlink(f"/proc/self/fd/{handle}"))))

    def _naming(self, real):
        def named(source: Path, target: Path, **options) -> None:
            real(source, target, **options)
            assert ("sync", Path(source)) in self.log, f"{target} has its name before it is on the disk"
            self.log.append(("name", Path(target)))

        return named

    def safe(self, path: Path) -> bool:
        """Whether the name of a file is on the disk by now."""
        if ("name", path) not in self.log:
            return False
        last = max(i for i, one in enumerate(self.log) if one == ("name", path))
        return ("sync", path.parent) in self.log[last:]


@pytest.fixture
def disk(monkeypatch) -> Disk:
    return Disk(monkeypatch)


class Here:
    """A worker in this process."""

    size = 1

    def __init__(self, settings: JobSettings) -> None:
        self._settings, self._networks = settings, pipeline_of(tasks=())
        self._tasks: list[Task] = []

    def free(self) -> int:
        return 1 - len(self._tasks)

    def submit(self, task: Task) -> None:
        self._tasks.append(task)

    def wait(self, timeout_s: float) -> Sequence[Event]:
        tasks, self._tasks = self._tasks, []
        results = [
            run_task(task, self._settings, self._networks, lambda frames, total: None) for task in tasks
        ]
        return [Finished(1, task.id, result) for task, result in zip(tasks, results, strict=True)]

    def stop(self) -> None: ...
    def close(self) -> None: ...


class Quiet:
    def began(self, entry: Entry) -> None: ...
    def advanced(self, entry: Entry, worker: int, frames: int, total: int | None) -> None: ...
    def retried(self, entry: Entry, reason: str) -> None: ...
    def ended(self, entry: Entry, result: TaskResult) -> None: ...


@pytest.mark.parametrize(
    ("images", "saves"), [(False, ("video", "jsonl", "mot", "parquet")), (True, ("video", "jsonl", "coco"))]
)
def test_a_file_is_done_only_when_all_its_results_are_on_the_disk(
    images: bool, saves: tuple[str, ...], disk: Disk, tmp_path, monkeypatch
):
    pictures = [square_picture(index) for index in range(4)]
    if images:
        (tmp_path / "in").mkdir()
        for index, picture in enumerate(pictures):
            cv2.imwrite(str(tmp_path / "in" / f"{index}.png"), picture)
    else:
        write_clip(tmp_path / "in.mp4", images=pictures)
    settings, folder = (
        JobSettings(AnalysisOptions("squares"), saves=saves),
        JobFolder(tmp_path / "new" / "out"),
    )
    finish = Journal.finish

    def finished(journal: Journal, number: int, outputs, **values) -> None:
        for output in outputs:
            path = folder.out / output.path
            for file in sorted(path.iterdir()) if path.is_dir() else [path]:
                assert disk.safe(file), f"{file} is in the journal before it is on the disk"
        disk.log.append(("journal", Path(str(number))))
        finish(journal, number, outputs, **values)

    monkeypatch.setattr(Journal, "finish", finished)
    with folder.locked(), folder.journal() as journal:
        info = JobInfo(settings, (), False, {}, {})
        plan(
            folder,
            journal,
            find_inputs([str(tmp_path / ("in" if images else "in.mp4"))]).inputs,
            info,
            overwrite=False,
        )
        folder.write(info)
        assert disk.safe(folder.path / "job.json")
        assert Driver(folder, journal, Here(settings), Quiet(), settings=settings).run()
        assert [len(entry.outputs) for entry in journal.entries()] == [len(saves)]
    assert ("journal", Path("1")) in disk.log
    for made in (tmp_path / "new", folder.out):  # new folders have names too
        assert ("sync", made.parent) in disk.log


def test_what_a_cluster_puts_in_its_place_is_on_the_disk_first(disk: Disk, tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "1.jpg").write_text("1")
    put(tmp_path / "made" / "1.jpg", tmp_path / "out" / "1.jpg", overwrite=False)
    put(tmp_path / "made", tmp_path / "out" / "pictures", overwrite=False)
    assert disk.safe(tmp_path / "out" / "1.jpg")
    assert disk.safe(tmp_path / "out" / "pictures" / "1.jpg")


def test_the_journal_waits_for_the_disk_at_every_change(tmp_path):
    with Journal(tmp_path / "journal.sqlite") as journal:
        ((mode,),) = journal._db.execute("PRAGMA journal_mode").fetchall()
        ((level,),) = journal._db.execute("PRAGMA synchronous").fetchall()
    assert (mode, level) == ("wal", 2)  # FULL
