"""Results as a table: the values of the records, null where there is nothing, a folder that reads as one."""

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from faster_coco_eval.core import mask as coco_mask
from sepcam.app import cli
from sepcam.assets import demo_clip
from sepcam.models.errors import SepcamError
from sepcam.pipelines.sinks.formats import parquet as parquet_sink
from sepcam.pipelines.sinks.formats.jsonl import JsonlSink
from sepcam.pipelines.sinks.formats.parquet import METADATA_KEY, ParquetSink, partition
from sepcam.pipelines.types import FrameResult, Instances, StreamInfo

from tests.pipelines.sinks.test_sinks import INFO, SUMMARY, nothing, still, two_objects


def bare() -> Instances:
    full = two_objects()
    return Instances(full.size, full.boxes, full.scores, full.labels, full.names)


def written(path: Path, *results: FrameResult, **settings) -> Path:
    sink = ParquetSink(path, INFO, {"tasks": ["track"]}, **settings)
    for result in results:
        sink.write(result)
    sink.close(SUMMARY)
    return path


def test_the_values_are_those_of_the_records(tmp_path):
    results = [
        still(0, 0.1 + 0.2, found=two_objects()),
        still(1, 1 / 3),
        still(2, 0.5, found=bare(), name="b.png"),
    ]
    path = written(tmp_path / "a.parquet", *results)
    records = JsonlSink(tmp_path / "a.jsonl", INFO, {})
    for result in results:
        records.write(result)
    records.close(SUMMARY)
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()[1:-1]]
    expected = [(line, one) for line in lines for one in line["objects"]]
    rows = pq.read_table(path).to_pylist()
    assert len(rows) == len(expected) == 4
    for row, (line, one) in zip(rows, expected, strict=True):
        assert (row["frame"], row["time_s"], row["image"]) == (
            line["frame"],
            line["time_s"],
            line.get("name"),
        )
        assert (row["label"], row["track_id"], row["mask"]) == (
            one["label"],
            one.get("track_id"),
            one.get("mask"),
        )
        numbers = [row[name] for name in ("x1", "y1", "x2", "y2", "score")]
        assert numbers == np.float32([*one["box"], one["score"]]).tolist()
        assert row["detected"] == one.get("detected", True)
        assert row["presence"] == (np.float32(one["presence"]) if "presence" in one else None)
        points = row["keypoints"] and [[p["x"], p["y"], p["score"]] for p in row["keypoints"]]
        assert points == (np.float32(one["keypoints"]).tolist() if "keypoints" in one else None)


def test_a_mask_is_what_the_tools_of_coco_decode(tmp_path):
    row = pq.read_table(written(tmp_path / "a.parquet", still(found=two_objects()))).to_pylist()[0]
    assert np.array_equal(coco_mask.decode(row["mask"]), two_objects().masks[0].to_full(64, 96))


def test_what_was_not_asked_for_is_null(tmp_path):
    table = pq.read_table(written(tmp_path / "a.parquet", still(found=bare())))
    for name in ("track_id", "presence", "keypoints", "mask", "image"):
        assert table[name].null_count == len(table) == 2


def test_nothing_found_is_an_empty_table_with_all_columns(tmp_path):
    table = pq.read_table(written(tmp_path / "a.parquet", still(0), still(1)))
    assert (len(table), table.schema.names) == (0, parquet_sink.schema().names)


def test_the_metadata_say_how_it_was_made(tmp_path):
    path = written(tmp_path / "a.parquet", still(found=two_objects()))
    about = json.loads(pq.read_metadata(path).metadata[METADATA_KEY.encode()])
    assert (about["header"]["source"], about["header"]["width"], about["header"]["tasks"]) == (
        "x",
        96,
        ["track"],
    )
    assert (about["summary"]["frames"], about["summary"]["complete"]) == (2, True)


def test_rows_go_to_the_disk_in_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_sink, "ROWS", 200)
    frames = 210
    sink = ParquetSink(tmp_path / "a.parquet", INFO, {})
    (hidden,) = tmp_path.iterdir()
    sizes = set()
    for i in range(frames):
        sink.write(still(i, i / 10, found=two_objects()))
        sizes.add(hidden.stat().st_size)
    sink.close(SUMMARY)
    groups = pq.read_metadata(tmp_path / "a.parquet").num_row_groups
    assert groups == 3
    assert len(sizes) > 1
    table = pq.read_table(tmp_path / "a.parquet")
    assert table["frame"].to_pylist() == [i for i in range(frames) for _ in range(2)]
    assert table["track_id"].to_pylist() == [4, 9] * frames


SOURCES = ("0001.mp4", "sub folder/Zürich=1.avi", "trip")


@pytest.fixture
def dataset(tmp_path) -> Path:
    for i, source in enumerate(SOURCES):
        found = two_objects() if i else bare()
        info = StreamInfo(source, 96, 64, 10)
        sink = ParquetSink(partition(tmp_path / "parquet", source), info, {})
        sink.write(still(i, found=found))
        sink.close(SUMMARY)
    sink = ParquetSink(partition(tmp_path / "parquet", "unfinished"), INFO, {})
    sink.write(still())
    yield tmp_path / "parquet"
    sink.abort()
    assert [path.name for path in tmp_path.iterdir()] == ["parquet"]


def test_a_folder_of_sources_reads_as_one_table_with_pyarrow(dataset):
    table = pq.read_table(dataset)
    assert {(row["source"], row["frame"], row["track_id"]) for row in table.to_pylist()} == {
        (SOURCES[0], 0, None),
        *((SOURCES[i], i, track) for i in (1, 2) for track in (4, 9)),
    }


def test_a_folder_of_sources_reads_as_one_table_with_polars(dataset):
    table = pl.scan_parquet(dataset).filter(pl.col("label") == "person").collect().sort("frame")
    assert table["source"].to_list() == list(SOURCES)
    assert table["track_id"].to_list() == [None, 4, 4]
    nose = table["keypoints"].list.get(0, null_on_oob=True).struct.field("y")
    assert nose.to_list() == [None, 50, 50]


def test_without_pyarrow_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SepcamError, match=r"Parquet needs pyarrow: pip install 'sepcam\[parquet\]'"):
        ParquetSink(tmp_path / "a.parquet", INFO, {})
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_says_so_before_anything_is_done(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SystemExit) as stopped:
        cli.main(["process", "synthetic:96x64x2", "-o", str(tmp_path / "out"), "--save", "parquet"])
    assert stopped.value.code == 2
    assert "pip install 'sepcam[parquet]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_command_line_writes_one_table_for_all_sources(tmp_path):
    words = ["--tasks", "track", "--detector", "ssdlite-person", "--frames", "6"]
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as stopped:
        cli.main(["process", str(demo_clip()), "-o", str(out), "--save", "jsonl,parquet", *words])
    assert not stopped.value.code
    table = pl.read_parquet(out / "objects.parquet")
    lines = [json.loads(line) for line in (out / "market-street.jsonl").read_text().splitlines()[1:-1]]
    expected = [(line["frame"], one["track_id"]) for line in lines for one in line["objects"]]
    assert expected
    assert list(zip(table["frame"], table["track_id"], strict=True)) == expected
    assert set(table["source"]) == {"market-street.mp4"}


def test_a_frame_without_people_still_has_no_row(tmp_path):
    path = written(tmp_path / "a.parquet", still(0, found=nothing()), still(1, found=two_objects()))
    assert pq.read_table(path)["frame"].to_pylist() == [1, 1]
