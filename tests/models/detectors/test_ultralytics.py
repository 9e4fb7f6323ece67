"""Models of Ultralytics give boxes, keypoints and masks like any other detector.

No trained one is at hand without a network: these are built from Ultralytics' own YAML files, with random
weights whose class biases are raised so that they find something.
"""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from sepcam.app.cli import main
from sepcam.models.errors import SepcamError
from sepcam.models.layers.conversion import is_depthwise
from sepcam.models.ops import coco
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.models.types import Detector, OnePassNetwork
from sepcam.models.weights.store import WeightStore
from sepcam.models.zoo import load_detector
from sepcam.pipelines.types import Frame

from tests.walkers import analyzer_of, pipeline_of

PICTURE = cv2.imread(str(Path(__file__).parents[2] / "golden" / "market_street.png"))[:200]
SIZE = (160, 224)
PERSON, DOG = 0, coco.NAMES.index("dog")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Saves a model that Ultralytics builds, once for each task."""
    monkey = pytest.MonkeyPatch()
    monkey.setenv("YOLO_OFFLINE", "true")
    monkey.setenv("YOLO_CONFIG_DIR", str(tmp_path_factory.mktemp("config")))
    folder = tmp_path_factory.mktemp("models")

    def make(task):
        path = folder / f"{task}.pt"
        if path.exists():
            return path
        import torch
        from ultralytics import YOLO

        torch.manual_seed(0)
        made = YOLO({"detect": "yolo11n.yaml"}.get(task, f"yolo11n-{task}.yaml"), verbose=False)
        if task in ("detect", "seg", "pose"):
            with torch.no_grad():
                for branch in made.model.model[-1].cv3:
                    branch[-1].weight *= 300
                    branch[-1].bias[PERSON] = 0.5
                    if task != "pose":
                        branch[-1].bias[DOG] = 0.5
        made.model.names = dict(enumerate(made.names if task == "cls" else coco.NAMES))
        made.save(path)
        return path

    yield make
    monkey.undo()


@pytest.fixture
def loaded(model):
    """Opens it, with a small input that saves time."""
    return lambda task, **options: load_detector(f"yolo:{model(task)}", input_size=SIZE, **options)


def test_a_detection_model_is_a_detector_with_its_own_names(loaded):
    detector = loaded("detect")
    assert isinstance(detector, Detector)
    assert detector.name == "yolo:detect.pt"
    assert tuple(detector.labels) == coco.NAMES
    assert detector.parts == frozenset()
    found = detector.detect(PICTURE)
    assert len(found) > 3
    assert {PERSON, DOG} <= set(found.labels.tolist())
    assert (np.diff(found.scores) <= 0).all()
    assert (found.boxes >= 0).all() and (found.boxes <= [300, 200, 300, 200]).all()


@pytest.mark.parametrize("task", ["seg", "pose"])
def test_standard_convolutions_find_the_same(loaded, task):
    separable, standard = loaded(task), loaded(task, backbone="standard")
    assert any(is_depthwise(layer) for layer in separable._model.model.modules())
    assert not any(is_depthwise(layer) for layer in standard._model.model.modules())
    one, other = separable.detect(PICTURE), standard.detect(PICTURE)
    np.testing.assert_allclose(one.boxes, other.boxes, atol=0.05)
    np.testing.assert_allclose(one.scores, other.scores, atol=1e-4)


def test_masks_are_those_of_ultralytics_at_the_pictures_own_size(model, loaded):
    from ultralytics import YOLO

    detector = loaded("seg")
    found = detector.detect(PICTURE)
    assert isinstance(detector, OnePassNetwork) and detector.parts == {"segment"}
    assert found.masks is not None and len(found.masks) == len(found) > 3
    (theirs,) = YOLO(model("seg")).predict(
        PICTURE, conf=0.1, iou=0.7, max_det=100, verbose=False, device="cpu", retina_masks=True, imgsz=SIZE
    )
    agreement = []
    for (pixels, x, y), box, whole in zip(found.masks, found.boxes, theirs.masks.data.numpy(), strict=True):
        assert x <= box[0] + 1 and y <= box[1] + 1
        assert x + pixels.shape[1] >= box[2] - 1 and y + pixels.shape[0] >= box[3] - 1
        full = np.zeros(PICTURE.shape[:2], bool)
        full[y : y + pixels.shape[0], x : x + pixels.shape[1]] = pixels
        agreement.append((full & (whole > 0)).sum() / max((full | (whole > 0)).sum(), 1))
    assert np.median(agreement) > 0.9


def test_a_pose_model_gives_cocos_keypoints(loaded):
    detector = loaded("pose")
    assert detector.parts == {"pose"}
    assert tuple(detector.keypoint_names) == coco.KEYPOINTS
    found = detector.detect(PICTURE)
    assert found.keypoints is not None and found.keypoints.shape == (len(found), 17, 3)
    assert ((found.keypoints[..., 2] >= 0) & (found.keypoints[..., 2] <= 1)).all()


def test_objects_of_every_class_get_their_masks_with_and_without_tracking(loaded):
    detector = loaded("seg")
    frames = [Frame(PICTURE, index, index / 25) for index in range(3)]
    tracking = analyzer_of(detector, None, {"track", "segment"}, conf=0.3, fps=25)
    followed = [tracking.analyze(frame)[0] for frame in frames][-1]
    single, stages = analyzer_of(detector, None, {"segment"}, conf=0.3).analyze(frames[0])
    assert set(stages) == {"detect", "masks"}
    for found in (followed, single):
        assert found.masks is not None
        assert {"person", "dog"} <= {
            found.names[label] for label, mask in zip(found.labels, found.masks, strict=True) if mask
        }
    masks = {tuple(box.round(0)): mask for box, mask in zip(single.boxes, single.masks, strict=True)}
    for box, mask in zip(followed.boxes, followed.masks, strict=True):
        same = masks.get(tuple(box.round(0)))
        assert same is None or same.area == mask.area


def test_a_pipeline_loads_no_pose_network_for_what_the_detector_gives(loaded):
    pipeline = pipeline_of(loaded("pose"), tasks=("track", "pose"))
    assert pipeline.model.pose is None
    assert tuple(pipeline.model.keypoint_names) == coco.KEYPOINTS
    assert tuple(pipeline.model.skeleton) == coco.SKELETON


def test_process_writes_what_it_finds(model, tmp_path, capsys):
    source = tmp_path / "000001.png"
    cv2.imwrite(str(source), PICTURE)
    with pytest.raises(SystemExit) as exit_:
        main(
            [
                *("process", str(source), "--detector", f"yolo:{model('seg')}", "--tasks", "segment"),
                *("--classes", "all", "--conf", "0.3"),
                *("--save", "jsonl,coco,video", "-o", str(tmp_path / "out")),
            ]
        )
    assert exit_.value.code == 0
    assert "AGPL-3.0" in capsys.readouterr().err
    results = json.loads((tmp_path / "out" / "coco_results.json").read_text())
    assert {item["category_id"] for item in results} >= {1, 18}
    assert all("segmentation" in item for item in results if item["category_id"] == 18)
    drawn = cv2.imread(str(next((tmp_path / "out").rglob("000001.*g"))))
    assert (drawn != PICTURE).mean() > 0.01


def test_the_license_is_mentioned_once(model, tmp_path):
    told: list[str] = []
    store = WeightStore(tmp_path, notice=told.append)
    for _ in range(2):
        load_detector(f"yolo:{model('detect')}", store=store)
    assert len(told) == 1 and "AGPL-3.0" in told[0]


def test_other_files_and_options_are_refused_in_one_line(model, tmp_path, loaded):
    junk = tmp_path / "junk.pt"
    junk.write_bytes(b"no model")
    for spec, options, message in [
        (tmp_path / "none.pt", {}, "is not a file"),
        (junk, {}, "is not a model of Ultralytics"),
        (model("cls"), {}, "is a model to classify"),
        (model("detect"), {"options": RuntimeOptions("openvino")}, "run on torch"),
        (model("detect"), {"options": RuntimeOptions(precision="bf16")}, "do not run in bf16"),
        (model("detect"), {"input_size": (100, 320)}, "multiples of 32"),
    ]:
        with pytest.raises(SepcamError, match=message) as error:
            load_detector(f"yolo:{spec}", **options)
        assert "\n" not in str(error.value)


def test_nothing_imports_ultralytics_before_it_is_asked_for():
    code = "import sys, sepcam.models.zoo, sepcam.app.cli; print('ultralytics' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
