"""A job on a Ray cluster gives what one machine gives, also when a worker is killed under way."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import fsspec
import psutil
import pyarrow.parquet as pq
import pytest
from sepcam.app import cli
from sepcam.assets import demo_clip
from sepcam.models.errors import SepcamError
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.pipelines.analysis.options import AnalysisOptions
from sepcam.pipelines.batch.files.inputs import Input, find_inputs
from sepcam.pipelines.batch.files.naming import name_targets
from sepcam.pipelines.batch.files.transfer import fetched, put, put_in_store
from sepcam.pipelines.batch.state.job_folder import JobFolder
from sepcam.pipelines.batch.state.settings import JobSettings
from sepcam.pipelines.batch.tasks.types import FileTask
from sepcam.pipelines.batch.workers.ray_worker import run_here
from sepcam.pipelines.pipeline import Pipeline
from sepcam.pipelines.process_file import record
from sepcam.pipelines.sinks.outputs import Target
from sepcam.pipelines.sources.open import open_source

from tests.clips import write_clip
from tests.walkers import pipeline_of

SEPCAM = [sys.executable, "-c", "from sepcam.app.cli import main; main()"]
SETTINGS = ["--detector", "ssdlite-person", "--tasks", "track", "--threads", "1"]
SETTINGS += ["--save", "video,jsonl,mot,parquet"]
TWO_NODES = """
import sys
from ray.cluster_utils import Cluster
node = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 80 * 2**20}
for attempt in range(3):
    try:
        cluster = Cluster(initialize_head=True, head_node_args=node)
        cluster.add_node(**node)
        break
    except Exception:  # Ray gives a machine half a minute, which one with much to do needs longer than
        if attempt == 2:
            raise
print(cluster.address, flush=True)
sys.stdin.read()
cluster.shutdown()
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Callable[[], str]]:
    """Gives the address of a cluster of two machines of one core each, both this one; it starts beside."""
    with subprocess.Popen(
        [sys.executable, "-c", TWO_NODES],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0"},
    ) as running:
        assert running.stdin is not None and running.stdout is not None
        yield running.stdout.readline
        running.stdin.close()
        running.wait(20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three clips of people, the first one the longest."""
    folder = tmp_path_factory.mktemp("cluster")
    with open_source(demo_clip(), limit=50) as source:
        images = [cv2.resize(frame.image, (270, 180)) for frame in source]
    for name, part in (("a", images), ("b", images[20:32]), ("c", images[40:46])):
        write_clip(folder / f"{name}.mp4", images=part, size=(270, 180))
    return folder


@pytest.fixture(scope="module")
def undisturbed(folder) -> Path:
    """What one machine makes of the clips, without a job."""
    networks = Pipeline(
        AnalysisOptions("ssdlite-person", tasks=("track",), runtime=RuntimeOptions(threads=1))
    )
    inputs = find_inputs([str(folder / name) for name in ("a.mp4", "b.mp4", "c.mp4")]).inputs
    targets = name_targets(inputs, folder / "local", ("video", "jsonl", "mot", "parquet"))
    for one in inputs:
        record(one.open(), targets[one.key], networks, unseen)
    return folder / "local"


@contextmanager
def unseen(title, total):
    yield lambda done, note="": None


def same_results(out: Path, expected: Path) -> None:
    names = sorted(path.relative_to(expected) for path in expected.rglob("[!.]*") if path.is_file())
    names = [name for name in names if ".sepcam" not in name.parts]
    assert len(names) == 12
    found = sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file())
    assert [name for name in found if ".sepcam" not in name.parts] == names
    for name in names:
        if name.suffix == ".jsonl":
            (*lines, last), (*wanted, end) = (
                [json.loads(line) for line in (root / name).read_text().splitlines()]
                for root in (out, expected)
            )
            assert lines == wanted
            assert (last["frames"], last["people"]) == (end["frames"], end["people"])
        elif name.suffix == ".parquet":
            assert pq.ParquetFile(out / name).read().equals(pq.ParquetFile(expected / name).read())
        elif name.suffix == ".mp4":
            with open_source(out / name) as made, open_source(expected / name) as wanted_source:
                assert [f.time_s for f in made] == [f.time_s for f in wanted_source]
        else:
            assert (out / name).read_bytes() == (expected / name).read_bytes()


def kill_a_worker() -> None:
    titles = {process: process.info["cmdline"] or [""] for process in psutil.process_iter(["cmdline"])}
    workers = [one for one, words in titles.items() if words[0].startswith("ray::ClusterWorker")]
    at_work = [one for one in workers if not titles[one][0].endswith(".load")]
    os.kill(at_work[0].pid, signal.SIGKILL)


def test_a_killed_worker_changes_nothing(cluster, folder, undisturbed):
    out, running_at = folder / "cluster", cluster().strip()
    assert running_at, "the cluster did not start"
    address = (folder / "b.mp4").as_uri()
    words = ["process", "a.mp4", address, "c.mp4", "-o", str(out), "--cluster", f"ray:{running_at}"]
    words += ["--retries", "3", "--log-json", *SETTINGS]
    with subprocess.Popen(
        [*SEPCAM, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None and running.stderr is not None
        events, killed = [], False
        for line in running.stdout:
            events.append(json.loads(line))
            if events[-1].get("frames") and not killed:
                kill_a_worker()
                killed = True
        said = running.stderr.read()
    assert running.returncode == 0, said
    assert "Traceback" not in said
    same_results(out, undisturbed)
    with JobFolder(out).journal(read_only=True) as journal:
        entries = journal.entries()
    assert [entry.state for entry in entries] == ["done"] * 3
    assert max(entry.attempts for entry in entries) >= 2
    assert any("its worker on the cluster is gone" in event.get("reason", "") for event in events)


def test_a_cluster_that_is_not_there_is_told_in_one_line(folder, capsys):
    for words, message in (
        (["--cluster", "ray:127.0.0.1:1"], "there is no Ray cluster at 127.0.0.1:1: Connection refused"),
        (["--cluster", "ray:nonsense"], "'nonsense' is not the address of a Ray cluster: give host:port"),
        (["--cluster", "dask"], "--cluster takes ray or ray:ADDRESS (host:port); got 'dask'"),
    ):
        with pytest.raises(SystemExit) as stopped:
            cli.main(["process", str(folder / "c.mp4"), "-o", str(folder / "no"), *words, *SETTINGS])
        assert stopped.value.code == 2
        assert message in capsys.readouterr().err
    assert not list(folder.glob("no/*.jsonl"))


def test_ray_is_asked_for_where_it_is_missing(folder, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SystemExit):
        cli.main(["process", str(folder / "c.mp4"), "-o", str(folder / "no"), "--cluster", "ray", *SETTINGS])
    assert "--cluster ray needs Ray: pip install 'sepcam[cluster]'" in capsys.readouterr().err


def test_a_file_behind_an_address_is_copied_under_its_name(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"pictures")
    source = fetched(Input((tmp_path / "clip.mp4").as_uri(), "clip"), tmp_path / "here")
    assert source.name == str(tmp_path / "here" / "clip.mp4")
    assert Path(source.name).read_bytes() == b"pictures"
    plain = Input("clip.mp4", "clip")
    assert fetched(plain, tmp_path / "here") is plain
    stream = Input("https://example.org/clip.mp4", "clip")
    assert fetched(stream, tmp_path / "here") is stream


def test_inputs_may_be_addresses_and_globs_of_them():
    where = "memory:///street"
    for name in ("2.mp4", "10.avi", "notes.txt"):
        fsspec.filesystem("memory").pipe(f"/street/{name}", b"")
    found = find_inputs([f"{where}/*", "zip://street/a.mp4::archive.zip", "s3://bucket/deep/b.mkv"])
    assert [(one.name.removeprefix(where), one.stem) for one in found.inputs] == [
        ("/10.avi", "10"),
        ("/2.mp4", "2"),
        ("zip://street/a.mp4::archive.zip", "a"),
        ("s3://bucket/deep/b.mkv", "b"),
    ]
    assert found.missing == ()
    assert find_inputs([f"{where}/*.mkv"]).missing == (f"no video matches {where}/*.mkv",)


@pytest.mark.parametrize(
    ("address", "message"),
    [("file:///no/clip.mp4", "does not exist"), ("nonsense://x/clip.mp4", "cannot be opened: ")],
)
def test_an_address_that_leads_nowhere(address, message, tmp_path):
    with pytest.raises(SepcamError, match=message):
        fetched(Input(address, "clip"), tmp_path)


def test_results_are_put_behind_an_address(tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "1.jpg").write_text("1")
    where = (tmp_path / "store").as_uri()
    put_in_store(tmp_path / "made" / "1.jpg", f"{where}/deep/1.jpg", overwrite=False)
    put_in_store(tmp_path / "made", f"{where}/pictures", overwrite=False)
    assert sorted(str(p.relative_to(tmp_path / "store")) for p in (tmp_path / "store").rglob("*.*")) == [
        "deep/1.jpg",
        "pictures/1.jpg",
    ]
    with pytest.raises(SepcamError, match="exists already"):
        put_in_store(tmp_path / "made" / "1.jpg", f"{where}/deep/1.jpg", overwrite=False)
    (tmp_path / "made" / "1.jpg").write_text("2")
    put_in_store(tmp_path / "made" / "1.jpg", f"{where}/deep/1.jpg", overwrite=True)
    assert (tmp_path / "store" / "deep" / "1.jpg").read_text() == "2"
    (tmp_path / "store" / "file").write_text("")
    with pytest.raises(SepcamError, match="could not be written"):
        put_in_store(tmp_path / "made" / "1.jpg", f"{where}/file/1.jpg", overwrite=True)


def test_a_job_whose_results_go_to_an_address(tmp_path):
    task = FileTask(
        1, Input("synthetic:96x64x4", "s"), Target("synthetic", {"jsonl": Path("job/deep/s.jsonl")}), False
    )
    store = ("job", (tmp_path / "store").as_uri())
    networks = pipeline_of(tasks=())

    def run():
        return run_here(
            task,
            JobSettings(AnalysisOptions("squares")),
            networks,
            lambda *how_far: None,
            tmp_path / "scratch",
            store,
        )

    (output,) = run().outputs
    assert output.path == "job/deep/s.jsonl"
    made = tmp_path / "store" / "deep" / "s.jsonl"
    assert made.stat().st_size == output.bytes
    folder = JobFolder(Path("job"), store[1])
    kept = replace(output, path="deep/s.jsonl")
    assert folder.there("deep/s.jsonl")
    assert folder.holds(kept)
    assert "exists already" in (run().error or "")
    made.unlink()
    assert not folder.there("deep/s.jsonl")
    assert not folder.holds(kept)


def test_an_address_for_the_results_needs_a_cluster(capsys):
    with pytest.raises(SystemExit):
        cli.main(["process", "synthetic:96x64x2", "-o", "s3://bucket/out"])
    assert "results go to s3://bucket/out with --cluster ray alone" in capsys.readouterr().err


def test_results_are_put_whole_or_not_at_all(tmp_path):
    (tmp_path / "made.txt").write_text("new")
    target = tmp_path / "out" / "kept.txt"
    put(tmp_path / "made.txt", target, overwrite=False)
    assert target.read_text() == "new"
    with pytest.raises(SepcamError, match="exists already"):
        put(tmp_path / "made.txt", target, overwrite=False)
    put(tmp_path / "made.txt", target, overwrite=True)
    assert [path.name for path in target.parent.iterdir()] == ["kept.txt"]
    pictures = tmp_path / "made"
    pictures.mkdir()
    (pictures / "1.jpg").write_text("1")
    put(pictures, tmp_path / "out" / "pictures", overwrite=False)
    (pictures / "1.jpg").rename(pictures / "2.jpg")
    with pytest.raises(SepcamError, match="exists already"):
        put(pictures, tmp_path / "out" / "pictures", overwrite=False)
    put(pictures, tmp_path / "out" / "pictures", overwrite=True)
    assert sorted(path.name for path in (tmp_path / "out").rglob("*")) == [
        "1.jpg",
        "2.jpg",
        "kept.txt",
        "pictures",
    ]
