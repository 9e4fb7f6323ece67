"""`sepcam demo` shows the main job and both backbones, with real networks on a part of the bundled clip."""

import json
import sys
from functools import partial
from pathlib import Path

import cv2
import pytest
from sepcam.app import cli
from sepcam.app.commands import demo
from sepcam.app.terminal.images import contact_sheet
from sepcam.pipelines.sources.open import open_source

from tests.clips import write_clip


@pytest.fixture
def short_clip(tmp_path, monkeypatch):
    with open_source(demo.demo_clip(), start_s=0.6, limit=12) as source:
        images = [frame.image for frame in source]
        path = write_clip(tmp_path / "short.mp4", images=images, size=(source.info.width, source.info.height))
    monkeypatch.setattr(demo, "demo_clip", lambda: path)
    monkeypatch.setattr(demo, "COMPARED_FRAMES", 4)
    monkeypatch.chdir(tmp_path)


def test_the_demo_writes_its_files_and_compares_both_backbones(short_clip, tmp_path, monkeypatch, capsys):
    out = tmp_path / "sepcam-demo"
    assert demo_runs()
    said = capsys.readouterr()
    assert sorted(path.name for path in out.iterdir()) == ["demo.jsonl", "demo.mp4", "demo.png"]
    assert len((out / "demo.jsonl").read_text().splitlines()) == 14
    assert json.loads((out / "demo.jsonl").read_text().splitlines()[-1])["people"] >= 1
    assert cv2.imread(str(out / "demo.png")).shape[1] > 1000
    for word in ("FPS", "MACs", "separable", "standard", "Next: sepcam process", "and the same people"):
        assert word in " ".join(said.out.split())

    # A second run replaces what the first one wrote, and says how to make sepcam a command where it is none.
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert demo_runs()
    lines = capsys.readouterr().out.splitlines()
    (line,) = [line for line in lines if line.startswith("First, ")]
    assert line.endswith(f": source {Path(sys.prefix) / 'bin' / 'activate'}")
    assert "Next: sepcam process" in lines[lines.index(line) + 1]


def demo_runs() -> bool:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["demo", "--detector", "ssdlite-person"])
    return not stopped.value.code


def test_a_contact_sheet_shows_the_whole_video(tmp_path):
    write = partial(write_clip, tmp_path / "clip.mp4", size=(96, 64))
    sheet = contact_sheet(write(frames=30), columns=3, rows=2, width=96)
    assert sheet.shape == (2 * 72 + 8, 3 * 104 + 8, 3)
    assert contact_sheet(write(frames=1), columns=3, rows=2, width=96).shape[0] == 80
