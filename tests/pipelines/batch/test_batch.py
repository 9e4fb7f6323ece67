"""Jobs of many files: nothing is lost, nothing done twice, and one bad file stops no other."""

import json
import os
import re
import shutil
import subprocess
from contextlib import closing
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from sepcam.app.process.progress import Lines
from sepcam.assets import demo_clip
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.pipelines.analysis.options import AnalysisOptions
from sepcam.pipelines.batch.driver import Driver, Policy
from sepcam.pipelines.batch.files.inputs import find_inputs
from sepcam.pipelines.batch.planning import plan
from sepcam.pipelines.batch.state.job_folder import JobFolder, JobInfo
from sepcam.pipelines.batch.state.journal import fingerprint
from sepcam.pipelines.batch.state.settings import JobSettings
from sepcam.pipelines.batch.tasks.segments import find_cuts
from sepcam.pipelines.batch.workers.processes import ProcessPool
from sepcam.pipelines.drawing.options import DrawOptions

from tests.clips import write_clip
from tests.soak.kinds import KINDS, make_clips
from tests.soak.run import SEPCAM, TOP, run_soak
from tests.walkers import square_picture

SQUARES = ("--detector", "tests.walkers:FragileDetector", "--save", "video,jsonl")


def squares(path: Path, frames: int = 8, **settings) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_clip(path, images=[square_picture(i) for i in range(frames)], **settings)


def process(*words: object) -> subprocess.CompletedProcess[str]:
    """Runs ``sepcam process`` where its workers can import the tests' networks."""
    command = [*SEPCAM, "process", *map(str, words)]
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True)


def names(folder: Path) -> list[str]:
    """Every file but the job's own."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if path.parts[0] != ".sepcam")


def entries(out: Path):
    with JobFolder(out).journal(read_only=True) as journal:
        return journal.entries()


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    """Good clips, some of one name, a copy, and three that cannot be processed."""
    folder = tmp_path_factory.mktemp("clips")
    squares(folder / "a.mp4", 8)
    squares(folder / "a.avi", 9, codec="mjpeg", pix_fmt="yuvj420p")
    squares(folder / "sub" / "a.mp4", 10)
    shutil.copy(folder / "a.mp4", folder / "sub" / "copy.mp4")
    write_clip(folder / "crash.mp4", images=[np.full((64, 96, 3), 255, np.uint8)] * 3)
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("no video")
    (folder / "notes.txt").write_text("not meant")
    return folder


@pytest.fixture(scope="module")
def job(clips, tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A job over them with two workers that has come to its end, and what it said."""
    out = tmp_path_factory.mktemp("job") / "out"
    return out, process(clips, "-r", "-o", out, "--workers", 2, *SQUARES, "--tasks", "track")


def test_every_good_file_has_its_results_in_a_place_of_its_own(job):
    out, _ = job
    stems = ("a", "a-mp4", "sub/a")
    assert names(out) == sorted(f"{stem}{suffix}" for stem in stems for suffix in (".jsonl", ".mp4"))
    assert {entry.frames for entry in entries(out) if entry.state == "done"} == {8, 9, 10}


def test_every_bad_one_is_set_aside_with_its_reason_and_the_exit_code_says_so(job):
    out, done = job
    assert done.returncode == 1
    states = {Path(entry.input.name).name: (entry.state, entry.error or "") for entry in entries(out)}
    assert states["empty.mp4"][1].endswith("is empty (0 bytes)")
    assert "is not a video" in states["text.mp4"][1]
    assert states["copy.mp4"][0] == "skipped"
    assert "a copy of" in states["copy.mp4"][1]
    assert "3 done, 3 failed, 1 skipped" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_file_that_crashes_its_process_is_tried_again_and_then_set_aside(job):
    out, done = job
    (crash,) = [entry for entry in entries(out) if entry.input.name.endswith("crash.mp4")]
    assert (crash.state, crash.attempts) == ("failed", 2)
    assert "killed by SIGSEGV" in (crash.error or "")
    assert "trying again" in done.stderr


def test_the_journal_knows_sizes_and_hashes(job):
    out, _ = job
    for entry in entries(out):
        for output in entry.outputs:
            assert (out / output.path).stat().st_size == output.bytes
            assert len(output.sha256) == 64


def test_the_job_says_what_it_is(job):
    about = json.loads((job[0] / ".sepcam" / "job.json").read_text())
    assert about["settings"]["tasks"] == ["track"]
    assert about["versions"]["sepcam"]
    assert about["recursive"] is True


def test_its_state_is_shown_at_any_time(job):
    out, _ = job
    with JobFolder(out).locked():
        done = process("--status", out)
    assert done.returncode == 0
    assert "3 done, 3 failed, 1 skipped; 27 frames" in done.stdout
    assert f"at work: process {os.getpid()}" in done.stdout


def test_a_second_run_in_the_same_folder_is_refused_in_one_line(job, clips):
    out, _ = job
    with JobFolder(out).locked():
        done = process(clips, "-r", "-o", out, "--workers", 2, *SQUARES, "--tasks", "track")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"error: another run is at work in {out}")


def test_other_settings_are_refused_with_what_is_different(job, clips):
    out, _ = job
    done = process(clips, "-r", "-o", out, *SQUARES, "--tasks", "none", "--conf", "0.3")
    assert done.returncode == 2
    assert "(tasks track -> none; conf none -> 0.3)" in done.stderr
    assert "--fresh" in done.stderr


def test_a_rerun_does_what_is_missing_and_nothing_else(tmp_path):
    clips, out = tmp_path / "clips", tmp_path / "out"
    for name in "ab":
        squares(clips / f"{name}.mp4", 3 + ord(name) % 3)
    first = process(clips, "-o", out, "--workers", 1, *SQUARES, "--tasks", "none", "--log-json")
    assert [json.loads(line)["event"] for line in first.stdout.splitlines()].count("end") == 2
    (out / "a.jsonl").unlink()
    (out / ".a.partial-1.jsonl").write_text("what a killed run left")
    before = (out / "b.jsonl").stat().st_mtime_ns
    again = process("--resume", "-o", out, "--workers", 1)
    assert again.returncode == 0
    assert "this run: 1 file" in again.stdout
    assert (out / "b.jsonl").stat().st_mtime_ns == before
    assert names(out) == ["a.jsonl", "a.mp4", "b.jsonl", "b.mp4"]


def test_a_file_that_hangs_is_tried_again_and_then_set_aside_while_the_others_go_on(tmp_path):
    squares(tmp_path / "a.mp4", 5)
    write_clip(tmp_path / "b.mp4", images=[np.zeros((64, 96, 3), np.uint8)] * 3)
    squares(tmp_path / "c.mp4", 6)
    out = tmp_path / "out"
    words = ("--detector", "tests.stuck:StuckDetector", "--tasks", "none", "--save", "jsonl")
    done = process(tmp_path, "-o", out, "--workers", 1, "--stall-timeout", 5, *words)
    assert done.returncode == 1
    states = {Path(entry.input.name).stem: entry for entry in entries(out)}
    assert (states["a"].state, states["c"].state) == ("done", "done")
    assert (states["b"].state, states["b"].attempts) == ("failed", 2)
    assert states["b"].error == "it hangs: no frame was finished in 5 s (--stall-timeout)"
    assert names(out) == ["a.jsonl", "c.jsonl"]
    # Once it is deleted it is no failure any more.
    (tmp_path / "b.mp4").unlink()
    again = process(tmp_path, "-o", out, "--workers", 1, "--stall-timeout", 5, *words)
    assert again.returncode == 0
    assert "b.mp4: no longer there" in again.stdout


def test_a_rerun_takes_and_mentions_none_of_its_own_images(tmp_path):
    squares(tmp_path / "v.mp4", 12)
    words = (
        "--detector",
        "tests.walkers:SquareDetector",
        "--tasks",
        "track",
        "--save",
        "jsonl,crops,heatmap",
    )
    for again in ((), (), ("--fresh",)):
        done = process(tmp_path, "-r", "-o", tmp_path / "out", "--workers", 1, *words, *again)
        assert done.returncode == 0
        assert "not for images" not in done.stderr
        assert [Path(entry.input.name).name for entry in entries(tmp_path / "out")] == ["v.mp4"]
    assert "v-crops/person-0001/000000.jpg" in names(tmp_path / "out")


def test_less_memory_than_a_single_worker_takes_stops_no_job(tmp_path):
    for frames in (4, 5):
        squares(tmp_path / f"{frames}.mp4", frames)
    words = ("--detector", "tests.walkers:SquareDetector", "--tasks", "none", "--save", "jsonl")
    done = process(tmp_path, "-o", tmp_path / "out", "--workers", 2, "--max-memory", "1M", *words)
    assert done.returncode == 0
    assert names(tmp_path / "out") == ["4.jsonl", "5.jsonl"]


def test_what_is_tried_to_choose_the_workers_leaves_nothing(tmp_path):
    for frames in (4, 5, 6):
        squares(tmp_path / f"{frames}.mp4", frames)
    (tmp_path / "d.mp4").write_text("no video, but the largest file" * 1000)
    words = ("--detector", "tests.walkers:SquareDetector", "--tasks", "none", "--save", "jsonl")
    done = process(tmp_path, "-o", tmp_path / "out", "--workers", "auto", *words)
    assert done.returncode == 1
    assert re.search(
        r"1 worker with \d+ threads?: \d+\.\d FPS in a trial; more workers would not repay", done.stderr
    )
    ends = [(entry.state, entry.attempts, entry.frames) for entry in entries(tmp_path / "out")]
    assert ends == [("done", 1, 4), ("done", 1, 5), ("done", 1, 6), ("failed", 1, 0)]
    assert names(tmp_path / "out") == ["4.jsonl", "5.jsonl", "6.jsonl"]


def test_a_long_file_in_parts_is_the_same_as_in_one_run(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(TOP)  # for the workers
    # The scene changes once, in the middle of a part: there an identity ends too.
    grounds = [np.tile(np.linspace(a, b, 64, dtype=np.uint8)[:, None, None], (1, 96, 3)) for a, b in CUT]
    images = [np.maximum(square_picture(i) * (square_picture(i) > 200), grounds[i > 70]) for i in range(120)]
    options = {"g": "12", "bf": "2", "sc_threshold": "0"}
    clip = write_clip(tmp_path / "long.mp4", images=images, options=options, audio="aac")
    # Whoever is tracked leaves at the right and comes back at the left: an identity ends within a part.
    assert find_cuts(str(clip), 4, 1.0) == pytest.approx((2.4, 6.0, 8.4))
    assert find_cuts(str(clip), 1, 1.0, 3.0) == pytest.approx((2.4, 6.0, 8.4))  # a kill loses no more
    results = []
    for workers in (1, 2):
        drive(clip, tmp_path / str(workers), workers)
        results.append(tmp_path / str(workers) / "long")
    texts = (Path(f"{path}.jsonl").read_text() for path in results)
    one, parts = ([json.loads(line) for line in text.splitlines()] for text in texts)
    assert parts[:-1] == one[:-1]
    assert len(one[1]["objects"]) == 1  # the first frame has its person
    assert (parts[-1]["frames"], parts[-1]["people"]) == (120, one[-1]["people"])
    for ending in (".csv", ".mot.txt", "-yolo"):
        whole, joined = (fingerprint(Path(f"{path}{ending}")) for path in results)
        assert (joined.bytes, joined.sha256) == (whole.bytes, whole.sha256)
    for ending in (".events.jsonl", ".events.csv", ".summary.html"):  # also those of people who cross a seam
        assert Path(f"{results[0]}{ending}").read_text() == Path(f"{results[1]}{ending}").read_text()
    assert Path(f"{results[0]}.events.csv").read_text().count(",line,middle,in,") == 2
    assert _sound(f"{results[0]}.mp4") == _sound(f"{results[1]}.mp4")
    whole, joined = (_pictures(f"{path}.mp4") for path in results)
    assert [time_s for time_s, _ in whole] == [time_s for time_s, _ in joined]
    levels, others = ([level for _, level in pictures] for pictures in (whole, joined))
    assert levels == pytest.approx(others, abs=1)  # each part is encoded by itself
    assert not (tmp_path / "2" / ".sepcam" / "parts").exists()


def test_a_long_file_whose_masks_come_with_its_boxes_is_done_in_one_piece(tmp_path):
    """The detector computes masks of those alone who are reported, so it has to be there until then."""
    with av.open(str(demo_clip())) as container:
        frames = islice(container.decode(video=0), 40)
        images = [frame.to_ndarray(width=180, height=120, format="bgr24") for frame in frames]
    clip = write_clip(tmp_path / "long.mp4", images=images, options={"g": "8", "qp": "1"})
    results = []
    for workers in (1, 2):
        options = AnalysisOptions(detect_every=1, runtime=RuntimeOptions(precision="f32"))
        drive(clip, tmp_path / str(workers), workers, JobSettings(options, saves=("jsonl", "mot")))
        results.append((tmp_path / str(workers) / "long.jsonl").read_text().splitlines())
    assert results[0][:-1] == results[1][:-1]
    assert sum("rle" in line or "mask" in line for line in results[0]) > 30


SETTINGS = JobSettings(
    AnalysisOptions("tests.walkers:SquareDetector", "tests.walkers:CenterPose", detect_every=1),
    drawing=DrawOptions(hud="off"),  # speeds differ
    saves=("video", "jsonl", "csv", "mot", "yolo", "events", "events-csv", "summary"),
    zones=("line middle: 0.4,0,0.4,1", "zone right: 0.5,0,1,0,1,1,0.5,1"),
)
CUT = ((20, 160), (160, 20))
"""Brightness of the ground at the top and at the bottom, in two scenes."""


def drive(clip: Path, out: Path, workers: int, settings: JobSettings = SETTINGS) -> None:
    """A job of one file, in parts of a second where there are several workers."""
    folder = JobFolder(out)
    with folder.locked(), folder.journal() as journal, closing(ProcessPool(settings, workers)) as pool:
        info = JobInfo(settings, (str(clip),), False, {}, {})
        plan(folder, journal, find_inputs([str(clip)]).inputs, info, overwrite=False)
        assert Driver(
            folder, journal, pool, Lines(out), settings=settings, policy=Policy(least_part_s=1.0)
        ).run()
        (entry,) = journal.entries()
    assert entry.state == "done"
    assert entry.statistics is not None and entry.statistics.people == entry.people


def _pictures(path: str) -> list[tuple[float, int]]:
    with av.open(path) as container:
        frames = list(container.decode(video=0))
    # What is drawn: the zones, with counts that go up, alter what is below the people.
    drawn = [round(float(frame.to_ndarray(format="gray")[48:].mean())) for frame in frames]
    return [(frame.time, level) for frame, level in zip(frames, drawn, strict=True)]


def _sound(path: str) -> list[int]:
    with av.open(path) as container:
        return [frame.pts for frame in container.decode(audio=0)]


def test_a_job_that_is_killed_at_any_moment_ends_as_if_nothing_had_happened(tmp_path):
    wanted = ("plain", "sound", "odd", "vfr", "rotated", "oneframe", "gif", "truncated", "headless", "empty")
    kinds = tuple(kind for kind in KINDS if kind.name in wanted)
    made = make_clips(tmp_path / "clips", len(kinds), 4, kinds)
    bad = {path.name for path, kind in made.items() if not kind.good}
    soak = run_soak(tmp_path / "clips", bad, tmp_path / "out", kills=2, workers="1", seed=2, patience_s=1.5)
    assert soak.faults == []
    assert (soak.done, set(soak.failed)) == (8, bad)
