"""Annotated images are JPEGs in a folder that appears when all of them are there."""

import cv2
import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.sinks.formats.coco import CocoSink
from sepcam.pipelines.sinks.formats.crops import CropsSink
from sepcam.pipelines.sinks.formats.yolo import YoloSink
from sepcam.pipelines.sinks.image_folder import ImageFolderSink
from sepcam.pipelines.types import Frame, FrameResult, Instances, RunSummary

SUMMARY = RunSummary(frames=1, people=0, seconds=1, fps=1, stage_ms={})


def result(name: str, index: int = 0, grey: int = 90) -> FrameResult:
    nothing = Instances((20, 30), np.zeros((0, 4), "f4"), np.zeros(0, "f4"), np.zeros(0, "i8"), ("person",))
    return FrameResult(Frame(np.full((20, 30, 3), grey, np.uint8), index, 0.0, name), nothing)


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_pictures_bear_the_names_of_their_images(tmp_path):
    folder = tmp_path / "trip-annotated"
    sink = ImageFolderSink(folder)
    sink.write(result("a.png"), np.full((20, 30, 3), 200, np.uint8))
    sink.write(result("b.webp", 1, grey=90))
    assert not folder.exists()
    sink.close(SUMMARY)
    assert names(folder) == ["a.jpg", "b.jpg"]
    assert names(tmp_path) == ["trip-annotated"]
    assert abs(int(cv2.imread(str(folder / "a.jpg")).mean()) - 200) <= 1
    assert abs(int(cv2.imread(str(folder / "b.jpg")).mean()) - 90) <= 1


def test_names_that_differ_in_their_ending_alone_stay_apart(tmp_path):
    sink = ImageFolderSink(tmp_path / "out")
    for index, name in enumerate(["a.png", "a.jpg"]):
        sink.write(result(name, index))
    sink.close(SUMMARY)
    assert names(tmp_path / "out") == ["a.jpg", "a.jpg.jpg"]


@pytest.mark.parametrize(
    "open_sink", [ImageFolderSink, CropsSink, lambda path: YoloSink(path, ("person",)), CocoSink]
)
def test_two_images_of_one_name_are_refused(open_sink, tmp_path):
    sink = open_sink(tmp_path / "out")
    sink.write(result("1.png"))
    with pytest.raises(SepcamError, match=r"two images are called 1\.png"):
        sink.write(result("1.png", 1))
    sink.abort()
    assert names(tmp_path) == []


def test_a_picture_that_is_too_large_for_jpeg_is_made_smaller(tmp_path):
    sink = ImageFolderSink(tmp_path / "out")
    sink.write(result("a.png"), np.full((3, 70_000, 3), 200, np.uint8))
    sink.close(SUMMARY)
    assert cv2.imread(str(tmp_path / "out" / "a.jpg")).shape == (3, 65_500, 3)


def test_an_existing_folder_is_refused_unless_it_may_be_overwritten(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "mine.txt").write_text("keep")
    (folder / "a.jpg").write_text("old")
    with pytest.raises(SepcamError, match="exists already"):
        ImageFolderSink(folder)
    sink = ImageFolderSink(folder, overwrite=True)
    sink.write(result("a.png"))
    sink.close(SUMMARY)
    assert names(folder) == ["a.jpg", "mine.txt"]
    assert (folder / "a.jpg").read_bytes()[:2] == b"\xff\xd8"


def test_an_aborted_run_leaves_nothing(tmp_path):
    sink = ImageFolderSink(tmp_path / "out")
    sink.write(result("a.png"))
    sink.abort()
    sink.abort()
    assert names(tmp_path) == []


def test_a_place_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SepcamError, match="could not be written"):
        ImageFolderSink(tmp_path / "file" / "out")
