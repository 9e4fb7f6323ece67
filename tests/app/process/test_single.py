"""Files in, results out: every input gets its files, whole or not at all."""

import contextlib
import json
import os
import resource
import signal
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from sepcam.app.process.single import FileRequest, run_single
from sepcam.models.errors import SepcamError
from sepcam.models.types import Detections
from sepcam.pipelines.batch.files.inputs import find_inputs
from sepcam.pipelines.drawing.options import DrawOptions
from sepcam.pipelines.pipeline import Pipeline
from sepcam.pipelines.sources.open import open_source

from tests.clips import cut, write_clip
from tests.walkers import SquareDetector, pipeline_of, square_picture


def pipeline(**settings) -> Pipeline:
    return pipeline_of(**settings)


def never() -> Pipeline:
    raise AssertionError("the networks must not be loaded for this")


def run(inputs, out: Path, saves, load=pipeline, **settings) -> int:
    """Processes one source, which several images may be."""
    (source,) = find_inputs([str(name) for name in inputs]).inputs
    return run_single(source, FileRequest(out, saves, **settings), load)


@pytest.fixture
def clip(tmp_path) -> Path:
    return squares(tmp_path / "clip.mp4")


def squares(path: Path, frames: int = 12, **settings) -> Path:
    return write_clip(path, images=[square_picture(i) for i in range(frames)], **settings)


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_clip_becomes_a_video_and_records(clip, out, capsys):
    assert run([clip], out, ("video", "jsonl", "mot")) == 0
    assert names(out) == ["clip.jsonl", "clip.mot.txt", "clip.mp4"]
    header, *frames, summary = lines(out / "clip.jsonl")
    assert header["models"] == {"detector": "squares", "pose": "centers"}
    assert (header["backbone"], header["tasks"]) == ("separable", ["track", "pose", "segment"])
    assert len(header["keypoint_names"]) == 33
    assert [line["frame"] for line in frames] == list(range(12))
    assert {"track_id", "label", "score", "box", "keypoints", "presence", "mask"} == set(
        frames[-1]["objects"][0]
    )
    assert (summary["frames"], summary["people"], summary["complete"]) == (12, 1, True)
    assert (
        (out / "clip.mot.txt").read_text().startswith("1,1,")
    )  # at the first sighting, though it was confirmed later
    said = capsys.readouterr()
    assert "12 frames, 1 person" in said.out
    assert str(out / "clip.mp4") in said.out
    assert said.err == ""


def test_the_video_shows_what_was_found(clip, out):
    run([clip], out, ("video",))
    with open_source(clip) as plain, open_source(out / "clip.mp4") as drawn:
        pairs = list(zip(plain, drawn, strict=True))
    assert [b.time_s for _, b in pairs] == pytest.approx([a.time_s for a, _ in pairs])
    assert cv2.absdiff(pairs[-1][0].image, pairs[-1][1].image).max() > 60


def test_every_kind_is_written_of_one_clip_as_it_is_to_be_drawn(clip, out):
    kinds = ("video", "contact-sheet", "crops", "csv", "yolo")
    assert run([clip], out, kinds, drawing=DrawOptions(())) == 0
    made = names(out)
    assert {"clip-sheet.jpg", "clip.csv", "clip.mp4", "clip-yolo/boxes/000011.txt"} <= set(made)
    assert [name for name in made if name.startswith("clip-crops")] == [
        f"clip-crops/person-0001/{index:06d}.jpg" for index in (0, 10)
    ]
    with open_source(clip) as source, open_source(out / "clip.mp4") as written:
        for frame, shown in zip(source, written, strict=True):
            assert np.abs(frame.image.astype(int) - shown.image).mean() < 2  # nothing is drawn


def test_sound_goes_along(tmp_path, out):
    clip = squares(tmp_path / "loud.mp4", audio="aac")
    run([clip], out, ("video",))
    with av.open(str(out / "loud.mp4")) as container:
        assert container.streams.audio[0].codec_context.name == "aac"


def test_a_part_of_a_clip(clip, out):
    run([clip], out, ("jsonl",), start_s=0.5, frames=3)
    times = [line["time_s"] for line in lines(out / "clip.jsonl")[1:-1]]
    assert times == pytest.approx([0.5, 0.6, 0.7])


def image_folder(folder: Path, count: int = 3) -> Path:
    folder.mkdir()
    for index in range(count):
        cv2.imwrite(str(folder / f"{index:03d}.png"), square_picture(index))
    return folder


def test_a_folder_of_images_becomes_pictures_and_coco_results(tmp_path, out):
    folder = image_folder(tmp_path / "trip")
    assert run([folder], out, ("video", "jsonl", "coco")) == 0
    assert names(out) == [
        "coco_results.json",
        *(f"trip-annotated/{i:03d}.jpg" for i in range(3)),
        "trip.jsonl",
    ]
    results = json.loads((out / "coco_results.json").read_text())
    assert [item["image_id"] for item in results] == [0, 1, 2]
    assert "track_id" not in lines(out / "trip.jsonl")[1]["objects"][0]


def test_images_named_one_by_one_are_one_source(tmp_path, out):
    folder = image_folder(tmp_path / "trip")
    images = [str(path) for path in sorted(folder.iterdir())]
    assert run(images, out, ("jsonl",)) == 0
    assert names(out) == ["trip.jsonl"]
    assert [line["name"] for line in lines(out / "trip.jsonl")[1:-1]] == ["000.png", "001.png", "002.png"]


def test_a_single_image(tmp_path, out):
    folder = image_folder(tmp_path / "trip", 1)
    assert run([folder / "000.png"], out, ("video", "jsonl")) == 0
    assert names(out) == ["000-annotated/000.jpg", "000.jsonl"]


def test_a_clip_that_was_cut_is_processed_as_far_as_it_goes(tmp_path, out, capsys):
    clip = cut(squares(tmp_path / "cut.avi", 60, codec="mjpeg", pix_fmt="yuvj420p"), 0.5)
    assert run([clip], out, ("video", "jsonl")) == 0
    said = capsys.readouterr()
    assert "warning" in said.err
    assert "cut after" in said.err
    summary = lines(out / "cut.jsonl")[-1]
    assert 0 < summary["frames"] < 60
    assert len(summary["warnings"]) == 1


@pytest.mark.parametrize(
    ("saves", "images", "message"),
    [
        (("mot",), True, "mot is for live sources and videos"),
        (("video", "coco"), False, "coco is for images, not for videos"),
    ],
)
def test_results_that_do_not_fit_the_input_are_refused(saves, images, message, clip, tmp_path, out):
    source = image_folder(tmp_path / "trip") if images else clip
    with pytest.raises(SepcamError, match=message):
        run([source], out, saves, never)
    assert not out.exists()


def test_existing_results_are_refused_before_the_networks_are_loaded(clip, out):
    run([clip], out, ("jsonl",))
    before = (out / "clip.jsonl").read_bytes()
    with pytest.raises(SepcamError, match="--overwrite"):
        run([clip], out, ("jsonl",), never)
    assert (out / "clip.jsonl").read_bytes() == before


def test_a_second_run_replaces_results_whole(clip, out):
    for _ in range(2):
        assert run([clip], out, ("video", "jsonl"), overwrite=True) == 0
    assert len(lines(out / "clip.jsonl")) == 14


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("synthetic:96x64x2", "synthetic"),
        ("my clip.mp4", "my-clip"),
        ("a.b.mp4", "a.b"),
        ("Zürich 1.mp4", "Zürich-1"),
        ("2024-01-01T10:00:00.mp4", "2024-01-01T10-00-00"),
        ("caf\udce9.mp4", "caf"),
        ("वीडियो.mp4", "वीडियो"),
        ("วิดีโอ.mp4", "วิดีโอ"),
        ("Cafe\u0301.mp4", "Café"),
        ("نیم\u200cفصل.mp4", "نیم\u200cفصل"),
        ("🎬 1.mp4", "🎬-1"),
    ],
)
def test_files_are_named_so_that_every_system_takes_them(name, stem, tmp_path, out):
    source = name
    if not name.startswith("synthetic"):
        source = str(squares(tmp_path / "made.mp4", 2).rename(tmp_path / name))
    run([source], out, ("jsonl",))
    assert names(out) == [f"{stem}.jsonl"]


@pytest.mark.parametrize("stem", ["a" * 251, "監" * 83])
def test_a_name_at_the_limit_of_the_file_system_has_results(stem, tmp_path, out):
    clip = squares(tmp_path / "made.mp4", 2).rename(tmp_path / f"{stem}.mp4")
    run([clip], out, ("video", "jsonl", "mot", "parquet"))
    assert len(names(out)) == 4
    assert (out / f"{stem}.mp4").exists()


def test_relative_names_with_colons_are_read_and_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    squares(tmp_path / "made.mp4", 2).rename("10:00.mp4")
    run(["10:00.mp4"], Path("run:1"), ("video",))
    assert names(Path("run:1")) == ["10-00.mp4"]


@pytest.mark.parametrize("kept_room", range(0, 9))
def test_a_disk_that_fills_at_the_end_leaves_nothing_and_blocks_no_rerun(kept_room, clip, out, tmp_path):
    """The video fits, the records do not, or end just before their last bytes: times differ in length."""
    assert run([clip], tmp_path / "whole", ("jsonl", "mot")) == 0
    sizes = {path.suffix: path.stat().st_size for path in (tmp_path / "whole").iterdir()}
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (sizes[".jsonl"] - 20 - 40 * kept_room, before[1]))
    try:
        with pytest.raises(SepcamError, match="could not be written"):
            run([clip], out, ("jsonl", "mot"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert names(out) == []
    assert run([clip], out, ("jsonl", "mot")) == 0


class Broken(SquareDetector):
    """A detector that fails at its sixth picture, in the way that it is told."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.seen = 0

    def detect(self, image):
        self.seen += 1
        if self.seen == 6:
            raise self.error
        return super().detect(image)


@pytest.mark.parametrize("error", [RuntimeError("bug"), SepcamError("the GPU is gone"), MemoryError()])
def test_a_run_that_breaks_leaves_nothing(error, clip, out):
    (out / "clip.jsonl").parent.mkdir()
    (out / "clip.jsonl").write_text("precious")
    with pytest.raises(type(error)):
        run([clip], out, ("video", "jsonl"), lambda: pipeline_of(Broken(error), tasks=()), overwrite=True)
    assert names(out) == ["clip.jsonl"]
    assert (out / "clip.jsonl").read_text() == "precious"


@contextlib.contextmanager
def little_room():
    """Files of this process may not grow beyond 8 kB: what a full disk looks like to the one who writes.

    No fixture, since those outlast the test's report, which may go to a file as well.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("saves", [("video",), ("jsonl",), ("video", "jsonl", "mot")])
def test_a_disk_without_room_ends_the_run_and_leaves_nothing(saves, tmp_path, out):
    with little_room(), pytest.raises(SepcamError, match="could not be written: it grew beyond"):
        run(["synthetic:640x480x60"], out, saves, lambda: pipeline_of(Crowd()))
    assert names(out) == []


class Crowd(SquareDetector):
    """Finds so many people that their records need room."""

    def detect(self, image):
        boxes = [[x, 50, x + 30, 150] for x in range(0, 600, 40)]
        count = len(boxes)
        return Detections(np.array(boxes, "f4"), np.full(count, 0.9, "f4"), np.zeros(count, np.int64))


class Interrupting(SquareDetector):
    """Sees Ctrl-C pressed while it looks at the frame with a number, and takes a moment over it."""

    def __init__(self, at):
        self.left = at

    def detect(self, image):
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGINT)  # of the process: it reaches the main thread
            time.sleep(0.3)
        self.left -= 1
        return super().detect(image)


def test_an_interrupt_completes_the_files_and_says_where_it_stopped(tmp_path, out, capsys):
    clip = squares(tmp_path / "a.mp4", 60)
    assert run([clip], out, ("video", "jsonl"), lambda: pipeline_of(Interrupting(20))) == 130
    assert names(out) == ["a.jsonl", "a.mp4"]
    *_, last, summary = lines(out / "a.jsonl")
    assert not summary["complete"]
    assert 0 < summary["frames"] <= 20
    assert summary["frames"] == last["frame"] + 1
    with open_source(out / "a.mp4") as source:
        assert len(list(source)) == summary["frames"]
    assert f"stopped after {summary['frames']} of 60 frames" in capsys.readouterr().err


def test_an_interrupt_before_the_first_frame_leaves_nothing(clip, out):
    with pytest.raises(KeyboardInterrupt):
        run([clip], out, ("video", "jsonl"), lambda: pipeline_of(Interrupting(0)))
    assert names(out) == []
