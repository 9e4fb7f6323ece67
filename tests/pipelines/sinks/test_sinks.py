"""What is written plays and loads elsewhere, says the same as the source, and is never half there."""

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.models.ops.coco import keypoint_order
from sepcam.models.pose.blazepose import KEYPOINTS
from sepcam.pipelines.annotations.coco import read_coco
from sepcam.pipelines.media.encoding import HARDWARE, encoders_of, working_encoder
from sepcam.pipelines.sinks.base import Sink
from sepcam.pipelines.sinks.formats.coco import CocoSink
from sepcam.pipelines.sinks.formats.csv_table import CsvSink
from sepcam.pipelines.sinks.formats.jsonl import JsonlSink
from sepcam.pipelines.sinks.formats.mot import MotSink
from sepcam.pipelines.sinks.formats.parquet import ParquetSink
from sepcam.pipelines.sinks.formats.video import VideoSink
from sepcam.pipelines.sinks.serialize import network_facts
from sepcam.pipelines.sources.open import open_source
from sepcam.pipelines.sources.synthetic import read_index
from sepcam.pipelines.types import (
    Frame,
    FrameResult,
    Instances,
    MaskCrop,
    ModelInfo,
    RunSummary,
    StreamInfo,
)

from tests.clips import audio_samples, cut, picture, turn, write_clip
from tests.servers import files_in, served

SUMMARY = RunSummary(frames=2, people=1, seconds=0.5, fps=4.0, stage_ms={"detect": 3.14159})
INTERRUPTED = RunSummary(frames=2, people=1, seconds=0.5, fps=4.0, stage_ms={}, complete=False)
NAMES = ["person", "bicycle", "car"]
COCO_ORDER = keypoint_order(KEYPOINTS)
assert COCO_ORDER is not None


def nothing(size=(64, 96)):
    return Instances(
        size, np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), NAMES
    )


def still(index=0, time_s=0.0, image=None, found=None, name=""):
    image = picture(index) if image is None else image
    return FrameResult(
        Frame(image, index, time_s, name), nothing(image.shape[:2]) if found is None else found
    )


def two_objects():
    keypoints = np.zeros((2, 33, 3), np.float32)
    keypoints[0, :, 0] = np.arange(33) + 0.123
    keypoints[0, :, 1] = 50
    keypoints[0, :, 2] = 0.98765
    return Instances(
        size=(64, 96),
        boxes=np.array([[10.118, 5, 30, 45], [50, 20, 70.5, 40]], np.float32),
        scores=np.array([0.912345, 0.5], np.float32),
        labels=np.array([0, 2]),
        names=NAMES,
        track_ids=np.array([4, 9]),
        keypoints=keypoints,
        presence=np.array([0.99, 0], np.float32),
        masks=[MaskCrop(np.ones((30, 12), np.uint8), 12, 8), None],
        coasted=np.array([False, True]),
    )


def copy_video(source_path, target, *, summary=SUMMARY, **options):
    """Read a clip and write it again; gives the source's frames, the result's, and the sink's notices."""
    with open_source(source_path, **options) as source:
        sink = VideoSink(target, source.info, source_path if source.info.has_audio else None)
        frames = []
        for frame in source:
            sink.write(FrameResult(frame, nothing(frame.image.shape[:2])))
            frames.append(frame)
        sink.close(summary)
    return frames, read(target), sink.notices


def read(path):
    with open_source(path) as source:
        return list(source)


def times(frames):
    return [frame.time_s for frame in frames]


class TestVideo:
    def test_it_is_what_browsers_play(self, tmp_path):
        copy_video(write_clip(tmp_path / "a.mp4"), tmp_path / "out.mp4")
        data = (tmp_path / "out.mp4").read_bytes()
        assert data.index(b"moov") < data.index(b"mdat")
        with av.open(str(tmp_path / "out.mp4")) as container:
            video = container.streams.video[0]
            assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")

    @pytest.mark.parametrize("fps", [Fraction(30000, 1001), Fraction(25), Fraction(1, 2)])
    def test_every_frame_at_its_time(self, tmp_path, fps):
        before, after, _ = copy_video(write_clip(tmp_path / "a.mp4", fps=fps), tmp_path / "out.mp4")
        assert [read_index(frame.image) for frame in after] == list(range(12))
        assert times(after) == times(before)
        with open_source(tmp_path / "out.mp4") as source:
            assert source.info.fps == pytest.approx(float(fps))

    def test_a_variable_rate_stays_variable(self, tmp_path):
        ticks = [0, 40, 50, 300, 1000, 1001, 1700, 1740]
        path = write_clip(tmp_path / "a.mkv", frames=8, ticks=ticks, time_base=Fraction(1, 1000))
        before, after, _ = copy_video(path, tmp_path / "out.mp4")
        assert times(after) == times(before) == pytest.approx([t / 1000 for t in ticks])

    def test_it_lasts_as_long_as_the_source(self, tmp_path):
        copy_video(write_clip(tmp_path / "a.mp4", frames=12), tmp_path / "out.mp4")
        with av.open(str(tmp_path / "out.mp4")) as container:
            stream = container.streams.video[0]
            assert float(stream.duration * stream.time_base) == pytest.approx(1.2)

    def test_equal_times_are_put_one_after_the_other(self, tmp_path):
        sink = VideoSink(tmp_path / "out.mp4", StreamInfo("x", 96, 64, 10, time_base=Fraction(1, 10)))
        for i in range(4):
            sink.write(still(i, 0.0))
        sink.close(SUMMARY)
        assert times(read(tmp_path / "out.mp4")) == pytest.approx([0, 0.1, 0.2, 0.3])

    def test_a_live_source_begins_at_0(self, tmp_path):
        sink = VideoSink(tmp_path / "out.mp4", StreamInfo("camera", 96, 64, 30, live=True))
        for i, time_s in enumerate([5000.25, 5000.30, 5000.45]):
            sink.write(still(i, time_s))
        sink.close(SUMMARY)
        assert times(read(tmp_path / "out.mp4")) == pytest.approx([0, 0.05, 0.2], abs=1e-4)

    def test_the_annotated_picture_is_what_is_seen(self, tmp_path):
        sink = VideoSink(tmp_path / "out.mp4", StreamInfo("x", 96, 64, 10))
        sink.write(still(0), picture(77))
        sink.close(SUMMARY)
        assert read_index(read(tmp_path / "out.mp4")[0].image) == 77

    @pytest.mark.parametrize("height", [64, 720])
    def test_colors_do_not_shift(self, tmp_path, height):
        colors = [
            (0, 0, 255),
            (0, 255, 0),
            (255, 0, 0),
            (255, 255, 255),
            (0, 0, 0),
            (128,) * 3,
            (30, 200, 90),
        ]
        sink = VideoSink(tmp_path / "out.mp4", StreamInfo("x", 96, height, 10))
        for i, color in enumerate(colors):
            sink.write(still(i, i / 10, np.full((height, 96, 3), color, np.uint8)))
        sink.close(SUMMARY)
        for frame, color in zip(read(tmp_path / "out.mp4"), colors, strict=True):
            assert np.abs(frame.image.astype(int) - color).max() <= 4

    def test_odd_sizes_get_a_doubled_last_column_and_row(self, tmp_path):
        image = np.full((49, 67, 3), 60, np.uint8)
        image[:, -1] = image[-1] = 200
        sink = VideoSink(tmp_path / "out.mp4", StreamInfo("x", 67, 49, 10))
        sink.write(still(0, 0.0, image))
        sink.close(SUMMARY)
        shown = read(tmp_path / "out.mp4")[0].image
        assert shown.shape == (50, 68, 3)
        assert np.abs(shown[:49, :67].astype(int) - image).mean() < 5
        assert shown[48:, 20].mean() > 180
        assert shown[20, 66:].mean() > 180

    @pytest.mark.parametrize("size", [(48, 96), (192, 128), (33, 200), (1, 1)])
    def test_a_frame_of_another_size_is_fitted_in(self, tmp_path, size):
        sink = VideoSink(tmp_path / "out.mp4", StreamInfo("x", 96, 64, 10))
        sink.write(still(0, 0.0))
        sink.write(still(1, 0.1, np.full((size[1], size[0], 3), 180, np.uint8)))
        sink.close(SUMMARY)
        shown = read(tmp_path / "out.mp4")[1].image
        assert shown.shape == (64, 96, 3)
        assert shown[32, 48].tolist() == pytest.approx([180] * 3, abs=8)

    def test_turned_and_anamorphic_pictures_keep_their_shape(self, tmp_path):
        path = turn(write_clip(tmp_path / "a.mp4", pixel_aspect=Fraction(4, 3)), (0, 1, -1, 0))
        copy_video(path, tmp_path / "out.mp4")
        with open_source(tmp_path / "out.mp4") as source:
            info = source.info
        assert (info.width, info.height, info.pixel_aspect, info.rotation) == (64, 128, Fraction(1), 0)

    def test_a_part_begins_at_0(self, tmp_path):
        path = write_clip(tmp_path / "a.mp4", frames=60, audio="aac", options={"g": "10"})
        _, after, _ = copy_video(path, tmp_path / "out.mp4", start_s=3.0, limit=10)
        assert [read_index(frame.image) for frame in after] == list(range(30, 40))
        assert times(after) == pytest.approx([i / 10 for i in range(10)])
        _, samples, start = audio_samples(tmp_path / "out.mp4")
        assert samples / 48_000 == pytest.approx(1.0, abs=0.06)
        assert start == pytest.approx(0, abs=0.03)

    def test_the_second_best_encoder_is_said_in_one_line(self, tmp_path):
        info = StreamInfo("x", 96, 64, 10)
        sink = VideoSink(tmp_path / "out.mp4", info, encoders=("no_such_encoder", "mpeg4"))
        sink.write(still())
        sink.close(SUMMARY)
        (line,) = sink.notices
        assert line.endswith("does not work here: encoded with mpeg4, which browsers do not play")
        assert len(read(tmp_path / "out.mp4")) == 1

    def test_no_encoder_at_all(self, tmp_path):
        info = StreamInfo("x", 96, 64, 10)
        with pytest.raises(SepcamError, match="the encoder no_such_encoder does not work here: use"):
            VideoSink(tmp_path / "out.mp4", info, encoders=("no_such_encoder",))
        with pytest.raises(SepcamError, match="no encoder for 96x64 video works here"):
            VideoSink(tmp_path / "out.mp4", info, encoders=("no_such_encoder", "nor_such"))
        assert list(tmp_path.iterdir()) == []

    def test_hardware_is_used_where_it_encodes_a_few_images_and_else_x264(self, tmp_path):
        works = []
        for name in HARDWARE:
            try:
                works.append(working_encoder((640, 360), (name,)))
            except SepcamError as error:
                short = name.removeprefix("h264_")
                assert str(error) == f"the encoder {short} does not work here: use --encoder auto"
        sink = VideoSink(
            tmp_path / "out.mp4", StreamInfo("x", 640, 360, 10), encoders=encoders_of("hardware")
        )
        sink.write(still())
        sink.close(SUMMARY)
        assert sink.notices == ([] if works else ["no hardware encoder works here: encoded with libx264"])
        assert len(read(tmp_path / "out.mp4")) == 1

    def test_a_size_that_an_encoder_does_not_take_is_named(self):
        with pytest.raises(SepcamError, match="the encoder x264 does not work here for 40000x2 video"):
            working_encoder((40_000, 2), ("libx264",))

    def test_x264_is_the_default_and_can_be_named(self):
        assert encoders_of("auto")[0] == "libx264"
        assert working_encoder((96, 64), encoders_of("x264")) == "libx264"


class TestSound:
    @pytest.mark.parametrize(
        ("suffix", "encoder", "rate"),
        [
            ("mp4", "aac", 48_000),
            ("mkv", "libmp3lame", 44_100),
            ("mkv", "flac", 48_000),
            ("mkv", "libopus", 48_000),
        ],
    )
    def test_it_is_copied_where_mp4_holds_it(self, tmp_path, suffix, encoder, rate):
        path = write_clip(tmp_path / f"a.{suffix}", audio=encoder, audio_rate=rate)
        _, _, notices = copy_video(path, tmp_path / "out.mp4")
        assert notices == []
        assert packets(tmp_path / "out.mp4") == packets(path)
        assert audio_samples(tmp_path / "out.mp4")[0] == audio_samples(path)[0]

    def test_sound_of_a_broadcast_is_copied(self, tmp_path):
        path = write_clip(tmp_path / "a.ts", frames=30, audio="aac")
        before, after, notices = copy_video(path, tmp_path / "out.mp4")
        assert notices == []
        assert times(after) == pytest.approx(times(before), abs=1e-6)
        assert audio_samples(tmp_path / "out.mp4")[1] == pytest.approx(3 * 48_000, abs=3000)

    @pytest.mark.parametrize(
        ("suffix", "encoder", "rate"),
        [("avi", "pcm_s16le", 48_000), ("avi", "pcm_s16le", 7350), ("avi", "mp2", 44_100)],
    )
    def test_else_it_is_encoded_anew(self, tmp_path, suffix, encoder, rate):
        path = write_clip(tmp_path / f"a.{suffix}", frames=20, codec="mpeg4", audio=encoder, audio_rate=rate)
        _, after, notices = copy_video(path, tmp_path / "out.mp4")
        assert len(after) == 20
        assert ["AAC" in line for line in notices] == [True]
        codec, samples, start = audio_samples(tmp_path / "out.mp4")
        assert codec == "aac"
        assert samples / (rate if rate > 8000 else 48_000) == pytest.approx(2.0, abs=0.06)
        assert start == pytest.approx(0, abs=0.03)

    def test_sound_of_a_file_behind_an_address(self, tmp_path):
        write_clip(tmp_path / "a.mp4", frames=20, audio="aac")
        with served(files_in(tmp_path)) as address:
            copy_video(f"{address}/a.mp4", tmp_path / "out.mp4")
        assert packets(tmp_path / "out.mp4") == packets(tmp_path / "a.mp4")

    def test_it_lies_beside_the_pictures(self, tmp_path):
        path = write_clip(tmp_path / "a.mp4", frames=100, audio="aac")
        copy_video(path, tmp_path / "out.mp4")
        with av.open(str(tmp_path / "out.mp4")) as container:
            order = [p.stream.type for p in container.demux() if p.pts is not None]
        first_half = order[: len(order) // 2]
        assert first_half.count("audio") == pytest.approx(order.count("audio") / 2, rel=0.35)

    def test_an_interrupted_run_keeps_the_sound_so_far(self, tmp_path):
        path = write_clip(tmp_path / "a.mp4", frames=50, audio="aac")
        with open_source(path) as source:
            sink = VideoSink(tmp_path / "out.mp4", source.info, path)
            for frame in source:
                if frame.index == 10:
                    break
                sink.write(FrameResult(frame, nothing()))
            sink.close(INTERRUPTED)
        assert len(read(tmp_path / "out.mp4")) == 10
        assert audio_samples(tmp_path / "out.mp4")[1] / 48_000 == pytest.approx(1.0, abs=0.06)

    def test_a_cut_file_keeps_the_sound_that_is_there(self, tmp_path):
        options = {"movflags": "faststart"}
        path = write_clip(tmp_path / "a.mp4", frames=150, audio="aac", container_options=options)
        before, after, _ = copy_video(cut(path, 0.5), tmp_path / "out.mp4")
        assert 20 < len(after) == len(before) < 150
        audio_samples(tmp_path / "out.mp4")


def packets(path):
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(container.streams.audio[0]) if p.size]


class TestJsonl:
    def test_a_header_the_frames_and_a_summary(self, tmp_path):
        info = StreamInfo("clip.mp4", 96, 64, 29.97, frame_count=2)
        sink = JsonlSink(tmp_path / "a.jsonl", info, {"backbone": "separable", "tasks": ["track", "pose"]})
        sink.write(still(0, 0.1 + 0.2, found=two_objects()))
        sink.write(still(1, 1 / 3))
        sink.close(SUMMARY)
        header, first, second, summary = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
        assert header == {
            "type": "header",
            "source": "clip.mp4",
            "width": 96,
            "height": 64,
            "fps": 29.97,
            "frame_count": 2,
            "rotation": 0,
            "pixel_aspect": 1.0,
            "backbone": "separable",
            "tasks": ["track", "pose"],
        }
        assert (first["type"], first["frame"], first["time_s"]) == ("frame", 0, 0.3)
        person, car = first["objects"]
        assert (person["track_id"], person["label"], person["score"]) == (4, "person", 0.9123)
        assert person["box"] == [10.12, 5, 30, 45]
        assert person["keypoints"][1] == [1.12, 50, 0.9876]
        assert len(person["keypoints"]) == 33
        assert person["presence"] == 0.99
        assert person["mask"] == two_objects().masks[0].to_rle(64, 96)
        assert car == {
            "track_id": 9,
            "label": "car",
            "score": 0.5,
            "box": [50, 20, 70.5, 40],
            "detected": False,  # said only of what was lost
        }
        assert second == {"type": "frame", "frame": 1, "time_s": 0.333333, "objects": []}
        assert summary == {
            "type": "summary",
            "frames": 2,
            "people": 1,
            "seconds": 0.5,
            "fps": 4.0,
            "stage_ms": {"detect": 3.142},
            "warnings": [],
            "complete": True,
        }

    def test_what_was_not_asked_for_is_left_out(self, tmp_path):
        full = two_objects()
        bare = Instances(full.size, full.boxes, full.scores, full.labels, full.names)
        sink = JsonlSink(tmp_path / "a.jsonl", StreamInfo("x", 96, 64, None), {})
        sink.write(still(0, found=bare, name="bild ä.png"))
        sink.close(SUMMARY)
        line = json.loads((tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()[1])
        assert line["name"] == "bild ä.png"
        assert set(line["objects"][0]) == {"label", "score", "box"}

    def test_networks_that_were_switched_are_named_once(self, tmp_path):
        first, other = (
            ModelInfo("people", labels=("person",)),
            ModelInfo("yolox-nano", labels=("person", "dog")),
        )
        sink = JsonlSink(tmp_path / "a.jsonl", StreamInfo("x", 96, 64, None), network_facts(first))
        for index, model in enumerate((first, first, other, other)):
            sink.write(replace(still(index), model=model))
        sink.close(SUMMARY)
        lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
        assert [line["type"] for line in lines] == [
            "header",
            *["frame"] * 2,
            "networks",
            *["frame"] * 2,
            "summary",
        ]
        assert lines[3] == {"type": "networks", "frame": 2, **network_facts(other)}


class TestMot:
    def test_everything_counts_from_1(self, tmp_path):
        sink = MotSink(tmp_path / "a.mot.txt")
        sink.write(still(0))
        sink.write(still(1, found=two_objects()))
        sink.close(SUMMARY)
        assert (tmp_path / "a.mot.txt").read_text().splitlines() == [
            "2,4,11.12,6.00,19.88,40.00,0.9123,-1,-1,-1",
            "2,9,51.00,21.00,20.50,20.00,0.5000,-1,-1,-1",
        ]

    def test_without_tracks_ids_are_unknown(self, tmp_path):
        full = two_objects()
        sink = MotSink(tmp_path / "a.mot.txt")
        sink.write(still(found=Instances(full.size, full.boxes, full.scores, full.labels, full.names)))
        sink.close(SUMMARY)
        assert all(line.split(",")[1] == "-1" for line in (tmp_path / "a.mot.txt").read_text().splitlines())


class TestCoco:
    def annotations(self, tmp_path, **more):
        image = {"id": 42, "file_name": "val/street.png", "height": 64, "width": 96}
        categories = [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}]
        path = tmp_path / "annotations.json"
        path.write_text(json.dumps({"images": [image], "annotations": [], "categories": categories, **more}))
        return path

    def test_its_own_tools_load_and_score_it(self, tmp_path):
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        found = two_objects()
        keypoints = found.keypoints[0][list(COCO_ORDER)].copy()
        keypoints[:, 2] = 2
        truth = {
            "id": 1,
            "image_id": 42,
            "category_id": 1,
            "bbox": [10.12, 5, 19.88, 40],
            "area": 360,
            "iscrowd": 0,
            "segmentation": found.masks[0].to_rle(64, 96),
            "num_keypoints": 17,
            "keypoints": keypoints.reshape(-1).astype(float).tolist(),
        }
        annotations = self.annotations(tmp_path, annotations=[truth], info={})
        sink = CocoSink(tmp_path / "coco_results.json", read_coco(annotations), keypoint_order=COCO_ORDER)
        sink.write(still(found=found, name="street.png"))
        sink.close(SUMMARY)
        coco = COCO(str(annotations))
        results = coco.loadRes(str(tmp_path / "coco_results.json"))
        for kind in ("bbox", "segm", "keypoints"):
            evaluation = COCOeval(coco, results, kind)
            evaluation.params.catIds = [1]
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
            assert evaluation.stats[0] == pytest.approx(1.0), kind

    def test_an_entry(self, tmp_path):
        sink = CocoSink(tmp_path / "r.json", keypoint_order=COCO_ORDER)
        sink.write(still(found=two_objects(), name="COCO_val2014_000000000042.jpg"))
        sink.close(SUMMARY)
        person, car = json.loads((tmp_path / "r.json").read_text())
        assert (person["image_id"], person["category_id"]) == (42, 1)
        assert person["bbox"] == [10.12, 5, 19.88, 40]
        assert person["keypoints"][:3] == [0.12, 50, 0.9876]
        assert person["keypoints"][3:5] == [2.12, 50]
        assert len(person["keypoints"]) == 51
        assert car == {"image_id": 42, "category_id": 3, "bbox": [50, 20, 20.5, 20], "score": 0.5}

    def test_nothing_found_is_an_empty_list(self, tmp_path):
        sink = CocoSink(tmp_path / "r.json")
        sink.write(still(name="1.png"))
        sink.close(SUMMARY)
        assert json.loads((tmp_path / "r.json").read_text()) == []

    @pytest.mark.parametrize(
        ("names", "words"),
        [(["street.png"], "has no number"), (["cam1_7.png", "cam2_7.png"], "are both COCO image 7")],
    )
    def test_ids_that_cannot_be_told(self, tmp_path, names, words):
        sink = CocoSink(tmp_path / "r.json")
        with pytest.raises(SepcamError, match=words):
            for name in names:
                sink.write(still(name=name))
        sink.abort()
        assert list(tmp_path.iterdir()) == []

    def test_bad_annotations(self, tmp_path):
        sink = CocoSink(tmp_path / "r.json", read_coco(self.annotations(tmp_path)))
        with pytest.raises(SepcamError, match=r"has no image called other\.png"):
            sink.write(still(name="other.png"))
        sink.abort()
        (tmp_path / "bad.json").write_text("{}")
        for path, words in (("bad.json", "is not a COCO annotations file"), ("none.json", "cannot be read")):
            with pytest.raises(SepcamError, match=words):
                read_coco(tmp_path / path)


INFO = StreamInfo("x", 96, 64, 10)
SINKS = {
    "video": lambda path, **options: VideoSink(path.with_suffix(".mp4"), INFO, **options),
    "jsonl": lambda path, **options: JsonlSink(path.with_suffix(".jsonl"), INFO, {}, **options),
    "csv": lambda path, **options: CsvSink(path.with_suffix(".csv"), **options),
    "mot": lambda path, **options: MotSink(path.with_suffix(".txt"), **options),
    "coco": lambda path, **options: CocoSink(path.with_suffix(".json"), **options),
    "parquet": lambda path, **options: ParquetSink(path.with_suffix(".parquet"), INFO, {}, **options),
}


@pytest.mark.parametrize("make", SINKS.values(), ids=SINKS)
class TestFiles:
    def test_the_name_appears_with_the_finished_file(self, tmp_path, make):
        sink = make(tmp_path / "new" / "out")
        assert isinstance(sink, Sink)
        sink.write(still(name="1.png"), picture(0))
        assert all(path.name.startswith(".out.partial-") for path in (tmp_path / "new").iterdir())
        sink.close(SUMMARY)
        assert [path.stem for path in (tmp_path / "new").iterdir()] == ["out"]
        sink.abort()
        assert [path.stem for path in (tmp_path / "new").iterdir()] == ["out"]

    def test_abort_leaves_nothing(self, tmp_path, make):
        sink = make(tmp_path / "out")
        sink.write(still(name="1.png"), picture(0))
        sink.abort()
        sink.abort()
        assert list(tmp_path.iterdir()) == []

    def test_an_existing_file_is_refused_or_replaced_on_demand(self, tmp_path, make):
        sink = make(tmp_path / "out")
        sink.write(still(name="1.png"))
        sink.close(SUMMARY)
        (made,) = tmp_path.iterdir()
        made.write_bytes(b"dear to somebody")
        with pytest.raises(SepcamError, match=r"exists already.*--overwrite"):
            make(tmp_path / "out")
        assert made.read_bytes() == b"dear to somebody"
        sink = make(tmp_path / "out", overwrite=True)
        sink.write(still(name="1.png"))
        assert made.read_bytes() == b"dear to somebody"
        sink.close(SUMMARY)
        assert made.read_bytes() != b"dear to somebody"
        assert list(tmp_path.iterdir()) == [made]

    def test_what_another_program_wrote_meanwhile_is_kept(self, tmp_path, make):
        sink = make(tmp_path / "out")
        sink.write(still(name="1.png"))
        (hidden,) = tmp_path.iterdir()
        target = tmp_path / f"out{hidden.suffix}"
        target.write_bytes(b"from elsewhere")
        with pytest.raises(SepcamError, match="exists already"):
            sink.close(SUMMARY)
        assert target.read_bytes() == b"from elsewhere"
        assert list(tmp_path.iterdir()) == [target]

    def test_a_folder_that_cannot_be_written_to(self, tmp_path, make):
        (tmp_path / "file").write_text("not a folder")
        with pytest.raises(SepcamError, match="cannot write to the folder"):
            make(tmp_path / "file" / "out")


def test_a_video_without_frames_leaves_nothing(tmp_path):
    VideoSink(tmp_path / "out.mp4", INFO).close(INTERRUPTED)
    assert list(tmp_path.iterdir()) == []


FULL_DISK = """
    import resource, sys
    from pathlib import Path
    import numpy as np
    from tests.pipelines.sinks.test_sinks import SINKS, SUMMARY, still, two_objects
    from sepcam.models.errors import SepcamError

    kind, folder = sys.argv[1], Path(sys.argv[2])
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (64, 96, 3), np.uint8) for _ in range(30)]

    def write(folder):
        sink = SINKS[kind](folder / "out")
        try:
            for i, image in enumerate(images):
                sink.write(still(i, i / 10, image, two_objects(), f"{i}.png"), image)
            sink.close(SUMMARY)
        except SepcamError as error:
            sink.abort()
            print(error)

    write(folder / "whole")
    (whole,) = (folder / "whole").iterdir()
    size = whole.stat().st_size
    for share in (0, 0.2, 0.5, 0.8, 0.97, 0.999):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(size * share), resource.RLIM_INFINITY))
        write(folder / "full")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files as only Unix can")
@pytest.mark.parametrize("kind", SINKS)
def test_a_full_disk_gives_one_line_and_no_file(tmp_path, kind):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL_DISK), kind, str(tmp_path)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 6
    assert all("could not be written: it grew beyond the size allowed" in line for line in lines)
    assert list((tmp_path / "full").iterdir()) == []
