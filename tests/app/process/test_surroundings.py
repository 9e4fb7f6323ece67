"""`sepcam process` among what people have: terminals, services, closed streams, pipes, passwords."""

import http.server
import json
import os
import pty
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sepcam.app import cli

from tests.clips import audio_samples, write_clip
from tests.walkers import square_picture

ROOT = Path(__file__).parents[3]
OPTIONS = ("--detector", "tests.walkers:SquareDetector", "--tasks", "none")
COMMAND = (sys.executable, "-m", "sepcam", "process")


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "東京.mp4", images=[square_picture(i) for i in range(3)])
    return tmp_path


def sepcam(*words: str, env: dict[str, str] | None = None, **streams) -> subprocess.CompletedProcess:
    env = os.environ | {"PYTHONPATH": str(ROOT)} | (env or {})
    return subprocess.run([*COMMAND, *words, *OPTIONS], env=env, timeout=120, check=False, **streams)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def in_process(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        cli.main(["process", *words, *OPTIONS])
    return int(end.value.code or 0)


def test_a_terminal_that_is_not_utf_8_shows_escapes(here):
    done = sepcam("東京.mp4", "-o", "o", env={"PYTHONIOENCODING": "cp1252"}, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"\\u6771\\u4eac.mp4: 3 frames")
    assert names(here / "o") == ["東京.jsonl", "東京.mp4"]


def test_closed_streams_and_a_bare_environment_are_no_hindrance(here):
    words = [*COMMAND, "東京.mp4", "-o", "o", *OPTIONS]
    script = 'exec "$@" <&- >&- 2>&-'
    done = subprocess.run(
        ["sh", "-c", script, "sh", *words], env={"PYTHONPATH": str(ROOT)}, timeout=120, check=False
    )
    assert done.returncode == 0
    assert names(here / "o") == ["東京.jsonl", "東京.mp4"]
    assert json.loads((here / "o" / "東京.jsonl").read_text().splitlines()[-1])["complete"]


def test_a_stdout_that_is_full_gets_one_line(here):
    with open("/dev/full", "w") as full:
        done = sepcam("東京.mp4", "-o", "o", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr == b"error: stdout cannot be written to: No space left on device\n"


@pytest.mark.parametrize("options", [(), ("--workers", "1")])
def test_a_closed_terminal_completes_the_files(here, options):
    """As Ctrl-C does; what an older run left is cleared."""
    (here / "o").mkdir()
    (here / "o" / ".synthetic.partial-7.mp4").write_text("of a process that was killed")
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "synthetic:96x64x1000000", "-o", "o", *options, *OPTIONS],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    os.close(terminal)
    hidden = here / "o"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not any(
        path.stat().st_size for path in hidden.glob(".synthetic.partial-*.jsonl")
    ):
        time.sleep(0.05)
    os.close(main)
    os.killpg(process.pid, signal.SIGHUP)  # a shell tells all processes of the job
    assert process.wait(60) == 130
    assert [name for name in names(here / "o") if name != ".sepcam"] == ["synthetic.jsonl", "synthetic.mp4"]


class _Guarded(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def guarded(here):
    """The address of the clip, with a user, a password and a token in it."""
    os.rename("東京.mp4", "v.mp4")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Guarded)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://admin:S3cret!@127.0.0.1:{server.server_address[1]}/v.mp4?token=S3cret2"
    server.shutdown()
    thread.join()
    server.server_close()


def secrets_in(folder: Path) -> list[str]:
    paths = list(folder.rglob("*"))
    found = [str(path) for path in paths if "S3cret" in path.name]
    return found + [
        str(path) for path in folder.rglob("*") if path.is_file() and b"S3cret" in path.read_bytes()
    ]


def test_passwords_reach_neither_results_nor_the_terminal(guarded, here, capfd):
    assert in_process(guarded, "-o", "o", "--save", "video,jsonl,mot,parquet") == 0
    assert in_process(guarded.replace("v.mp4", "none.mp4"), "-o", "o") == 2
    assert in_process("rtsp://admin:S3cret!@127.0.0.1:1/cam", "-o", "o") == 2
    said = capfd.readouterr()
    assert "S3cret" not in said.out + said.err
    assert "http://127.0.0.1" in said.out
    assert secrets_in(here / "o") == []
    header = json.loads(next((here / "o").glob("*.jsonl")).read_text().splitlines()[0])
    assert header["source"].endswith("/v.mp4")


def test_a_job_keeps_passwords_where_only_its_owner_reads(guarded, here, capfd):
    assert in_process(guarded, "-o", "o", "--workers", "1", "--log-json") == 0
    said = capfd.readouterr()
    assert "S3cret" not in said.out + said.err
    holding = {Path(name) for name in secrets_in(here / "o")}
    assert {path.name for path in holding} <= {"job.json", "journal.sqlite", "journal.sqlite-wal"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in holding} == {0o600}
    with sqlite3.connect(here / "o" / ".sepcam" / "journal.sqlite") as journal:
        assert journal.execute("SELECT state FROM files").fetchall() == [("done",)]
    journal.close()


def test_the_settings_file_and_quoted_words_know_the_home_folder(here, monkeypatch, capfd):
    monkeypatch.setenv("HOME", str(here))
    (here / "job.toml").write_bytes(b'\xef\xbb\xbfout = "~/results"\r\n')
    assert in_process("~/東京.mp4", "--config", "~/job.toml") == 0
    assert in_process("~/東京.mp4", "--out=~/others") == 0
    assert names(here) == ["job.toml", "others", "results", "東京.mp4"]


def test_standard_input_is_read_once(here):
    with open("東京.mp4", "rb") as clip:
        assert sepcam("-", "-o", "o1", stdin=clip, capture_output=True).returncode == 0
    write_clip(here / "v.ts", images=[square_picture(i) for i in range(30)], audio="aac")
    os.mkfifo("fifo")
    feed = subprocess.Popen(["sh", "-c", "cat v.ts > fifo"])
    assert in_process("fifo", "-o", "o2") == 0
    feed.wait()
    piped = sepcam("-", "-o", "o3", input=(here / "v.ts").read_bytes(), capture_output=True)
    assert piped.returncode == 0
    for folder, stem, frames in (("o1", "stdin", 3), ("o2", "fifo", 30), ("o3", "stdin", 30)):
        lines = (here / folder / f"{stem}.jsonl").read_text().splitlines()
        assert json.loads(lines[-1])["frames"] == frames
    for video in ("o2/fifo.mp4", "o3/stdin.mp4"):
        assert audio_samples(here / video)[1] == pytest.approx(3 * 48_000, abs=4096)


def test_a_recording_is_followed_until_it_no_longer_grows(here, capfd):
    write_clip(here / "v.ts", images=[square_picture(i) for i in range(30)], audio="aac")
    assert in_process("v.ts", "--follow", "-o", "o") == 0
    assert "did not grow for 5 s: taken as finished" in capfd.readouterr().err
    assert audio_samples(here / "o/v.mp4")[1] == pytest.approx(3 * 48_000, abs=4096)
    assert in_process("v.ts", "東京.mp4", "--follow", "-o", "o") == 2
    assert capfd.readouterr().err.startswith("error: --follow reads one recording")


def test_a_folder_that_cannot_be_written_is_named_before_any_work(here, capfd):
    assert in_process("東京.mp4", "-o", "/proc/results") == 2
    assert capfd.readouterr().err.startswith("error: cannot write to /proc/results: ")


def test_standard_input_is_no_file_of_a_job(here, capfd):
    assert in_process("-", "東京.mp4", "-o", "o") == 2
    assert "- can be read by this process only" in capfd.readouterr().err


def test_an_option_of_workers_makes_a_job_of_a_single_file(here):
    assert in_process("東京.mp4", "-o", "o", "--stall-timeout", "300") == 0
    assert names(here / "o") == [".sepcam", "東京.jsonl", "東京.mp4"]


def test_a_job_is_resumed_from_another_folder_with_what_is_typed(here, monkeypatch, capfd):
    os.rename("東京.mp4", "v1.mp4")
    assert in_process("v?.mp4", "-o", "o", "--workers", "1", "--save", "jsonl") == 0
    os.remove("o/v1.jsonl")
    os.mkdir("elsewhere")
    monkeypatch.chdir("elsewhere")
    assert in_process("--resume", "-o", str(here / "o"), "--workers", "1") == 0
    assert names(here / "o") == [".sepcam", "v1.jsonl"]
    assert in_process("--resume", "-o", str(here / "o"), "--small-people") == 2
    assert "takes no larger input" in capfd.readouterr().err


def test_a_job_that_talks_json_writes_its_page_too(here, monkeypatch, capfd):
    words = ("東京.mp4", "-o", "o", "--log-json", "--line", "0.5,0,0.5,1", "--tasks", "track", *OPTIONS[:2])
    with pytest.raises(SystemExit) as end:
        cli.main(["process", *words])
    assert not end.value.code
    assert "summary.html" in names(here / "o")
    assert {json.loads(line)["event"] for line in capfd.readouterr().out.splitlines()} >= {"end", "summary"}


def test_a_mixed_folder_is_processed_as_far_as_the_results_allow(here, capfd):
    os.mkdir("f")
    os.rename("東京.mp4", "f/a.mp4")
    import cv2

    cv2.imwrite("f/b.png", square_picture(1))
    assert in_process("f", "-o", "o", "--save", "mot", "--workers", "1") == 0
    assert "f: mot is for live sources and videos, not for images" in capfd.readouterr().err
    assert [name for name in names(here / "o") if name != ".sepcam"] == ["a.mot.txt"]
