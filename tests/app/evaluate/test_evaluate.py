"""``sepcam evaluate``: what is matched, what is written, and what is refused."""

import json

import cv2
import numpy as np
import pytest
from sepcam.app import cli
from sepcam.app.evaluate.report import json_text, plot, table
from sepcam.app.evaluate.setups import Setup, definite
from sepcam.models.detectors.fitted import FittedDetector, fitted_size
from sepcam.models.errors import SepcamError
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.models.types import Detections
from sepcam.pipelines.annotations.coco import read_coco
from sepcam.pipelines.evaluation.error_gallery import WorstImages, judge
from sepcam.pipelines.evaluation.ground_truth import mot_people, people_of
from sepcam.pipelines.evaluation.metrics import evaluate_mot
from sepcam.pipelines.types import Frame


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


def sepcam(*words):
    with pytest.raises(SystemExit) as left:
        cli.main([str(word) for word in words])
    return left.value.code


# --- inputs that fit the picture --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("picture", "longest", "size"),
    [
        ((576, 768), 640, (480, 640)),
        ((1080, 1920), 640, (384, 640)),
        ((1920, 1080), 416, (416, 256)),
        ((100, 100), 416, (416, 416)),
        ((10, 4000), 416, (32, 416)),
        ((576, 768), 780, (588, 780)),  # SSDLite's: 300 and multiples of 32
    ],
)
def test_an_input_is_as_short_as_the_picture_allows(picture, longest, size):
    assert fitted_size((*picture, 3), longest) == size


def test_a_fitted_detector_makes_one_network_for_each_shape():
    made = []

    class Nothing:
        name, labels, parts = "nothing", ("person",), frozenset()

        def detect(self, image):
            return Detections.empty()

    def make(size):
        made.append(size)
        return Nothing()

    detector = FittedDetector("nothing", ("person",), 416, make)
    for shape in ((480, 640), (960, 1280), (640, 480)):
        detector.detect(np.zeros((*shape, 3), np.uint8))
    assert made == [(320, 416), (416, 320)]


# --- right, false and missed --------------------------------------------------------------------------------


def test_each_person_is_met_once_and_by_the_surest_box():
    truth = boxes((0, 0, 10, 20), (50, 0, 60, 20))
    found = boxes((1, 0, 11, 20), (0, 0, 10, 20), (80, 0, 90, 20))
    judged = judge(found, truth)
    assert judged.right.tolist() == [True, False, False]
    assert judged.met.tolist() == [True, False]
    assert judged.errors == 3


def test_nothing_found_where_nobody_is_is_no_error():
    assert judge(boxes(), boxes()).errors == 0


def test_the_worst_pictures_come_first_and_not_all_from_one_moment():
    worst = WorstImages(2, apart=2)
    image = np.zeros((120, 160, 3), np.uint8)
    for index, missed in enumerate((1, 3, 0, 2, 2, 2)):
        truth = boxes(*[(10 * i, 0, 10 * i + 5, 9) for i in range(missed)])
        worst.add(Frame(image, index, 0.0), boxes(), truth, judge(boxes(), truth))
    assert len(worst.images) == 2
    assert all(picture.shape == image.shape and picture.any() for picture in worst.images)
    assert not image.any()  # it drew on copies


# --- ground truth -------------------------------------------------------------------------------------------


def test_people_of_a_mot_file_are_those_that_count(tmp_path):
    path = tmp_path / "gt.txt"
    path.write_text("1,1,11,21,30,40,1,-1,-1,-1\n1,2,1,1,5,5,0,-1,-1,-1\n3,1,5,5,9,9,1,3,0.5\n")
    assert {frame: rows.tolist() for frame, rows in mot_people(path).items()} == {1: [[10, 20, 40, 60]]}
    path.write_text("1,1,11,21,30,40,1,7,1\n")
    with pytest.raises(SepcamError, match=r"gt\.txt has nobody to score: it needs rows of class 1"):
        mot_people(path)


def test_crowds_are_no_single_people(tmp_path):
    path = annotations(tmp_path)
    (found,) = read_coco(path).images
    assert (found.id, people_of(found, {"1"}).tolist()) == (7, [[10, 10, 30, 60]])


def test_what_is_no_annotation_is_named(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("{}")
    with pytest.raises(SepcamError, match=r"a\.json is not a COCO annotations file"):
        read_coco(path)


def test_only_the_frames_that_were_run_are_scored(tmp_path):
    truth, tracks = tmp_path / "gt.txt", tmp_path / "tracks.txt"
    rows = [f"{k},1,{5 * k},50,30,80,1,-1,-1,-1\n" for k in range(1, 11)]
    truth.write_text("".join(rows))
    tracks.write_text("".join(rows[:4]))
    assert evaluate_mot(tracks, truth, frames=4).hota == 1
    assert evaluate_mot(tracks, truth).misses == 6


# --- what is shown ------------------------------------------------------------------------------------------


def row(detector, fps, ap):
    values = dict.fromkeys(("ap", "ap50", "ap75", "medium", "large"), ap) | {"small": float("nan")}
    setup = {"input": "own", "backbone": "separable", "runtime": "torch", "precision": "f32"}
    return {"detector": detector, **setup, "fps": fps, "figures": {"box": values}}


def test_figures_without_a_value_are_null_and_a_dash():
    rows = [row("a", 10.0, 0.5)]
    assert json.loads(json_text({"rows": rows}))["rows"][0]["figures"]["box"]["small"] is None
    cells = [next(iter(column.cells)) for column in table(rows, "coco").columns]
    assert "50.0" in cells and "-" in cells and "10.0" in cells


def test_the_plot_is_a_picture_with_a_panel_for_each_figure(tmp_path):
    path = tmp_path / "plot.png"
    plot(
        [row("a", 10.0, 0.5), row("b", 40.0, 0.3)], {"box AP": ("box", "ap"), "again": ("box", "ap50")}, path
    )
    height, width = cv2.imread(str(path)).shape[:2]
    assert width > 1.5 * height
    assert [path.name for path in tmp_path.iterdir()] == ["plot.png"]


def test_larger_is_what_small_people_takes_and_nothing_else_where_there_is_none():
    options = RuntimeOptions("torch", "cpu", "f32")
    sizes = [
        definite(Setup(name, None, "separable", options, larger=True), photographs=False).size
        for name in ("yolox-nano", "ssdlite-person", "ssd-mobilenet-v1-coco")
    ]
    assert sizes == ["640", "1164", "own"]


def test_models_of_ultralytics_run_on_torch_without_being_told():
    setups = [
        Setup(name, None, "separable", RuntimeOptions("auto", "cpu")) for name in ("yolo:a.pt", "yolox-nano")
    ]
    found = [definite(setup, photographs=True).options.runtime for setup in setups]
    assert found == ["torch", "openvino"]


def test_auto_looks_more_closely_at_photographs():
    setup = Setup("auto", None, "separable", RuntimeOptions("torch", "cpu", "f32"))
    assert definite(setup, photographs=True).detector == "people-photo"
    assert definite(setup, photographs=False).detector == "people"


# --- the command --------------------------------------------------------------------------------------------


def annotations(folder):
    path = folder / "instances.json"
    person = {"image_id": 7, "category_id": 1, "area": 1000, "iscrowd": 0, "bbox": [10, 10, 20, 50]}
    person["segmentation"] = [[10, 10, 30, 10, 30, 60, 10, 60]]
    crowd = person | {"iscrowd": 1, "segmentation": {"size": [96, 128], "counts": [96 * 128]}}
    people = [item | {"id": number} for number, item in enumerate((person, crowd), 1)]
    images = [{"id": 7, "file_name": "7.png", "height": 96, "width": 128}]
    path.write_text(
        json.dumps({"images": images, "annotations": people, "categories": [{"id": 1, "name": "person"}]})
    )
    return path


def test_coco_writes_figures_results_and_the_worst_pictures(tmp_path, capsys):
    images = tmp_path / "images"
    images.mkdir()
    cv2.imwrite(str(images / "7.png"), np.full((96, 128, 3), 90, np.uint8))
    out = tmp_path / "out"
    words = ("evaluate", "coco", "--images", images, "--annotations", annotations(tmp_path), "-o", out)
    assert sepcam(*words, "--detector", "ssdlite-person", "--threads", 1) == 0
    report = json.loads((out / "evaluation.json").read_text())
    (measured,) = report["rows"]
    assert measured["figures"]["box"]["ap"] == 0  # nobody is in a grey picture
    assert measured["fps"] > 0
    assert report["data"] == {"images": 1, "people": 1, "annotations": "instances.json"}
    stem = "ssdlite-person-own-separable-openvino-f32"
    assert {path.name for path in out.iterdir()} == {
        "evaluation.json",
        "precision-recall.png",
        f"{stem}.coco.json",
        f"{stem}.matches.json",
        f"{stem}-worst.png",
    }
    assert measured["curves"]["box"]["at_conf"]["recall"] == 0
    assert measured["errors"]["size"]["small"] == {"people": 1, "missed": 1, "false": 0}
    said = capsys.readouterr().out
    assert "box" in said and "best F1" in said
    assert sepcam(*words) == 2
    assert "evaluation.json exists: use --overwrite" in capsys.readouterr().err


def test_mot_takes_a_folder_of_motchallenge(tmp_path, capsys):
    for folder in ("img1", "gt"):
        (tmp_path / "seq" / folder).mkdir(parents=True)
    for number in (1, 2, 3):
        cv2.imwrite(str(tmp_path / "seq" / "img1" / f"{number:06}.jpg"), np.full((96, 128, 3), 90, np.uint8))
    (tmp_path / "seq" / "gt" / "gt.txt").write_text("".join(f"{k},1,9,9,20,50,1,1,1\n" for k in (1, 2, 3)))
    (tmp_path / "seq" / "seqinfo.ini").write_text("[Sequence]\nframeRate=14\n")
    words = ("--video", tmp_path / "seq", "--detector", "ssdlite-person", "--threads", 1, "--frames", 2)
    every = ("--detect-every", "1,3", "-o", tmp_path / "out")
    assert sepcam("evaluate", "mot", *words, *every) == 0
    report = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert report["data"]["fps"] == 14
    assert report["rows"][0]["figures"]["tracks"]["misses"] == 2
    assert "HOTA" in capsys.readouterr().out
    assert sepcam("evaluate", "compare", tmp_path / "out", tmp_path / "out") == 0
    said = capsys.readouterr().out
    assert [line.count("every 3") for line in said.splitlines() if "->" in line] == [0, 2]


def test_what_was_measured_is_kept_when_a_later_setup_fails(tmp_path, capsys):
    images = tmp_path / "images"
    images.mkdir()
    cv2.imwrite(str(images / "7.png"), np.full((96, 128, 3), 90, np.uint8))
    words = ("--images", images, "--annotations", annotations(tmp_path), "-o", tmp_path / "out")
    taken = tmp_path / "out" / "ssdlite-person-own-standard-openvino-f32.coco.json"
    taken.parent.mkdir()
    taken.write_text("mine")
    more = ("--detector", "ssdlite-person", "--backbone", "separable,standard", "--threads", 1)
    assert sepcam("evaluate", "coco", *words, *more) == 2
    assert f"{taken} exists" in capsys.readouterr().err
    assert taken.read_text() == "mine"
    report = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert [row["backbone"] for row in report["rows"]] == ["separable"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("mot", "--video", "{clip}"), "name it with --gt"),
        (("mot", "--video", "{clip}", "--gt", "gone.txt"), "gone.txt cannot be read"),
        (("mot", "--video", "{clip}", "--gt", "gone.txt", "--input-size", "big"), "gone.txt cannot be read"),
        (("coco", "--images", "{clip}", "--annotations", "gone.json"), "gone.json cannot be read"),
    ],
)
def test_what_cannot_be_evaluated_is_said_in_one_line(tmp_path, capsys, words, says):
    clip = tmp_path / "clip.avi"
    clip.write_bytes(b"")
    assert sepcam("evaluate", *(word.format(clip=clip) for word in words)) == 2
    assert says in capsys.readouterr().err
