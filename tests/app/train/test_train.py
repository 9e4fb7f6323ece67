"""``sepcam train``: what it leaves behind, what it refuses, and that a kill costs nothing."""

import html
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from sepcam.app import cli
from sepcam.app.train import dataset, report, scoring
from sepcam.app.train.choice import choose
from sepcam.app.train.request import FILES
from sepcam.models.errors import SepcamError
from sepcam.models.registry import find
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.models.trained import read_trained, save_trained
from sepcam.models.training.optimizer import RelativeAdam
from sepcam.models.weights.store import WeightStore
from sepcam.models.zoo import load_detector

from tests.app.train.labeled import data_set

QUICK = (
    *("--sizes", "320", "--batch", "1", "--threads", "1"),
    *("--held-out", "0.2", "--epochs", "2", "--rate", "1e-3"),
)


def words(folder, name, *more) -> list[str]:
    images, path = folder / "images", folder / "people.json"
    given = ("--images", images, "--annotations", path, "-o", folder / name, *QUICK, *more)
    return ["train", *map(str, given)]


def run(arguments) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(list(map(str, arguments)))
    return int(left.value.code or 0)


def state(folder) -> dict:
    return torch.load(folder / "checkpoint.pt", weights_only=True)


def ends_in(monkeypatch, where, name):
    """SIGTERM comes when a function has returned, once."""
    original = getattr(where, name)

    def ended(*args, **more):
        monkeypatch.setattr(where, name, original)
        result = original(*args, **more)
        signal.raise_signal(signal.SIGTERM)
        return result

    monkeypatch.setattr(where, name, ended)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_training_that_is_ended_again_and_again_ends_like_one_that_was_not(tmp_path, capsys, monkeypatch):
    data_set(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run(words(tmp_path, "whole")) == 0
    said = capsys.readouterr().out
    assert "on the images not trained on: box AP" in said
    assert "kept" in said
    folder = tmp_path / "ended"
    resume = ["train", "--resume", "-o", folder, "--threads", "1"]
    process = subprocess.Popen([sys.executable, "-m", "sepcam", *words(Path(), "ended")])
    try:
        deadline = time.monotonic() + 120
        while not (folder / "checkpoint.pt").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with (folder / "log.jsonl").open("a") as file:
        file.write('{"step": 3, "lo')  # what a kill may leave
    assert state(folder)["step"] < state(tmp_path / "whole")["step"]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for where, name in ((RelativeAdam, "step"), (report, "page")):  # within a step, and at the end
        ends_in(monkeypatch, where, name)
        assert run(resume) == 130
        error = capsys.readouterr().err
        assert "stopped after step" in error and f"to continue: sepcam train --resume -o {folder}" in error
    assert run([*resume, "--images", "../images"]) == 0
    assert "resumed after step" in capsys.readouterr().err
    whole, resumed = state(tmp_path / "whole"), state(folder)
    assert whole["step"] == resumed["step"]
    for part in ("learned", "averaged"):
        assert all(torch.equal(whole[part][name], resumed[part][name]) for name in whole[part])
    logs = [(tmp_path / name / "log.jsonl").read_text().splitlines() for name in ("whole", "ended")]
    assert list(map(json.loads, logs[0])) == list(map(json.loads, logs[1]))
    page = (folder / "report.html").read_text()
    card = json.loads(html.unescape(page.split("<pre>")[1].split("</pre>")[0]))
    assert card["data"]["annotations"] == "people.json" and card["began_as"]["name"] == "people"
    assert "<svg" in page and page.count("data:image/jpeg") >= 3 and "http" not in page.split("<pre>")[0]
    assert {path.name for path in folder.iterdir()} - {"network.safetensors"} == {
        *("run.json", "log.jsonl", "checkpoint.pt", "report.html", "examples.png")
    }
    assert run(resume) == 0
    assert "is finished: its report is" in capsys.readouterr().out


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """A folder with a data set, and a training of it in ``run`` that was ended before its first step."""
    folder = tmp_path_factory.mktemp("started")
    data_set(folder)
    with pytest.MonkeyPatch.context() as patch:
        ends_in(patch, scoring, "score")
        assert run(words(folder, "run")) == 130
    return folder


@pytest.fixture
def begun(started, tmp_path):
    """A copy of that; the training continues with its own labels."""
    shutil.copytree(started, tmp_path, dirs_exist_ok=True)
    for path in tmp_path.rglob("run.json"):
        path.write_text(path.read_text().replace(str(started), str(tmp_path)))
    return tmp_path


def files(folder) -> dict:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (["--seed", "5"], "was started with --seed 0, not 5"),
        (["--images", "labels"], "was started with --images"),
        (["--check"], "--resume continues a training as it was started: leave out --check"),
        (["--overwrite"], "--resume continues a training as it was started: leave out --overwrite"),
    ],
)
def test_a_training_is_resumed_as_it_was_started(more, complaint, started, capsys):
    before = files(started)
    assert run(["train", "--resume", "-o", started / "run", *more]) == 2
    assert complaint in capsys.readouterr().err
    assert files(started) == before


def test_a_training_of_what_has_changed_is_not_resumed(begun, capsys):
    resume = ["train", "--resume", "-o", begun / "run"]
    image, labels = begun / "images" / "3.png", begun / "people.json"
    kept = image.read_bytes(), labels.read_text(), files(begun / "run")
    pixels = cv2.imread(str(image))
    cv2.imwrite(str(image), pixels[:, ::-1])
    image.write_bytes(image.read_bytes().ljust(len(kept[0]), b"\0")[: len(kept[0])])
    assert run(resume) == 2
    assert "the image 3.png has changed since" in capsys.readouterr().err
    image.write_bytes(kept[0])
    labels.write_text(kept[1].replace("[30.0, 10.0, 24.0, 70.0]", "[30.0, 10.0, 25.0, 70.0]"))
    assert run(resume) == 2
    assert "the labels of 2.png have changed since" in capsys.readouterr().err
    data_set(begun, count=7)
    assert run(resume) == 2
    assert "the list of images has changed since" in capsys.readouterr().err
    assert files(begun / "run") == kept[2]
    assert run(["train", "--resume", "-o", begun / "nothing"]) == 2
    assert "holds no training to resume" in capsys.readouterr().err


@pytest.mark.parametrize("name", [*FILES])
def test_no_file_of_the_users_is_replaced(name, tmp_path, capsys):
    data_set(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).write_text("mine")
    assert run(words(tmp_path, "run")) == 2
    assert ("holds a training" if name == "run.json" else f"{name} exists already") in capsys.readouterr().err
    assert (tmp_path / "run" / name).read_text() == "mine"


def test_a_training_is_replaced_only_when_another_can_begin(begun, capsys, monkeypatch):
    network = begun / "run" / "network.safetensors"
    save_trained(network, WeightStore().load("people"), {"network": "people"})
    before = files(begun)
    (begun / "elsewhere").mkdir()
    for more, complaint in (
        (["--annotations", begun / "gone.json"], "gone.json cannot be read"),
        (["--init", "yolox-nano"], "yolox-nano cannot be trained"),
        (["--init", network], "lies in the folder that --overwrite replaces"),
        (["--init", f"people:{network}"], "lies in the folder that --overwrite replaces"),
    ):
        assert run(words(begun, "run", "--overwrite", *more)) == 2
        assert complaint in capsys.readouterr().err
        assert files(begun) == before
    ends_in(monkeypatch, dataset, "read_labeled")
    assert run(words(begun, "run", "--overwrite")) == 130
    assert "stopped before the training began" in capsys.readouterr().err
    assert files(begun) == before
    ends_in(monkeypatch, scoring, "score")
    assert run(words(begun, "run", "--overwrite", "--seed", "7")) == 130
    assert (
        not network.exists() and json.loads((begun / "run" / "run.json").read_text())["request"]["seed"] == 7
    )


def test_only_what_measures_better_is_better():
    before = {"box": 0.5, "keypoints": 0.4}
    assert scoring.better(before, {"box": 0.52, "keypoints": 0.396})
    assert not scoring.better(before, {"box": 0.6, "keypoints": 0.39})
    assert not scoring.better(before, before)
    assert not scoring.better(before, {"box": 0.7})
    assert not scoring.better({}, {})


def test_heads_that_measure_worse_stay_as_they_were():
    names = (
        "people.heads.center.x",
        "people.heads.box_scale.x",
        "people.heads.kpt_offset.x",
        "mask.x",
        "people.y",
    )
    start, trained = ({name: torch.full((1,), value) for name in names} for value in (0.0, 1.0))
    before = {"box": 0.3, "keypoints": 0.3, "mask": 0.3}
    asked = []

    def measure(weights, parts):
        asked.append(parts)
        return {"box": 0.35, "keypoints": 0.31, "mask": 0.3}

    after = {"box": 0.35, "keypoints": 0.2, "mask": 0.29}
    weights, figures, parts = choose(start, trained, before, after, measure)
    assert asked == [("box",)] and parts == ("box",) and figures["keypoints"] == 0.31
    assert [int(weights[name]) for name in names] == [1, 1, 0, 0, 0]
    better = {"box": 0.35, "keypoints": 0.4, "mask": 0.31}
    assert choose(start, trained, before, better, measure) == (trained, better, ("box", "keypoints", "mask"))
    assert choose(start, trained, before, before, measure) == (start, before, ())
    assert len(asked) == 1
    # What cannot be measured is not kept.
    weights, _, parts = choose(start, trained, {"box": 0.3}, {"box": 0.35}, lambda *_: {"box": 0.34})
    assert parts == ("box",) and not weights["mask.x"].any()


def test_a_trained_file_is_a_detector_of_its_own(tmp_path):
    path = tmp_path / "own.safetensors"
    weights = WeightStore().load("people")
    weights["people.heads.center.last.conv.bias"] += 1
    save_trained(path, weights, {"network": "people", "license": "Apache-2.0"})
    assert read_trained(path).card["license"] == "Apache-2.0"
    assert find(str(path)).detector == find("people").detector
    assert find(f"people-photo:{path}").input_size == find("people-photo").input_size
    image = np.full((96, 128, 3), 128, np.uint8)
    options = RuntimeOptions("torch", "cpu", "f32")
    own = load_detector(str(path), score_floor=1e-4, options=options, compiler=scoring.Shared())
    plain = load_detector("people", score_floor=1e-4, options=options, compiler=scoring.Shared())
    assert own.name == str(path)
    assert own.detect(image).scores.sum() > plain.detect(image).scores.sum()
    (tmp_path / "other.safetensors").write_bytes(b"nonsense")
    with pytest.raises(SepcamError, match="is not a safetensors file"):
        load_detector(str(tmp_path / "other.safetensors"))
    with pytest.raises(SepcamError, match="cannot be read: No such file"):
        load_detector(str(tmp_path / "missing.safetensors"))
    save_trained(path, weights, {"network": "yolox-nano"})
    with pytest.raises(SepcamError, match="is a version of yolox-nano, which cannot be used as people"):
        load_detector(f"people:{path}")


def test_what_cannot_be_trained_is_refused(tmp_path, capsys):
    data_set(tmp_path)
    assert run(words(tmp_path, "run", "--init", "yolox-nano")) == 2
    assert "yolox-nano cannot be trained" in capsys.readouterr().err
    assert run(words(tmp_path, "run", "--sizes", "70")) == 2
    assert "--sizes must be multiples of 32 pixels" in capsys.readouterr().err
    for option, value in (("--epochs", "inf"), ("--epochs", "nan"), ("--rate", "nan"), ("--held-out", "nan")):
        assert run(words(tmp_path, "run", option, value)) == 2
        assert option in capsys.readouterr().err
    assert run(["train", "--check"]) == 2
    assert "give the labels with --annotations" in capsys.readouterr().err
    assert run(words(tmp_path, "run", "--validation", tmp_path / "people.json")) == 2
    assert "is in the training and in the --validation data" in capsys.readouterr().err
