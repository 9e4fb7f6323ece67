"""A kind of results is one module: the commands find it, and know what it is for."""

import importlib

import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.sinks.base import ResultName, SinkContext
from sepcam.pipelines.sinks.outputs import target
from sepcam.pipelines.sinks.registry import check_fits, names_for, open_sinks, sink_kinds
from sepcam.pipelines.types import RunSummary, StreamInfo

NEW = """
from sepcam.pipelines.files.text import TextFile
from sepcam.pipelines.sinks.base import Sink, SinkKind

class Counts(Sink):
    needs_clean_image = True

    def __init__(self, path):
        self._file = TextFile(path)

    def write(self, result, image=None):
        self._file.write(f"{len(result.instances)}\\n")

    def close(self, summary):
        self._file.close(f"{summary.frames} frames\\n")

    def abort(self):
        self._file.abort()

KIND = SinkKind(
    "counts",
    frozenset(("video", "live")),
    lambda name: name.path(".counts.txt"),
    lambda path, context: Counts(path),
    image="clean",
)
"""
INFO = StreamInfo("clip.mp4", 96, 64, 10)
SUMMARY = RunSummary(0, 0, 1.0, 0.0, {})


@pytest.fixture
def new_kind(tmp_path, monkeypatch):
    """The package with one more module."""
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "counts.py").write_text(NEW)
    package = importlib.import_module("sepcam.pipelines.sinks.formats")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    sink_kinds.cache_clear()
    yield
    sink_kinds.cache_clear()


def test_the_kinds_that_there_are():
    images = ("contact-sheet", "crops", "heatmap", "video")
    assert tuple(sink_kinds()) == (
        *images,
        *("coco", "csv", "events", "events-csv", "jsonl", "mot", "parquet", "summary", "yolo"),
    )
    assert names_for("images") == (
        "contact-sheet",
        "crops",
        "video",
        "coco",
        "csv",
        "jsonl",
        "parquet",
        "yolo",
    )
    counted = ("heatmap", "csv", "events", "events-csv", "jsonl", "mot", "parquet", "summary")
    assert names_for("live") == counted


def test_a_new_module_is_a_new_kind(new_kind, tmp_path):
    assert "counts" in names_for("video")
    assert "counts" in names_for("live")
    assert "counts" not in names_for("images")
    files = target("clip.mp4", ResultName(tmp_path / "out", "clip"), ("counts",)).files
    (sink,) = open_sinks(files, SinkContext("clip.mp4", INFO, {}))
    assert sink.needs_clean_image
    assert sink.notices == ()
    sink.close(SUMMARY)
    assert (tmp_path / "out" / "clip.counts.txt").read_text() == "0 frames\n"


@pytest.mark.parametrize(
    ("name", "source_type", "message"),
    [
        (
            "mot",
            "images",
            "trip: mot is for live sources and videos, not for images: leave it out of --save",
        ),
        (
            "events",
            "images",
            "trip: events is for live sources and videos, not for images: leave out --line, --zone and "
            "--save events",
        ),
        ("coco", "video", "trip: coco is for images, not for videos: leave it out of --save"),
    ],
)
def test_a_kind_that_does_not_fit_the_source_is_refused(name, source_type, message):
    with pytest.raises(SepcamError) as caught:
        check_fits("trip", ("jsonl", name), source_type)
    assert str(caught.value) == message


def test_a_sink_that_cannot_be_opened_leaves_nothing_of_the_others(tmp_path):
    files = {"jsonl": tmp_path / "a.jsonl", "mot": tmp_path / "a.mot.txt"}
    files["mot"].write_text("precious")
    with pytest.raises(SepcamError, match="exists already"):
        open_sinks(files, SinkContext("clip.mp4", INFO, {}))
    assert list(tmp_path.iterdir()) == [files["mot"]]
