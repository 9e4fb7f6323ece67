"""``sepcam evaluate coco``: annotations are checked before anything runs, and scored as they mean it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from sepcam.app import cli

BOXES = ((20, 10, 40, 80), (60, 20, 50, 70))


@pytest.fixture
def images(tmp_path):
    """Two white people on black, in two folders under one name."""
    for folder, (x, y, w, h) in zip("ab", BOXES, strict=True):
        image = np.zeros((96, 128, 3), np.uint8)
        image[y : y + h, x : x + w] = 255
        (tmp_path / "im" / folder).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "im" / folder / "1.png"), image)
    return tmp_path / "im"


def evaluate(folder, *words) -> int:
    words = ("evaluate", "coco", *words, "-o", folder / "out", "--detector", "tests.walkers:SquareDetector")
    with pytest.raises(SystemExit) as left:
        cli.main([str(word) for word in words])
    return int(left.value.code or 0)


def box_ap(folder) -> float:
    (row,) = json.loads((folder / "out" / "evaluation.json").read_text())["rows"]
    assert set(row["figures"]) == {"box"}
    return row["figures"]["box"]["ap"]


def coco(folder, **image) -> Path:
    path = folder / "annotations.json"
    data = {
        "images": [{"id": n, "file_name": f"{name}/1.png", **image} for n, name in enumerate("ab")],
        "categories": [{"id": 0, "name": "Person"}],
        "annotations": [{"image_id": n, "category_id": 0, "bbox": box} for n, box in enumerate(BOXES)],
    }
    path.write_text(json.dumps(data), encoding="utf-16")
    return path


def test_boxes_alone_without_ids_and_sizes_in_folders_of_one_name(images, tmp_path, capsys):
    assert evaluate(tmp_path, "--images", images, "--annotations", coco(tmp_path)) == 0
    assert box_ap(tmp_path) == 1
    assert "masks are not scored: the annotations have none" in capsys.readouterr().err


def test_two_runs_are_compared_and_a_threshold_counts_errors(images, tmp_path, capsys):
    words = ("--images", images, "--annotations", coco(tmp_path))
    for run, conf in (("one", "0.3"), ("two", "0.999")):
        (tmp_path / run).mkdir()
        assert evaluate(tmp_path / run, *words, "--conf", conf) == 0
    (row,) = json.loads((tmp_path / "one" / "out" / "evaluation.json").read_text())["rows"]
    assert row["conf"] == 0.3
    assert row["curves"]["box"]["best_f1"]["f1"] == row["curves"]["box"]["at_conf"]["f1"] == 1
    assert row["errors"]["size"]["medium"] == {"people": 2, "missed": 0, "false": 0}
    (row,) = json.loads((tmp_path / "two" / "out" / "evaluation.json").read_text())["rows"]
    assert row["errors"]["size"]["medium"] == {"people": 2, "missed": 2, "false": 0}
    capsys.readouterr()
    assert compare(tmp_path / "one" / "out", tmp_path / "two" / "out") == 0
    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["box", "AP", "100.0", "100.0", "+0.0", "+0.0", "to", "+0.0", "no", "clear", "difference"] in said
    assert ["box", "recall", "100.0", "0.0", "-100.0", "-100.0", "to", "-100.0", "worse"] in said
    assert ["box", "precision", "100.0", "-", "-", "-", "cannot", "be", "compared"] in said
    assert compare(tmp_path / "one" / "out") == 2
    assert "has one setup only" in capsys.readouterr().err
    assert compare(tmp_path, tmp_path / "one" / "out") == 2
    assert "cannot be read" in capsys.readouterr().err


def compare(*runs) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(["evaluate", "compare", *map(str, runs)])
    return int(left.value.code or 0)


def test_annotations_of_other_sizes_are_refused(images, tmp_path, capsys):
    assert evaluate(tmp_path, "--images", images, "--annotations", coco(tmp_path, width=64, height=48)) == 2
    assert "1.png is 128x96, but image 0 (a/1.png) of the annotations is 64x48" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_corners_in_place_of_sizes_are_suspected(images, tmp_path, capsys):
    path = tmp_path / "corners.json"
    data = json.loads(coco(tmp_path).read_text(encoding="utf-16"))
    for item, (x, y, w, h) in zip(data["annotations"], BOXES, strict=True):
        item["bbox"] = [x + 50, y, x + w + 50, y + h]
    path.write_text(json.dumps(data))
    assert evaluate(tmp_path, "--images", images, "--annotations", path) == 0
    assert "2 of 2 boxes reach beyond their images" in capsys.readouterr().err


def test_a_yolo_data_set_names_its_own_images(images, tmp_path, capsys):
    images.rename(tmp_path / "images")
    for folder, (x, y, w, h) in zip("ab", BOXES, strict=True):
        (tmp_path / "labels" / folder).mkdir(parents=True)
        row = f"0 {(x + w / 2) / 128} {(y + h / 2) / 96} {w / 128} {h / 96}\n"
        (tmp_path / "labels" / folder / "1.txt").write_text(row)
    (tmp_path / "data.yaml").write_text("val: images\nnames: {0: person}\n")
    assert evaluate(tmp_path, "--annotations", tmp_path / "data.yaml") == 0
    assert box_ap(tmp_path) == 1
    assert evaluate(tmp_path, "--annotations", coco(tmp_path), "--overwrite") == 2
    assert "give --images FOLDER" in capsys.readouterr().err
