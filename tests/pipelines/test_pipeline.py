"""A pipeline analyzes every frame of a source in order, draws and records beside it, and always ends."""

import gc
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import pytest
from sepcam import pipelines
from sepcam.assets import demo_clip
from sepcam.models.errors import SepcamError
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.pipelines.analysis.options import AnalysisOptions
from sepcam.pipelines.analysis.two_sided import TwoSidedFilter
from sepcam.pipelines.drawing.overlay import Overlay
from sepcam.pipelines.pipeline import Pipeline
from sepcam.pipelines.process_file import record
from sepcam.pipelines.sinks.base import Sink
from sepcam.pipelines.sinks.fan_out import FanOut
from sepcam.pipelines.sinks.outputs import Target
from sepcam.pipelines.sinks.serialize import objects
from sepcam.pipelines.sources.open import open_source
from sepcam.pipelines.types import Frame, FrameResult, StreamInfo

from tests.walkers import SquareDetector, pipeline_of, square_picture

PATIENCE_S = 20


class Squares:
    """A source of pictures with a square in each."""

    def __init__(self, count: int = 12, **info: bool) -> None:
        self.info = StreamInfo("squares", 96, 64, 10.0, count, **info)
        self.warnings: list[str] = []
        self.count = count
        self.closed = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.count):
            yield Frame(square_picture(index), index, index / 10)

    def close(self) -> None:
        self.closed = True


class Pictures(Sink):
    """A sink that keeps what it is given."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.pictures: list[np.ndarray] = []
        self.fails_at = fails_at

    def write(self, result, image=None):
        if result.frame.index == self.fails_at:
            raise SepcamError("the disk is full")
        self.pictures.append(image)

    def close(self, summary):
        self.summary = summary

    def abort(self):
        pass


@contextmanager
def no_progress(title, total):
    yield lambda done, note="": None


def pipeline(**settings) -> Pipeline:
    return pipeline_of(**settings)


@pytest.fixture(autouse=True)
def no_thread_is_left_over():
    yield
    gc.collect()
    ours = {f"sepcam-{stage}" for stage in ("read", "analyze", "masks", "draw", "encode")}
    assert ours.isdisjoint(thread.name for thread in threading.enumerate())


def test_the_package_exports_what_the_readme_shows():
    assert set(pipelines.__all__) == {"Pipeline", "open_source"}
    assert open_source("synthetic:64x48x3").info.frame_count == 3
    with pytest.raises(AttributeError, match="nothing_such"):
        pipelines.nothing_such  # noqa: B018


def test_every_frame_is_analyzed_in_order():
    source = Squares(12)
    results = list(pipeline().run(source))
    assert [r.frame.index for r in results] == list(range(12))
    assert source.closed
    last = results[-1].instances
    assert last.track_ids.tolist() == [1]
    assert last.keypoints.shape == (1, 33, 3)
    assert last.masks[0].area > 0
    assert np.abs(last.boxes[0] - [19, 20, 31, 44]).max() < 2


def test_only_the_tasks_asked_for_are_done():
    found = list(pipeline(tasks=()).run(Squares(3)))[-1].instances
    assert len(found) == 1
    assert found.track_ids is found.keypoints is found.masks is None
    assert pipeline(tasks=("track",)).model.pose is None


def test_without_an_overlay_the_pictures_stay_as_they_are():
    for result in pipeline().run(Squares(5)):
        assert np.array_equal(result.frame.image, square_picture(result.frame.index))


def test_with_an_overlay_the_pictures_are_drawn_on_before_they_are_recorded():
    sink = Pictures()
    recorder = FanOut([sink])
    for result in pipeline().run(Squares(8), overlay=Overlay(), recorder=recorder):
        assert sink.pictures[result.frame.index] is result.frame.image
    assert not np.array_equal(sink.pictures[-1], square_picture(7))
    assert recorder.finish().frames == 8


def test_the_summary_has_the_median_of_every_stage():
    recorder = FanOut([Pictures()])
    list(pipeline().run(Squares(5), overlay=Overlay(), recorder=recorder))
    stages = recorder.finish().stage_ms
    assert set(stages) == {"read", "detect", "track", "pose", "masks", "smooth", "draw", "encode"}
    assert all(ms >= 0 for ms in stages.values())


def test_results_say_what_the_source_and_the_run_do():
    results = list(pipeline().run(Squares(5)))
    assert all(r.meter.source_fps == 10 for r in results)
    assert set(results[-1].stage_ms) == {"detect", "track", "pose", "masks"}


def test_independent_frames_have_no_identities():
    found = list(pipeline().run(Squares(3, independent=True)))[-1].instances
    assert found.track_ids is None
    assert found.keypoints is not None


def test_identities_start_again_with_every_source():
    runner = pipeline()
    for _ in range(2):
        assert list(runner.run(Squares(5)))[-1].instances.track_ids.tolist() == [1]


def test_a_live_source_shows_its_newest_frame():
    begun, all_read = threading.Event(), threading.Event()

    class Camera(Squares):
        def __iter__(self) -> Iterator[Frame]:
            for frame in super().__iter__():
                if frame.index == 1:
                    assert begun.wait(PATIENCE_S)
                yield frame
            all_read.set()

    class Slow(SquareDetector):
        def detect(self, image):
            begun.set()
            assert all_read.wait(PATIENCE_S)
            return super().detect(image)

    results = list(pipeline_of(Slow(), tasks=()).run(Camera(50, live=True)))
    assert [r.frame.index for r in results] == [0, 49]


def test_a_stream_whose_sender_waits_loses_no_frame():
    class Slow(SquareDetector):
        def detect(self, image):
            time.sleep(0.005)
            return super().detect(image)

    results = pipeline_of(Slow(), tasks=()).run(Squares(50, live=True, waits=True))
    assert [r.frame.index for r in results] == list(range(50))


class Broken(SquareDetector):
    def detect(self, image):
        raise RuntimeError("the network broke")


class BrokenOverlay(Overlay):
    def draw(self, image, result):
        raise RuntimeError("the drawing broke")


@pytest.mark.parametrize(
    ("runner", "overlay", "sink", "message"),
    [
        (pipeline_of(Broken(), tasks=()), Overlay(), Pictures(), "the network broke"),
        (pipeline(tasks=()), BrokenOverlay(), Pictures(), "the drawing broke"),
        (pipeline(tasks=()), Overlay(), Pictures(fails_at=0), "the disk is full"),
        (pipeline(tasks=()), Overlay(), Pictures(fails_at=150), "the disk is full"),
    ],
)
def test_whatever_breaks_ends_the_run_with_its_cause(runner, overlay, sink, message):
    source = Squares(200)
    with pytest.raises((RuntimeError, SepcamError), match=message):
        list(runner.run(source, overlay=overlay, recorder=FanOut([sink])))
    assert source.closed


def test_a_source_that_breaks_ends_the_run_with_its_cause():
    class Unplugged(Squares):
        def __iter__(self) -> Iterator[Frame]:
            yield from super().__iter__()
            raise SepcamError("the camera is gone")

    source = Unplugged(5)
    with pytest.raises(SepcamError, match="the camera is gone"):
        list(pipeline().run(source))
    assert source.closed


def test_stopping_early_ends_everything():
    source = Squares(100_000)
    for result in pipeline().run(source):
        if result.frame.index == 3:
            break
    del result
    gc.collect()
    assert source.closed


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tasks": ("track", "dance")}, "dance"),
        ({"conf": 1.5}, "conf"),
        ({"conf": float("nan")}, "conf"),
        ({"max_people": 0}, "max-people"),
        ({"classes": ("persn",)}, "did you mean person"),
    ],
)
def test_what_cannot_be_is_told_when_the_pipeline_is_made(settings, message):
    with pytest.raises(SepcamError, match=message):
        pipeline(**settings)


@pytest.mark.parametrize(("detector", "pose"), [("yolo-mega", "blazepose-full"), ("blazepose-full", "x")])
def test_unknown_networks_are_told_when_the_pipeline_is_made(detector, pose):
    with pytest.raises(SepcamError, match="choose from"):
        Pipeline(AnalysisOptions(detector, pose))


def test_networks_are_loaded_by_name_and_find_people():
    from sepcam.assets import demo_clip

    runner = Pipeline(AnalysisOptions("ssdlite-person", "blazepose-full", detect_every=1))
    assert (runner.model.detector, runner.model.pose) == ("ssdlite-person", "blazepose-full")
    last = list(runner.run(open_source(demo_clip(), start_s=0.6, limit=6)))[-1].instances
    assert last.people.all()
    assert 1 in last.track_ids
    nearest = int(np.argmax(last.boxes[:, 3]))
    x1, y1, x2, y2 = last.boxes[nearest]
    nose = last.keypoints[nearest, 0]
    assert x1 < nose[0] < x2
    assert y1 < nose[1] < (y1 + y2) / 2
    assert last.masks[nearest].area > 0.2 * (x2 - x1) * (y2 - y1)


class Clean(Pictures):
    """Also needs the image as it came from the source."""

    needs_clean_image = True

    def __init__(self):
        super().__init__()
        self.clean: list[np.ndarray] = []

    def write(self, result, image=None):
        super().write(result, image)
        self.clean.append(result.frame.image)


def test_a_sink_that_needs_the_clean_image_gets_it_beside_the_drawing():
    plain, clean = Pictures(), Clean()
    for sink in (plain, clean):
        results = pipeline(tasks=()).run(Squares(5), overlay=Overlay(), recorder=FanOut([sink]))
        for result, original in zip(results, Squares(5), strict=True):
            assert (result.frame.image == original.image).all() == (sink is clean)
    assert all((drawn != original).any() for drawn, original in zip(clean.pictures, clean.clean, strict=True))
    assert all((a == b).all() for a, b in zip(clean.pictures, plain.pictures, strict=True))


def test_results_name_the_networks_that_they_were_made_with():
    *_, last = pipeline(tasks=("track", "pose")).run(Squares(3))
    assert (last.model.detector, last.model.pose) == ("squares", "centers")
    assert last.model.labels == tuple(SquareDetector.labels)
    assert len(last.model.keypoint_names) == last.instances.keypoints.shape[1]


def test_results_name_the_networks_that_analyzed_each_source(tmp_path):
    """Photographs get another network than video where the detector is ``auto``."""
    image = tmp_path / "square.png"
    cv2.imwrite(str(image), square_picture(0))
    pipeline = Pipeline(AnalysisOptions(tasks=("pose",), input_size=64))
    lines = []
    for source in (open_source(image), open_source("synthetic:64x48x1")):
        path = tmp_path / f"{source.info.name}.jsonl"
        record(source, Target(source.info.name, {"jsonl": path}), pipeline, no_progress)
        lines.append([json.loads(line) for line in path.read_text().splitlines()])
    assert [[line["type"] for line in one] for one in lines] == 2 * [["header", "frame", "summary"]]
    assert [one[0]["models"]["detector"] for one in lines] == ["people-photo", "people"]


class Copies(Pictures):
    """A sink that keeps what was found as JSON, and the bytes of each drawn picture."""

    def write(self, result, image=None):
        self.pictures.append((json.dumps(objects(result.instances)), image.tobytes()))


def test_stages_that_overlap_give_to_the_byte_what_one_frame_at_a_time_gives():
    pipeline = Pipeline(AnalysisOptions("people", input_size=160, runtime=RuntimeOptions(threads=1)))
    overlapping, one_by_one = Copies(), Copies()
    with open_source(demo_clip(), limit=24) as source:
        overlay = Overlay(pipeline.model.skeleton)
        list(pipeline.run(source, overlay=overlay, recorder=FanOut([overlapping])))
    with open_source(demo_clip(), limit=24) as source:
        analyzer, smoother = pipeline.analyzer(source.info), TwoSidedFilter("light")
        smoothed = []
        for frame in source:
            instances, _ = analyzer.analyze(frame)
            smoothed += smoother.push(FrameResult(frame, instances))
        for result in [*smoothed, *smoother.flush()]:
            overlay.draw(result.frame.image, result)
            one_by_one.write(result, result.frame.image)
    assert len(overlapping.pictures) == 24
    assert any("mask" in found for found, _ in overlapping.pictures)
    assert overlapping.pictures == one_by_one.pictures
