"""``sepcam train``: what it leaves behind, what it refuses, and that a kill costs nothing."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from sepcam.app import cli
from sepcam.app.train import scoring
from sepcam.app.train.choice import choose
from sepcam.models.errors import SepcamError
from sepcam.models.registry import find
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.models.trained import read_trained, save_trained
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


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_training_resumes_and_ends_like_one_that_was_not(tmp_path, capsys):
    data_set(tmp_path)
    assert run(words(tmp_path, "whole")) == 0
    said = capsys.readouterr().out
    assert "on the images not trained on: box AP" in said
    assert "kept" in said
    folder = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-m", "sepcam", *words(tmp_path, "killed")])
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
    assert run(["train", "--resume", "-o", folder, "--threads", "1"]) == 0
    assert "resumed after step" in capsys.readouterr().err
    whole, resumed = state(tmp_path / "whole"), state(folder)
    assert whole["step"] == resumed["step"]
    for part in ("learned", "averaged"):
        assert all(torch.equal(whole[part][name], resumed[part][name]) for name in whole[part])
    logs = [(tmp_path / name / "log.jsonl").read_text().splitlines() for name in ("whole", "killed")]
    assert list(map(json.loads, logs[0])) == list(map(json.loads, logs[1]))
    page = (folder / "report.html").read_text()
    assert "<svg" in page and page.count("data:image/jpeg") >= 3 and "http" not in page.split("<pre>")[0]
    assert {path.name for path in folder.iterdir()} - {"network.safetensors"} == {
        *("run.json", "log.jsonl", "checkpoint.pt", "report.html", "examples.png")
    }
    # A finished one says the same again; other options, other labels and a folder in use are refused.
    assert run(["train", "--resume", "-o", folder, "--seed", "5"]) == 2
    assert "was started with --seed 0, not 5" in capsys.readouterr().err
    assert run(words(tmp_path, "killed")) == 2
    assert "holds a training: --resume continues it" in capsys.readouterr().err
    data_set(tmp_path, count=7)
    assert run(["train", "--resume", "-o", folder]) == 2
    assert "images or labels of" in capsys.readouterr().err
    assert run(["train", "--resume", "-o", tmp_path / "nothing"]) == 2
    assert "holds no training to resume" in capsys.readouterr().err


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
    assert "sizes must be multiples of 32 pixels" in capsys.readouterr().err
    assert run(["train", "--check"]) == 2
    assert "give the labels with --annotations" in capsys.readouterr().err
    assert run(words(tmp_path, "run", "--validation", tmp_path / "people.json")) == 2
    assert "is in the training and in the --validation data" in capsys.readouterr().err
