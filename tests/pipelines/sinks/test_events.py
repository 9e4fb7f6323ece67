"""Events are written as JSON Lines and as CSV, in the order of time."""

import csv
import json
import os

import numpy as np
import pytest
from sepcam.pipelines.analytics.options import WatchOptions
from sepcam.pipelines.analytics.zones import parse_zone
from sepcam.pipelines.process_file import record
from sepcam.pipelines.sinks.base import SinkContext
from sepcam.pipelines.sinks.outputs import Target
from sepcam.pipelines.sinks.registry import sink_kinds, with_companions
from sepcam.pipelines.sources.video import VideoSource
from sepcam.pipelines.types import Frame, FrameResult, Instances, RunSummary, StreamInfo

from tests.clips import write_clip
from tests.walkers import pipeline_of, square_picture


class Quiet:
    """A progress that shows nothing."""

    def __init__(self, title, total):
        pass

    def __enter__(self):
        return lambda done, note="": None

    def __exit__(self, *_):
        pass


def test_events_of_a_file_and_their_sums(tmp_path):
    clip = write_clip(tmp_path / "in.mp4", images=[square_picture(i) for i in range(40)])
    files = {"events": tmp_path / "in.events.jsonl", "events-csv": tmp_path / "in.events.csv"}
    zones = parse_zone("Mid, dle: 0.35,0,0.35,1", "line"), parse_zone("left: 0,0,0.35,0,0.35,1,0,1", "zone")
    outcome = record(
        VideoSource(str(clip)), Target(str(clip), files), pipeline_of(), Quiet, watching=WatchOptions(zones)
    )
    assert with_companions(["events"]) == ("events", "events-csv", "summary")
    header, *events, summary = map(json.loads, files["events"].read_text().splitlines())
    assert (header["format"], header["version"]) == ("sepcam-events", 1)
    assert header["zones"][0] == {"kind": "line", "name": "Mid, dle", "points": [[33.6, 0], [33.6, 64]]}
    assert [event["frame"] for event in events] == sorted(event["frame"] for event in events)
    kinds = [(event["kind"], event.get("direction")) for event in events]
    assert kinds == [("enter", None), ("zone", "in"), ("zone", "out"), ("line", "in"), ("leave", None)]
    assert summary["lines"][0]["in"] == 1 and summary["zones"][0]["visits"] == 1
    assert summary["frames"] == outcome.summary.frames == 40
    with open(files["events-csv"], newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [{k: str(v) for k, v in event.items() if k != "type"} for event in events] == [
        {k: v for k, v in row.items() if v} for row in rows
    ]


@pytest.mark.parametrize("kind", [name for name in sink_kinds() if name != "video"])
def test_names_that_are_not_utf8_are_written_with_question_marks(kind, tmp_path):
    name = os.fsdecode(b"caf\xe9.mp4")
    header = {"labels": ["person"], "keypoint_names": [], "skeleton": []}
    info = StreamInfo(name, 30, 20, 10)
    sink = sink_kinds()[kind].open(tmp_path / "out", SinkContext(name, info, header))
    nobody = Instances((20, 30), np.zeros((1, 4), "f4"), np.ones(1, "f4"), np.zeros(1, "i8"), ("person",))
    named = os.fsdecode(b"caf\xe9 1.jpg") if "images" in sink_kinds()[kind].source_types else ""
    frame = Frame(np.zeros((20, 30, 3), np.uint8), 0, 0.0, named)
    sink.write(FrameResult(frame, nobody), frame.image)
    sink.close(RunSummary(1, 1, 1.0, 1.0, {}, warnings=(f"{name} is bad",)))
    assert (tmp_path / "out").exists()
