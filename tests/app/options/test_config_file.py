"""Settings from a file, a preset and the command line: which one counts, and what is said of mistakes."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sepcam.app import cli
from sepcam.app.options import config_file as config


@pytest.fixture
def sepcam(capsys):
    """Runs a command in this process; gives its exit code and what it printed."""

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            cli.main(words)
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def printed(sepcam):
    """What --print-config says of a command."""

    def run(*words: str) -> dict:
        code, out, err = sepcam("process", *words, "--print-config")
        assert (code, err) == (0, "")
        return config.tomllib.loads(out)

    return run


def file(folder: Path, text: str) -> str:
    path = folder / "job.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_says_what_the_options_say(tmp_path, printed):
    text = """
        inputs = ["a.mp4", "b.mp4"]
        out = "results"
        save = ["jsonl", "mot"]
        input-size = 640
        detect_every = 2
        conf = 0.25
        small-people = false
        backbone = "standard"
    """
    options = "--save jsonl,mot --input-size 640 --detect-every 2 --conf 0.25 --backbone standard"
    assert printed("--config", file(tmp_path, text)) == printed(
        "a.mp4", "b.mp4", "-o", "results", *options.split()
    )


def test_what_is_typed_overrides_the_file_and_the_file_the_preset(tmp_path, printed):
    fast = config.presets()["fast"]
    path = file(tmp_path, 'max-people = 3\npose = "blazepose-heavy"\ninputs = "a.mp4"\noverwrite = true')
    words = ("--max-people", "5", "--no-overwrite", "b.mp4")
    for order in (("--preset", "fast", "--config", path), ("--config", path, "--preset", "fast")):
        said = printed(*order, *words)
        assert (said["inputs"], said["max-people"], said["overwrite"]) == (["b.mp4"], 5, False)
        assert said["pose"] == "blazepose-heavy"
        assert said["input-size"] == str(fast["input-size"])


def test_a_file_may_name_a_preset_and_the_command_line_another(tmp_path, printed):
    path = file(tmp_path, 'preset = "fast"\nconf = 0.5')
    assert printed("--config", path) == printed("--preset", "fast", "--conf", "0.5")
    assert printed("--config", path, "--preset", "accurate") == printed(
        "--preset", "accurate", "--conf", "0.5"
    )


def test_every_preset_is_a_set_of_valid_settings(printed):
    usual = printed()
    for name in config.presets():
        assert (printed("--preset", name) == usual) == (name == "balanced")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max-peple = 3", "there is no setting 'max-peple'; did you mean 'max-people'?"),
        ("zzz = 3", "there is no setting 'zzz' (there are inputs, out, save,"),
        ("[process]\nout = 'x'", "there is no setting 'process'"),
        ("max-people = 0", "max-people: "),
        ("max-people = 'many'", "max-people: "),
        ("max-people = 1.5", "max-people: "),
        ("max-people = [1, 2]", "max-people takes one value, not a list"),
        ("max-people = true", "max-people cannot be True"),
        ("start = {second = 3}", "start cannot be {'second': 3}"),
        ("backbone = 'dense'", "backbone: "),
        ("overwrite = 'yes'", "overwrite is true or false, not 'yes'"),
        ("preset = 'fats'", "there is no preset 'fats'; did you mean 'fast'?"),
        ("preset = ['fast']", "there is no preset ['fast']"),
        ("out = ", "is not a TOML file: "),
    ],
)
def test_a_mistake_in_a_file_gets_one_line_that_names_it(text, message, tmp_path, sepcam):
    path = file(tmp_path, text)
    code, out, err = sepcam("process", "--config", path, "--print-config")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith(f"error: {path}")
    assert message in err


def test_mistakes_on_the_command_line(tmp_path, sepcam):
    (tmp_path / "latin.toml").write_bytes("out = 'Zürich'".encode("latin-1"))
    for words, message in (
        (("--preset", "fats"), "there is no preset 'fats'; did you mean 'fast'?"),
        (("--config", str(tmp_path / "none.toml")), "none.toml cannot be read: No such file"),
        (("--config", str(tmp_path)), "cannot be read: Is a directory"),
        (("--config", str(tmp_path / "latin.toml")), "line 1 is not text in UTF-8 or UTF-16"),
    ):
        code, out, err = sepcam("process", *words, "--print-config")
        assert (code, out, len(err.splitlines())) == (2, "", 1)
        assert message in err


WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1).filter(
    lambda word: not word.startswith("-")
)
LISTS = st.lists(st.sampled_from(("person", "dog", "cat")), min_size=1).map(",".join)
OPTIONS = {
    "--out": WORDS,
    "--save": st.sampled_from(("video", "jsonl,mot", "mot,video,jsonl")),
    "--tasks": st.sampled_from(("none", "track", "track,pose")),
    "--detector": WORDS,
    "--input-size": st.sampled_from(("own", "auto", "640", "640x384")),
    "--backbone": st.sampled_from(("standard", "separable")),
    "--classes": LISTS,
    "--conf": st.floats(0, 1).map(repr),
    "--max-people": st.integers(1, 10**6).map(str),
    "--detect-every": st.sampled_from(("auto", "1")),  # 7 needs tracking, which --tasks may leave out
    "--start": st.floats(0, 1e9).map(repr),
    "--frames": st.integers(1, 10**9).map(str),
    "--preset": st.sampled_from(tuple(config.presets())),
}


@given(
    inputs=st.lists(WORDS, max_size=3),
    options=st.fixed_dictionaries({}, optional=OPTIONS),
    overwrite=st.booleans(),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_printed_can_be_fed_back_in(inputs, options, overwrite, tmp_path, sepcam):
    words = [word for pair in options.items() for word in pair] + ["--overwrite"] * overwrite
    code, out, err = sepcam("process", *words, "--print-config", "--", *inputs)
    assert (code, err) == (0, "")
    assert sepcam("process", "--config", file(tmp_path, out), "--print-config") == (0, out, "")


@pytest.mark.parametrize("words", [("live", "--headless", "--events"), ("serve", "--port", "0")])
def test_live_commands_have_the_presets_too(words, sepcam):
    for preset in config.presets():
        code, _, err = sepcam(*words, "nowhere.mp4", "--preset", preset)
        assert (code, err) == (2, "error: nowhere.mp4 does not exist\n")
    code, _, err = sepcam(*words, "nowhere.mp4", "--preset", "fest")
    assert (code, err) == (2, "error: there is no preset 'fest'; did you mean 'fast'?\n")
