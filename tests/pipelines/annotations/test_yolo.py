"""YOLO's data.yaml and text files become annotations in pixels; a wrong row is refused with its line."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.annotations.files import read_annotated
from sepcam.pipelines.annotations.types import WrongAnnotationsError
from sepcam.pipelines.annotations.yolo import read_yolo

SIZE = (200, 100)


def size_of(path: Path) -> tuple[int, int]:
    return SIZE


@pytest.fixture
def data(tmp_path) -> Path:
    for name in ("images/val/a.png", "images/val/b.png", "labels/val/a.txt", "labels/val/b.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "labels/val/a.txt").write_text("1 0.5 0.5 0.2 0.4\r\n\r\n0 0.1 0.1 0.2 0.2\r\n")
    path = tmp_path / "data.yaml"
    path.write_bytes(b"\xef\xbb\xbftrain: images/train\r\nval: images/val\r\nnames: [car, person]\r\n")
    return path


def test_a_data_set_is_read(data):
    split = read_yolo(data, None, size_of)
    first, second = split.annotations.images
    assert [one.category for one in first.objects] == ["1", "0"]
    assert first.objects[0].box == pytest.approx((80, 30, 40, 40))
    assert second.objects == ()
    assert split.annotations.ids_of(["Person"]) == {"1"}
    assert split.files[second.id].name == "b.png"
    assert "uses val, 2 images" in split.annotations.notes[0]


def test_outlines_and_keypoints(data):
    label = data.parent / "labels/val/b.txt"
    label.write_text("1 0.1 0.1 0.5 0.1 0.5 0.6\n")
    (one,) = read_yolo(data, None, size_of).annotations.images[1].objects
    assert one.box == pytest.approx((20, 10, 80, 50))
    assert one.segmentation[0] == pytest.approx([20, 10, 100, 10, 100, 60])
    data.write_text(data.read_text("utf-8-sig") + "kpt_shape: [2, 3]\n")
    (data.parent / "labels/val/a.txt").write_text("")
    label.write_text("1 0.5 0.5 0.2 0.4 0.5 0.5 2 0 0 0\n")
    (one,) = read_yolo(data, None, size_of).annotations.images[1].objects
    assert one.keypoints == [100, 50, 2, 0, 0, 0]


def test_a_folder_of_text_files_with_its_classes(data):
    (data.parent / "classes.txt").write_text("car\nperson\n")
    split = read_yolo(data.parent / "labels" / "val", data.parent / "images" / "val", size_of)
    assert len(split.annotations.images[0].objects) == 2
    (data.parent / "classes.txt").unlink()
    with pytest.raises(SepcamError, match=r"has no classes\.txt"):
        read_yolo(data.parent / "labels" / "val", data.parent / "images" / "val", size_of)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1 0.5 0.5 0.2", r"b\.txt, line 2: has 4 numbers"),
        ("1 0.5 0.5 0.2 0.4 0.9", "line 2: has 6 numbers"),
        ("2 0.5 0.5 0.2 0.4", r"line 2: there is no class 2 \(there are 0, 1\)"),
        ("1 50 50 20 40", "line 2: 50 is not a fraction of the image"),
        ("1 nan 0.5 0.2 0.4", "line 2: nan is not a fraction"),
        ("person 0.5 0.5 0.2 0.4", "line 2: is not a row of numbers"),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(row, message, data):
    (data.parent / "labels/val/b.txt").write_text(f"1 0.5 0.5 0.2 0.4\n{row}\n")
    with pytest.raises(SepcamError, match=message):
        read_yolo(data, None, size_of)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1 0.5 0.5 0.2 0.4 0.5 0.5 2", r"b\.txt, line 1: has 8 numbers; kpt_shape \[2, 3\] needs 11"),
        ("1 0.5 0.5 0.2 0.4 0.5 0.5 2 nan 0.5 2", "line 1: nan is no place of a keypoint"),
        ("1 0.5 0.5 0.2 0.4 0.5 0.5 2 0.5 inf 0", "line 1: inf is no place of a keypoint"),
    ],
)
def test_a_wrong_row_of_keypoints_is_refused(row, message, data):
    data.write_text(data.read_text("utf-8-sig") + "kpt_shape: [2, 3]\n")
    (data.parent / "labels/val/a.txt").write_text("")
    (data.parent / "labels/val/b.txt").write_text(row)
    with pytest.raises(SepcamError, match=message):
        read_yolo(data, None, size_of)


def test_every_wrong_row_and_image_is_named(data):
    cv2.imwrite(str(data.parent / "images/val/a.png"), np.zeros((100, 200, 3), np.uint8))
    (data.parent / "labels/val/a.txt").write_text("1 0.5\n1 0.5 0.5 0.2 0.4\n2 0.5 0.5 0.2 0.4\n")
    with pytest.raises(WrongAnnotationsError, match=r"a\.txt, line 1: .* \(and 2 more") as caught:
        read_annotated(data, None)
    first, second, third = caught.value.problems
    assert "line 1: has 2 numbers" in first and "line 3: there is no class 2" in second
    assert "b.png is empty" in third


def test_a_listed_image_that_is_missing_is_known(data, tmp_path):
    cv2.imwrite(str(tmp_path / "images/val/a.png"), np.zeros((100, 200, 3), np.uint8))
    (tmp_path / "list.txt").write_text("images/val/a.png\nimages/val/gone.png\n")
    data.write_text("val: list.txt\nnames: [car, person]\n")
    found = read_annotated(data, None)
    assert [path.name for path in found.images] == ["a.png"]
    assert [path.name for path in found.missing] == ["gone.png"]
    assert len(found.annotations.notes) == 1  # nothing of its label file


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("val: images/val\n", "has no names of classes"),
        ("names: [person]\n", "names no images"),
        ("names: [person]\nval: none\n", "val is none, but there is no"),
        ("names: [person\nval: x", "is not YAML: line 2"),
        ("names: [a, person]\nval: images/val\nkpt_shape: 17\n", "kpt_shape is the number"),
        ("names: [a, person]\nval: images/val\nkpt_shape: [x, 3]\n", "kpt_shape is the number"),
    ],
)
def test_a_wrong_data_file_is_refused(text, message, data):
    data.write_text(text)
    with pytest.raises(SepcamError, match=message):
        read_yolo(data, None, size_of)


def test_labels_may_be_missing_but_not_all(data):
    (data.parent / "labels/val/b.txt").unlink()
    split = read_yolo(data, None, size_of)
    assert [image.partial for image in split.annotations.images] == [False, True]
    assert (
        "1 of 2 images have no label file (as b.txt): evaluation takes such for empty"
        in (split.annotations.notes[1])
    )
    (data.parent / "labels/val/a.txt").unlink()
    with pytest.raises(SepcamError, match="none of the 2 images has a label file"):
        read_yolo(data, None, size_of)
