"""Sepcam in Python: one line finds everyone in an image, one loop follows everyone through a video."""

import json

import cv2
import numpy as np
import pytest
import sepcam
from PIL import Image
from sepcam.models.errors import SepcamError
from sepcam.pipelines.sources.open import open_source

from tests.clips import write_clip

FAKE = "tests.walkers:SquareDetector"


def square_image(x=20):
    image = np.zeros((64, 96, 3), np.uint8)
    image[20:40, x : x + 20] = 255
    return image


@pytest.fixture(scope="module")
def model():
    return sepcam.load(detector=FAKE, tasks=("track",))


@pytest.fixture
def clip(tmp_path):
    images = [square_image(20 + 2 * i) for i in range(12)]
    return write_clip(tmp_path / "in.mp4", images=images, options={"crf": "5"})


def test_arrays_files_and_pil_images_are_the_same(model, tmp_path):
    image = square_image()
    cv2.imwrite(str(tmp_path / "a.png"), image)
    found = model([image, tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(image)])
    assert [len(people) for people in found] == [1] * 4
    for people in found:
        np.testing.assert_array_equal(people.boxes, found[0].boxes)
    one = model(image)
    assert one.labels == ["person"] and one.ids is None and one.keypoints is None and one.masks is None
    assert one.boxes.dtype == np.float32 and one.scores.shape == (1,)


def test_what_was_found_is_drawn_on_a_copy(model):
    image = square_image()
    drawn = model(image).draw(image)
    assert not np.array_equal(drawn, image)
    np.testing.assert_array_equal(image, square_image())


def test_results_for_other_tools(model):
    people = model(square_image())
    (item,) = json.loads(people.to_json())
    assert item["label"] == "person"
    theirs = people.to_supervision()
    np.testing.assert_array_equal(theirs.xyxy, people.boxes)
    assert theirs["class_name"].tolist() == ["person"]
    assert people.to_pandas()["label"].tolist() == ["person"]


def test_identities_through_a_video_that_is_written_again(model, clip, tmp_path):
    ids = set()
    with sepcam.Writer(tmp_path / "out.mp4", fps=10) as writer:
        for frame, people in model.video(clip):
            ids |= set(people.ids.tolist())
            writer.write(people.draw(frame.image))
    assert len(ids) == 1
    with open_source(tmp_path / "out.mp4") as source:
        assert sum(1 for _ in source) == 12


def test_a_writer_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), sepcam.Writer(tmp_path / "out.mp4") as writer:
        writer.write(square_image())
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_results_are_read_back(clip, tmp_path):
    from sepcam.app.cli import main

    words = ("process", str(clip), "-o", str(tmp_path / "o"), "--save", "jsonl", "--detector", FAKE)
    with pytest.raises(SystemExit, match="0"):
        main([*words, "--tasks", "track"])
    results = sepcam.read_results(tmp_path / "o" / "in.jsonl")
    assert len(results) == 12 and results.header["width"] == 96 and results.summary["complete"]
    columns = results.to_numpy()
    assert len(set(columns["track_id"][columns["track_id"] >= 0])) == 1
    assert columns["box"].shape == (len(columns["frame"]), 4)
    assert list(results.to_pandas()["frame"]) == columns["frame"].tolist()


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda model, path: model(np.zeros((4, 4), np.uint8)), r"must be \(height, width, 3\) uint8"),
        (lambda model, path: model(path / "none.png"), "is not a file"),
        (lambda model, path: sepcam.load(speed="fast"), "the options are detector, pose, tasks"),
        (lambda model, path: sepcam.read_results(path / "none.jsonl"), "cannot be read: No such file"),
        (lambda model, path: sepcam.Writer(path / "a.mp4").write(np.zeros(3)), "an image must be"),
    ],
)
def test_mistakes_say_what_is_wrong(use, message, model, tmp_path):
    with pytest.raises(SepcamError, match=message):
        use(model, tmp_path)
