"""Sepcam in Python: one line finds everyone in an image, one loop follows everyone through a video."""

import doctest
import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import sepcam
from PIL import Image
from sepcam.assets import demo_clip
from sepcam.models.errors import SepcamError
from sepcam.pipelines import model as model_module
from sepcam.pipelines.sources.open import open_source

from tests.clips import write_clip
from tests.soak.run import TOP
from tests.walkers import SquareDetector

FAKE = "tests.walkers:SquareDetector"
EVENTS = {"type": "header", "format": "sepcam-events", "version": 1}


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


@pytest.mark.parametrize(("hide", "detections"), [("nothing", 4), ("everything", 12)])
def test_who_is_hidden_is_looked_for_in_every_frame(hide, detections, clip, monkeypatch):
    calls, detect = [], SquareDetector.detect
    monkeypatch.setattr(SquareDetector, "detect", lambda self, image: calls.append(1) or detect(self, image))
    every = sepcam.load(detector=FAKE, tasks="track", detect_every=5)
    assert len(list(every.video(clip, hide=hide))) == 12
    assert len(calls) == detections


def test_two_videos_are_read_side_by_side_with_one_model():
    model = sepcam.load(detector="people", tasks="segment")
    (frame, alone), *_ = model.video("demo", limit=1)
    for (_, left), (_, right) in zip(model.video("demo", limit=6), model.video("demo", limit=6), strict=True):
        assert left.boxes.tolist() == right.boxes.tolist()
        photograph = model(frame.image)
    assert len(alone) == len(photograph) == 1


def test_a_script_may_end_with_a_video_half_read(clip):
    script = f"seen = sepcam.load(detector={FAKE!r}, tasks='track').video({str(clip)!r}); next(seen)"
    script = f"import sepcam; {script}"
    done = subprocess.run([sys.executable, "-c", script], cwd=TOP, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_times_do_not_go_back_in_a_writer(tmp_path):
    with sepcam.Writer(tmp_path / "out.mp4") as writer:
        writer.write(square_image(), 1.0)
        with pytest.raises(SepcamError, match=r"0\.5 s would come before the one at 1 s: add an offset"):
            writer.write(square_image(), 0.5)


def test_a_writer_without_a_with_block_is_closed(tmp_path):
    writer = sepcam.Writer(tmp_path / "out.mp4")
    writer.write(square_image())
    writer.close()
    writer.close()
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    with pytest.raises(SepcamError, match=r"out\.mp4 is complete; a new Writer writes another file"):
        writer.write(square_image())


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


def test_a_pil_image_is_turned_and_scaled_as_its_file_is(model, tmp_path):
    upright = Image.fromarray(square_image())
    exif = upright.getexif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    upright.save(tmp_path / "phone.png", exif=exif)
    deep = Image.fromarray(np.full((64, 96), 40_000, np.uint16))
    deep.save(tmp_path / "deep.png")
    for name in ("phone.png", "deep.png"):
        file, opened = model([tmp_path / name, Image.open(tmp_path / name)])
        np.testing.assert_array_equal(opened.result.frame.image, file.result.frame.image)
    assert model(Image.open(tmp_path / "phone.png")).result.frame.image.shape == (96, 64, 3)


def test_images_are_shown_at_their_own_times(tmp_path):
    with sepcam.Writer(tmp_path / "out.mp4", fps=10) as writer:
        for time_s in (7.0, 7.5, None):
            writer.write(square_image(), time_s)
    with open_source(tmp_path / "out.mp4") as source:
        assert [frame.time_s for frame in source] == pytest.approx([0, 0.5, 0.6], abs=1e-3)


def test_a_writer_without_images_leaves_nothing(tmp_path):
    with sepcam.Writer(tmp_path / "out.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []


def jsonl(path, *lines):
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    return path


def test_keypoints_and_names_of_images_are_read_back(tmp_path):
    header = {"type": "header", "keypoint_names": ["nose", "left_eye"]}
    box = {"label": "person", "score": 0.5, "box": [1, 2, 3, 4]}
    posed = box | {"keypoints": [[1.5, 2, 0.25], [3, 4, 1]]}
    name = "a\u2028b.png"  # a line's end to Python, but not to JSON
    frame = {"type": "frame", "frame": 0, "time_s": 0, "name": name, "objects": [posed, box]}
    results = sepcam.read_results(jsonl(tmp_path / "a.jsonl", header, frame))
    columns = results.to_numpy()
    assert columns["image"].tolist() == [name, name]
    assert columns["keypoints"].tolist() == [posed["keypoints"], [[0, 0, 0], [0, 0, 0]]]
    assert results.to_pandas()["keypoints"][0].shape == (2, 3)


@pytest.mark.parametrize(
    "line", [[1], None, {"frame": 1}, {"type": "frame"}, {"type": "frame", "objects": 1}]
)
def test_a_file_of_something_else_is_refused_by_its_line(line, tmp_path):
    path = jsonl(tmp_path / "a.jsonl", {"type": "header"}, line)
    with pytest.raises(SepcamError, match=r"^line 2 of .*a\.jsonl is not a"):
        sepcam.read_results(path)


def test_the_examples_of_docstrings_give_what_they_say():
    assert doctest.testmod(model_module, optionflags=doctest.NORMALIZE_WHITESPACE) == (0, 7)


def test_the_examples_of_the_readme_run(tmp_path, monkeypatch):
    readme = (Path(__file__).parents[2] / "app" / "README.md").read_text()
    section = readme.partition("\n## In Python\n")[2].partition("\n## ")[0]
    examples = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert len(examples) == 6
    monkeypatch.chdir(tmp_path)
    with open_source(demo_clip(), limit=3) as source:
        images = [frame.image for frame in source]
    cv2.imwrite("photo.jpg", images[0])
    write_clip(tmp_path / "in.mp4", images=images)
    (tmp_path / "sepcam-out").mkdir()
    header = {"type": "header", "models": {}, "keypoint_names": ["nose"]}
    jsonl(tmp_path / "sepcam-out" / "in.jsonl", header)
    names: dict = {}
    for example in examples:
        exec(example, names)
    assert names["drawn"].shape == images[0].shape
    assert (tmp_path / "out.mp4").stat().st_size
    assert len(names["everyone"]) >= 1
    assert len(names["detections"]) == len(names["table"]) == len(json.loads(names["text"])) >= 1


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda model, path: model(np.zeros((4, 4), np.uint8)), r"must be \(height, width, 3\) uint8"),
        (lambda model, path: model(path / "none.png"), "is not a file"),
        (lambda model, path: sepcam.load(speed="fast"), "the options are detector, pose, tasks"),
        (lambda model, path: sepcam.read_results(path / "none.jsonl"), "cannot be read: No such file"),
        (lambda model, path: sepcam.Writer(path / "a.mp4").write(np.zeros(3)), "an image must be"),
        (lambda model, path: sepcam.Writer(path / "a.mp4").write([1]), "an image must be"),
        (lambda model, path: sepcam.Writer(path / "a.mp4", fps=0), "fps must be a positive number"),
        (lambda model, path: sepcam.Writer(path / "a.mp4").write(square_image(), np.nan), "must be a number"),
        (lambda model, path: model(np.zeros((0, 0, 3), np.uint8)), "an image must be"),
        (lambda model, path: sepcam.Writer(path / "a.webm"), "must end in .mp4 or .m4v or .mov"),
        (lambda model, path: next(model.video("synthetic", hide="person")), "hide takes one of .*'person'"),
        (
            lambda model, path: sepcam.load(backbone="foo"),
            "backbone takes one of separable, standard; got 'foo'",
        ),
        (lambda model, path: sepcam.load(smooth="foo"), "smooth takes one of off, light, strong"),
        (lambda model, path: sepcam.RuntimeOptions(device="gpu"), "device takes one of auto, cpu, cuda"),
        (lambda model, path: sepcam.Zone("door", ((1, 2),)), "'door' needs two points for a line"),
        (
            lambda model, path: sepcam.read_results(jsonl(path / "e.jsonl", EVENTS)),
            "holds sepcam-events, not results",
        ),
        (lambda model, path: model(None), "a BGR array, a path or a PIL image"),
        (lambda model, path: model(write_clip(path / "a.mp4", frames=2)), r"use model.video\(path\)"),
        (lambda model, path: model(square_image()).draw(square_image()[:9]), "cannot be drawn onto 96x9"),
    ],
)
def test_mistakes_say_what_is_wrong(use, message, model, tmp_path):
    with pytest.raises(SepcamError, match=message):
        use(model, tmp_path)
