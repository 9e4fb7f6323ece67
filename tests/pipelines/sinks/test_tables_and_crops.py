"""CSV opens in spreadsheets, YOLO's files are read by its tools, crops and sheets show what was found."""

import csv
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.models.ops.coco import KEYPOINTS
from sepcam.pipelines.annotations.yolo import read_yolo
from sepcam.pipelines.batch.state.journal import fingerprint
from sepcam.pipelines.results import read_results
from sepcam.pipelines.sinks.base import ResultName, SinkContext
from sepcam.pipelines.sinks.formats.contact_sheet import MOST, ContactSheetSink
from sepcam.pipelines.sinks.formats.crops import CropsSink
from sepcam.pipelines.sinks.formats.csv_table import CsvSink
from sepcam.pipelines.sinks.formats.yolo import YoloSink
from sepcam.pipelines.sinks.registry import sink_kinds
from sepcam.pipelines.types import Frame, FrameResult, Instances, MaskCrop, RunSummary, StreamInfo

SUMMARY = RunSummary(frames=2, people=1, seconds=0.5, fps=4.0, stage_ms={})
SIZE = (64, 96)


def shot(index=0, time_s=0.0, name="", ids=(4, 9), masks=True):
    keypoints = np.zeros((2, 17, 3), np.float32)
    keypoints[0] = [[20 + i, 30, i / 20] for i in range(17)]
    found = Instances(
        SIZE,
        np.array([[10, 5, 40, 45], [-8, 20, 70.5, 80]], np.float32),
        np.array([0.912345, 0.5], np.float32),
        np.array([0, 1]),
        ("person", "dog"),
        None if ids is None else np.array(ids),
        keypoints,
        np.array([0.99, 0], np.float32),
        [MaskCrop(np.ones((30, 12), np.uint8), 12, 8), None] if masks else None,
        np.array([False, True]),
    )
    image = np.full((*SIZE, 3), 50, np.uint8)
    image[5:45, 10:40] = 200
    return FrameResult(Frame(image, index, time_s, name), found)


def test_csv_has_a_row_per_object_and_columns_for_keypoints(tmp_path):
    sink = CsvSink(tmp_path / "a.csv", KEYPOINTS)
    sink.write(shot(0, 1 / 3, 'a, "b"\n入口.jpg'))
    sink.close(SUMMARY)
    with open(tmp_path / "a.csv", encoding="utf-8", newline="") as file:
        person, dog = csv.DictReader(file)
    assert person | {"image": ""} == {
        **{"frame": "0", "time_s": "0.333333", "image": "", "track_id": "4", "label": "person"},
        **{"score": "0.9123", "x1": "10.0", "y1": "5.0", "x2": "40.0", "y2": "45.0"},
        **{"detected": "true", "presence": "0.99"},
        **{f"{name}_x": str(20.0 + i) for i, name in enumerate(KEYPOINTS)},
        **{f"{name}_y": "30.0" for name in KEYPOINTS},
        **{f"{name}_score": str(round(i / 20, 4)) for i, name in enumerate(KEYPOINTS)},
    }
    assert person["image"] == 'a, "b"\n入口.jpg'
    assert (dog["label"], dog["detected"], dog["presence"], dog["nose_x"]) == ("dog", "false", "", "")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_what_was_written_is_read_back(tmp_path, kind):
    header = {"keypoint_names": list(KEYPOINTS), "skeleton": (), "labels": ("person", "dog")}
    context = SinkContext("clip.mp4", StreamInfo("clip.mp4", 96, 64, 30), header)
    path = sink_kinds()[kind].path(ResultName(tmp_path, "clip", ".mp4"))
    sink = sink_kinds()[kind].open(path, context)
    found = shot().instances
    space = np.zeros((2, 17, 4), np.float32)
    space[0] = [[i, i / 100, 0.5, -0.25] for i in range(17)]
    for index in range(3):
        frame = replace(shot().frame, index=index, time_s=index / 10)
        sink.write(FrameResult(frame, replace(found, space=None if kind == "csv" else space)))
    sink.close(SUMMARY)
    results = read_results(path)
    columns = results.to_numpy()
    assert columns["frame"].tolist() == [0, 0, 1, 1, 2, 2]
    assert columns["time_s"] == pytest.approx([0, 0, 0.1, 0.1, 0.2, 0.2])
    assert columns["label"].tolist() == ["person", "dog"] * 3
    assert columns["track_id"].tolist() == [4, 9] * 3
    assert columns["score"] == pytest.approx([0.9123, 0.5] * 3)
    assert columns["box"][:2] == pytest.approx(found.boxes)
    assert columns["keypoints"][0] == pytest.approx(found.keypoints[0], abs=1e-4)
    assert not columns["keypoints"][1].any()
    assert [one.get("detected", True) for one in results.frames[0]["objects"]] == [True, False]
    if kind != "csv":
        assert columns["depths"][:2] == pytest.approx(space[..., 0])
        assert columns["world"][:2] == pytest.approx(space[..., 1:])
        assert results.summary["frames"] == 2
    if kind == "parquet":
        assert read_results(tmp_path / "objects.parquet").to_numpy()["frame"].tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "x,y\n1,2\n"),
        ("b.csv", "\0"),
        ("c.parquet", "PAR1"),
        ("d.csv", "frame,time_s,label,score,x1\n"),
    ],
)
def test_other_tables_are_refused_in_one_line(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(SepcamError, match="does not hold results of sepcam"):
        read_results(tmp_path / name)
    with pytest.raises(SepcamError, match="cannot be read"):
        read_results(tmp_path / "gone.csv")


@pytest.mark.parametrize(
    "wrong",
    [
        *({"box": box} for box in ([1, 2, 3], "x", None)),
        *(
            {"score": "x"},
            {"track_id": None},
            {"keypoints": [[1, 2]]},
            {"keypoints": 3},
            {"depths": [1, 2, 3]},
        ),
    ],
)
def test_values_of_another_kind_are_refused_in_one_line(tmp_path, wrong):
    found = {"label": "person", "score": 0.5, "box": [1, 2, 3, 4], "keypoints": [[1, 2, 0.5]]}
    lines = [
        {"type": "header", "keypoint_names": ["nose"]},
        {"type": "frame", "frame": 0, "time_s": 0.0, "objects": [found | wrong]},
    ]
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8-sig")
    results = read_results(tmp_path / "a.jsonl")
    for convert in (results.to_numpy, results.to_pandas):
        with pytest.raises(SepcamError, match=r"^the results hold a value that sepcam does not write: "):
            convert()


def test_other_text_is_no_results(tmp_path, monkeypatch):
    (tmp_path / "clip.mot.txt").write_text("1,1,1,1,1,1,1,-1,-1,-1\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(SepcamError, match=r"is not JSON: give a \.jsonl, \.csv or \.parquet file"):
        read_results("~/clip.mot.txt")


def test_yolo_is_read_back_as_annotations(tmp_path):
    folder = tmp_path / "trip-yolo"
    sink = YoloSink(folder, ("person", "dog"))
    images = tmp_path / "images"
    images.mkdir()
    for name in ("a.jpg", "b.png"):
        cv2.imwrite(str(images / name), shot().frame.image)
        sink.write(shot(name=name))
    sink.close(SUMMARY)
    for kind in ("boxes", "segments"):
        read = read_yolo(folder / kind, images, lambda path: (SIZE[1], SIZE[0])).annotations
        assert read.categories == {"0": "person", "1": "dog"}
        first = read.images[0].objects[0]
        assert first.box == pytest.approx(
            (10, 5, 30, 40) if kind == "boxes" else (12.5, 8.5, 11, 29), abs=0.01
        )
        assert len(read.images[0].objects) == (2 if kind == "boxes" else 1)
    (line,) = (folder / "pose" / "b.txt").read_text().splitlines()
    values = line.split()
    assert len(values) == 5 + 3 * 17
    assert values[:5] == (folder / "boxes" / "b.txt").read_text().splitlines()[0].split()
    assert float(values[5]) * SIZE[1] == pytest.approx(20, abs=0.001)
    assert [values[7], values[-1]] == ["1", "2"]  # uncertain, visible
    dog = (folder / "boxes" / "a.txt").read_text().splitlines()[1].split()
    assert [float(v) for v in dog[1:]] == pytest.approx([35.25 / 96, 42 / 64, 70.5 / 96, 44 / 64], abs=1e-5)


def test_frames_of_a_video_have_files_called_by_their_index(tmp_path):
    sink = YoloSink(tmp_path / "clip-yolo", ("person", "dog"))
    sink.write(shot(7, masks=False))
    sink.close(SUMMARY)
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.txt")) == [
        "clip-yolo/boxes/000007.txt",
        "clip-yolo/classes.txt",
        "clip-yolo/pose/000007.txt",
    ]


def test_crops_are_sorted_by_identity_one_each_second(tmp_path):
    sink = CropsSink(tmp_path / "clip-crops")
    assert sink.needs_clean_image
    for index in range(25):
        sink.write(shot(index, index / 10), np.zeros((*SIZE, 3), np.uint8))
    assert not (tmp_path / "clip-crops").exists()
    sink.close(SUMMARY)
    made = sorted(p.relative_to(tmp_path / "clip-crops").as_posix() for p in tmp_path.rglob("*.jpg"))
    # The dog was only predicted.
    assert made == [f"person-0004/{index:06d}.jpg" for index in (0, 10, 20)]
    crop = cv2.imread(str(tmp_path / "clip-crops" / made[0]))
    assert crop.shape == (44, 34, 3)  # with a margin
    assert crop[10:-10, 10:-10].min() > 190
    assert len(list(tmp_path.iterdir())) == 1
    assert fingerprint(tmp_path / "clip-crops").bytes > 1000


def test_crops_without_identities_are_sorted_by_class(tmp_path):
    sink = CropsSink(tmp_path / "trip-crops")
    sink.write(shot(name="a.jpg", ids=None))
    sink.close(SUMMARY)
    made = sorted(p.relative_to(tmp_path / "trip-crops").as_posix() for p in tmp_path.rglob("*.jpg"))
    assert made == ["dog/a.jpg-1.jpg", "person/a.jpg-1.jpg"]


@pytest.mark.parametrize(
    ("frames", "shown"), [(1, 1), (3, 3), (MOST, MOST), (MOST + 1, MOST // 2 + 1), (200, 13)]
)
def test_a_contact_sheet_shows_a_source_of_any_length(tmp_path, frames, shown):
    sink = ContactSheetSink(tmp_path / "a-sheet.jpg", {})
    for index in range(frames):
        sink.write(shot(index, index / 10))
    sink.close(SUMMARY)
    sheet = cv2.imread(str(tmp_path / "a-sheet.jpg"))
    rows = -(-shown // 4)
    assert sheet.shape[:2] == (rows * (320 + 32 + 8) + 8, min(4, shown) * 488 + 8)
    assert [path.name for path in tmp_path.iterdir()] == ["a-sheet.jpg"]


def test_a_sheet_of_very_tall_images_fits_into_a_jpeg(tmp_path):
    sink = ContactSheetSink(tmp_path / "a-sheet.jpg", {})
    tall = replace(shot().frame, image=np.full((8000, 40, 3), 200, np.uint8))
    for _ in range(MOST):
        sink.write(replace(shot(masks=False), frame=tall))
    sink.close(SUMMARY)
    sheet = cv2.imread(str(tmp_path / "a-sheet.jpg"))
    assert sheet.shape[:2] == (6 * (1920 + 32 + 8) + 8, 4 * 488 + 8)
    assert sheet[1000, 12].min() > 190


def test_sheets_and_crops_that_were_given_up_leave_nothing(tmp_path):
    for sink in (
        ContactSheetSink(tmp_path / "a.jpg", {}),
        CropsSink(tmp_path / "b"),
        YoloSink(tmp_path / "c", ()),
    ):
        sink.write(shot())
        sink.abort()
    ContactSheetSink(tmp_path / "a.jpg", {}).close(SUMMARY)  # without a frame
    assert list(tmp_path.iterdir()) == []
