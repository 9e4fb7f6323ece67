"""The command line: every mistake gets one clear line and exit code 2, and nothing is left half-done."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from unittest.mock import Mock

import pytest
import typer
from sepcam.app import cli
from sepcam.assets import demo_clip
from sepcam.models.registry import REGISTRY
from sepcam.pipelines.sources.open import open_source

SEPCAM = [sys.executable, "-c", "from sepcam.app.cli import main; main()"]
CLIP = str(demo_clip())
BROKEN_DETECTOR = """class Mine:
    name = "mine"
    labels = ("person",)
    parts = frozenset()

    def detect(self, image):
        raise ValueError("no eyes")
"""


@pytest.fixture
def sepcam(capsys):
    """Runs a command in this process; gives its exit code and what it printed."""

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            cli.main(words)
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return run


def test_the_version(sepcam):
    code, out, _ = sepcam("--version")
    assert code == 0
    assert out.startswith("sepcam 0.")


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_help_names_the_commands(words, sepcam):
    code, out, _ = sepcam(*words)
    assert code == 0
    assert all(command in out for command in ("demo", "process", "models"))


GROUPS = ("Source", "Analysis", "Networks", "Drawing", "Counting", "Hiding people", "Results")


@pytest.mark.parametrize(
    ("command", "groups"),
    [
        ("process", (*GROUPS, "Jobs of many files", "Settings")),
        ("live", (*GROUPS, "Recording events", "Display")),
        ("serve", (*GROUPS, "Recording events", "Server")),
    ],
)
def test_help_groups_the_options_and_shows_two_examples(command, groups, sepcam, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    code, out, _ = sepcam(command, "--help")
    assert code == 0
    assert all(f"─ {group} ─" in out for group in groups)
    shown = out.split("Examples:")[1]
    assert shown.count(f"sepcam {command} ") == 2


def test_help_states_every_detectors_thresholds(sepcam, monkeypatch):
    monkeypatch.setenv("COLUMNS", "500")
    _, out, _ = sepcam("process", "--help")
    for spec in filter(None, (info.detector and info for info in REGISTRY.values())):
        assert f"{spec.name} {spec.detector.tracker.high:g}, {spec.detector.tracker.new:g}" in out


def test_completion_can_be_installed(tmp_path):
    environment = {**os.environ, "HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = subprocess.run(
        [*SEPCAM, "--show-completion", "bash"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "sepcam" in done.stdout


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom sepcam.app.cli import main\n"
        "try:\n    main(['process', '--help'])\n"
        "finally:\n    print(sorted({'torch', 'openvino', 'cv2', 'av', 'supervision'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_list_of_commands_needs_none_of_them():
    code = (
        "import sys\nfrom sepcam.app.cli import main\n"
        "try:\n    main(['--help'])\n"
        "finally:\n    print([name for name in sys.modules if name == 'numpy' or 'app.commands' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_list_of_commands_says_what_their_own_help_says():
    group = typer.main.get_command(cli.app)
    for name, declared in cli.COMMANDS.items():
        group.load(name)
        assert group.commands[name].help.partition("\n")[0] == declared.help


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("proces",), "No such command 'proces'"),
        (("process",), "Missing argument 'INPUT'"),
        (("process", "--nope", CLIP), "No such option: --nope"),
        (("process", "missing.mp4"), "missing.mp4 does not exist"),
        (("process", CLIP, "--tasks", "track,poze"), "did you mean 'pose'"),
        (
            ("process", CLIP, "--tasks", ""),
            "--tasks needs some of track, pose, segment, or none for boxes alone",
        ),
        (("process", CLIP, "--save", "gif"), "choose from contact-sheet, crops, heatmap, video"),
        (("process", CLIP, "--save", ""), "--save is empty"),
        (("process", CLIP, "--encoder", "vaapi"), "'auto', 'hardware', 'x264', 'nvenc'"),
        (("process", CLIP, "--backbone", "dense"), "'separable', 'standard'"),
        (("process", CLIP, "--frames", "0"), "--frames"),
        (("process", CLIP, "--frames", "ten"), "--frames"),
        (("process", CLIP, "--conf", "2"), "--conf"),
        (("process", CLIP, "--conf", "nan"), "--conf"),
        (("process", CLIP, "--max-people", "0"), "--max-people"),
        (("process", CLIP, "--start", "-1"), "--start"),
        (("process", CLIP, "--start", "500"), "no frames after 500 s"),
        (("process", CLIP, "--threads", "0"), "--threads"),
        (("process", CLIP, "--precision", "f64"), "--precision"),
        (("process", CLIP, "--detector", "nope"), "unknown model 'nope'"),
        (("process", CLIP, "--detector", "blazepose-full"), "does not detect"),
        (("process", CLIP, "--detector", "ssdlite-person", "--classes", "cat"), "no class 'cat'"),
        (("process", CLIP, "-o", os.devnull + "/out"), "cannot write to"),
        (("process", "no*.jpg"), "no image matches"),
        (("models",), "Missing command"),
        (("models", "fetch", "nope"), "unknown model 'nope'"),
        (("models", "fetch", "--file", "x"), "--file holds one network"),
    ],
)
def test_a_mistake_gets_one_clear_line(words, message, sepcam, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = sepcam(*words)
    assert code == 2
    assert out == ""
    assert message in err
    assert len(err.splitlines()) == 1
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty"), (b"some text\n" * 50, "is not a video"), (b"\0\0\0\x18ftypmp42" + b"\0" * 99, "cut")],
)
def test_a_file_that_is_no_video_gets_one_clear_line(content, message, sepcam, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    code, _, err = sepcam("process", str(path), "-o", str(tmp_path / "out"))
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1


def test_a_folder_without_images_gets_one_clear_line(sepcam, tmp_path):
    code, _, err = sepcam("process", str(tmp_path))
    assert (code, len(err.splitlines())) == (2, 1)
    assert "has no images" in err


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize(
    ("words", "error", "line"),
    [
        (["process", "missing.mp4"], "SepcamError: ", "does not exist"),
        (["process", "--colour", "red"], "No such option", "see sepcam process --help"),
    ],
)
def test_debug_shows_where_an_error_came_from(place, words, error, line, sepcam):
    words = ["--debug", *words] if place == "before" else [*words, "--debug"]
    code, _, err = sepcam(*words)
    assert code == 2
    assert err.startswith("Traceback ")
    assert error in err
    assert line in err.splitlines()[-1]


def test_a_bug_is_called_one(sepcam, monkeypatch):
    monkeypatch.setattr(cli, "app", Mock(side_effect=ZeroDivisionError("division\nby zero")))
    code, _, err = sepcam("process", CLIP)
    assert code == 2
    assert err == "error: ZeroDivisionError: division by zero (a bug in Sepcam; --debug shows where)\n"


def test_controls_in_a_name_are_shown_not_obeyed(sepcam):
    code, _, err = sepcam("process", "\x1b]0;mine\x07.mp4")
    assert code == 2
    assert err == "error: \\x1b]0;mine\\x07.mp4 does not exist\n"


def test_a_bug_in_a_network_of_the_users_is_shown_there(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(BROKEN_DETECTOR)
    words = ["process", CLIP, "--detector", "mine:Mine", "--tasks", "track", "--save", "jsonl", "-o", "out"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [*SEPCAM, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f"ValueError: no eyes (in {tmp_path / 'mine.py'}, line 7; --debug shows where)" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_error():
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*SEPCAM, "--help"], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.stderr == ""
    assert done.returncode == 1


def test_process_finds_people_with_real_weights(sepcam, tmp_path):
    code, out, err = sepcam(
        *("process", CLIP, "-o", str(tmp_path), "--detector", "ssdlite-person", "--detect-every", "1"),
        *("--start", "0.6", "--frames", "6", "--save", "video,jsonl,mot"),
    )
    assert (code, err) == (0, "")
    assert "6 frames" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "market-street.jsonl",
        "market-street.mot.txt",
        "market-street.mp4",
    ]
    assert '"label":"person"' in (tmp_path / "market-street.jsonl").read_text()


def test_the_default_needs_no_download_and_results_name_their_detector(sepcam, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")  # nothing answers there
    code, _, err = sepcam(
        *("process", CLIP, "-o", str(tmp_path), "--frames", "1", "--tasks", "none", "--save", "jsonl")
    )
    assert (code, err) == (0, "")
    assert '"detector":"people"' in (tmp_path / "market-street.jsonl").read_text()


@pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")
@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_completes_the_files(asked, tmp_path):
    words = ["process", "synthetic:320x240x1000000", "-o", str(tmp_path), "--detector", "ssdlite-person"]
    with subprocess.Popen(
        [*SEPCAM, *words, "--tasks", "none"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        # The records are written in blocks: a block on the disk means that frames went through.
        while running.poll() is None and not any(
            path.suffix == ".jsonl" and path.stat().st_size > 4096 for path in tmp_path.iterdir()
        ):
            with suppress(subprocess.TimeoutExpired):
                running.wait(0.1)
        running.send_signal(asked)
        out, err = running.communicate()
    assert running.returncode == 130
    assert "stopped after" in err
    assert "Traceback" not in err
    assert "synthetic.mp4" in out
    frames = int(err.split("stopped after ")[1].split()[0])
    with open_source(tmp_path / "synthetic.mp4") as source:
        assert sum(1 for _ in source) == frames
    records = (tmp_path / "synthetic.jsonl").read_text().splitlines()
    assert len(records) == frames + 2
    assert '"complete":false' in records[-1]


def test_models_are_listed_with_both_costs(sepcam):
    code, out, _ = sepcam("models", "list")
    assert code == 0
    costs, facts = (line for line in out.splitlines() if line.startswith("blazepose-full"))
    assert costs.split()[3:5] == ["386", "13,745"]
    assert "Apache-2.0" in facts
    assert max(map(len, out.splitlines())) <= 80


def test_a_file_that_is_no_network_is_refused(sepcam, cache_dir, tmp_path):
    file = tmp_path / "weights.onnx"
    file.write_bytes(b"no network")
    code, _, err = sepcam("models", "fetch", "yolox-nano", "--file", str(file))
    assert code == 2
    assert "does not hold the weights of yolox-nano" in err
    assert "yolox-nano: not fetched" in sepcam("models", "verify")[1]


def test_weights_from_a_file_are_verified(sepcam, cache_dir, published_weights):
    code, out, _ = sepcam(
        "models", "fetch", "yolox-nano", "--file", str(published_weights / "yolox_nano.onnx")
    )
    assert code == 0
    assert str(cache_dir) in out
    assert "yolox-nano: ok" in sepcam("models", "verify")[1]


def test_damaged_weights_are_found(sepcam, cache_dir):
    path = Path(cache_dir) / "weights" / "ssdlite-person.safetensors"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\0" * 1000)
    code, out, _ = sepcam("models", "verify")
    assert code == 2
    assert "ssdlite-person: DAMAGED" in out
