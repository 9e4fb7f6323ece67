"""Users add detectors and pose networks of their own: in an installed package, or by module:Class."""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.models.plugins import installed
from sepcam.models.types import Detections
from sepcam.models.zoo import load_detector, load_pose

PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "sepcam-spots"
version = "0.3"

[project.entry-points."sepcam.detectors"]
spots = "spots:SpotDetector"

[project.entry-points."sepcam.poses"]
crosses = "spots:CrossPose"

[tool.setuptools]
py-modules = ["spots"]
"""

MODULE = '''
import numpy as np
from sepcam.models.types import Detections, Poses


class SpotDetector:
    """Takes every bright spot for a person."""

    name = "spots"
    labels = ("person",)
    parts = frozenset()

    def detect(self, image):
        rows, columns = np.nonzero(image.max(2) > 200)
        if not len(rows):
            return Detections.empty()
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return Detections(np.array([box], np.float32), np.array([0.9], np.float32), np.array([0]))


class CrossPose:
    """Marks the top and the bottom of each region."""

    name = "crosses"
    keypoint_names = ("top", "bottom")
    skeleton = ((0, 1),)
    parts = frozenset({"pose"})

    def estimate(self, image, rois, *, masks):
        x, y, side, _ = rois.T
        ends = [np.stack([x, y + half * side, np.ones_like(x)], 1) for half in (-0.4, 0.4)]
        return Poses(rois, np.stack(ends, 1), np.ones(len(rois), np.float32), rois)


class Useless:
    name = "useless"


def broken():
    raise RuntimeError("no camera lens\\nfound")
'''


def one(box=(1, 2, 3, 4), *, score: float = 0.9, label: float = 0) -> Detections:
    return Detections(np.array([box], np.float32), np.array([score], np.float32), np.array([label]))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder into which pip has installed the plugin."""
    source, target = tmp_path_factory.mktemp("plugin"), tmp_path_factory.mktemp("site")
    (source / "pyproject.toml").write_text(PROJECT)
    (source / "spots.py").write_text(MODULE)
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--quiet"]
    command += ["--disable-pip-version-check", "--root-user-action=ignore", "--target", str(target)]
    subprocess.run([*command, str(source)], check=True)
    return target


@pytest.fixture
def importable(site, monkeypatch):
    monkeypatch.syspath_prepend(str(site))


def sepcam(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(site)}
    command = [sys.executable, "-c", "from sepcam.app.cli import main; main()", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def test_process_runs_with_an_installed_plugins_networks(site, tmp_path):
    picture = np.zeros((120, 200, 3), np.uint8)
    picture[20:100, 50:90] = 255
    cv2.imwrite(str(tmp_path / "spot.png"), picture)
    done = sepcam(
        site,
        *("process", str(tmp_path / "spot.png"), "--detector", "spots", "--pose", "crosses"),
        *("--tasks", "track,pose", "--save", "jsonl,video", "-o", str(tmp_path / "out")),
    )
    assert done.returncode == 0, done.stderr
    header, frame, *_ = [
        json.loads(line) for line in (tmp_path / "out" / "spot.jsonl").read_text().splitlines()
    ]
    assert header["models"] == {"detector": "spots", "pose": "crosses"}
    assert header["keypoint_names"] == ["top", "bottom"]
    text = json.dumps(frame)
    assert '"keypoints"' in text and "50" in text


def test_a_task_that_the_plugin_does_not_do_is_refused_before_the_run(site, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((20, 20, 3), np.uint8))
    done = sepcam(
        site,
        *("process", str(tmp_path / "a.png"), "--detector", "spots", "--pose", "crosses"),
        *("-o", str(tmp_path / "out")),
    )
    assert done.returncode == 2
    assert "crosses finds no masks: leave segment out of the tasks" in done.stderr


def test_the_list_of_models_names_the_plugins(site):
    done = sepcam(site, "models", "list")
    assert done.returncode == 0, done.stderr
    assert "spots" in done.stdout and "sepcam-spots 0.3" in done.stdout


def test_the_same_classes_work_by_module_and_class(importable):
    assert {"spots"} <= set(installed("sepcam.detectors"))
    assert load_detector("spots:SpotDetector").name == load_detector("spots").name == "spots"
    assert load_pose("spots:CrossPose").name == "crosses"


@pytest.mark.parametrize(
    ("load", "name", "message"),
    [
        (
            load_detector,
            "spots:Useless",
            "the plugin spots:Useless is not a Detector: Useless has no detect, labels",
        ),
        (load_detector, "spots:CrossPose", "is not a Detector: CrossPose has no detect, labels"),
        (load_pose, "spots:SpotDetector", "is not a PoseEstimator: SpotDetector has no estimate"),
        (load_detector, "spots:broken", "does not load: RuntimeError: no camera lens found"),
        (load_detector, "spots:Missing", "does not load: AttributeError"),
        (load_detector, "no_such_module:Class", "does not load: ModuleNotFoundError"),
        (load_detector, "sopts", "unknown model 'sopts'.*spots"),
    ],
)
def test_what_is_wrong_with_a_plugin_is_told_in_one_line(importable, cache_dir, load, name, message):
    with pytest.raises(SepcamError, match=message) as error:
        load(name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([(1, 2, 3, 4, 0.9)], "detect must return Detections; got list"),
        (one([1, np.nan, 3, 4]), "boxes must be finite numbers; got 1 nan 3 4"),
        (one([10, 20, 5, 30]), "boxes are x1 y1 x2 y2 in pixels; got 10 20 5 30"),
        (one(score=90), "scores must lie between 0 and 1; got 90"),
        (one(label=3), r"labels must be whole numbers from 0 to 0; got 3 \(int64\)"),
        (one(label=0.0), r"labels must be whole numbers from 0 to 0; got 0 \(float64\)"),
    ],
)
def test_a_detector_that_returns_something_else_is_told_so(importable, found, message, monkeypatch):
    monkeypatch.setattr(import_module("spots").SpotDetector, "detect", lambda self, image: found)
    with pytest.raises(SepcamError, match=f"the detector spots is wrong: {message}"):
        load_detector("spots").detect(np.zeros((40, 40, 3), np.uint8))
