"""What a user names is opened by the kind of sources that claims it; a kind is one module."""

import importlib

import cv2
import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.batch.files.inputs import find_inputs
from sepcam.pipelines.sources.open import open_source, source_kind, source_kinds

NEW = """
from sepcam.pipelines.sources.base import SourceKind
from sepcam.pipelines.sources.synthetic import SyntheticSource

KIND = SourceKind(
    "zebra",
    lambda spec: spec.startswith(("zebra:", "zebra://")),
    lambda spec, options: SyntheticSource("synthetic:64x48", limit=options.limit),
)
"""


@pytest.fixture
def new_kind(tmp_path, monkeypatch):
    """The package with one more module."""
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "zebra.py").write_text(NEW)
    package = importlib.import_module("sepcam.pipelines.sources")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    source_kinds.cache_clear()
    yield
    source_kinds.cache_clear()


@pytest.mark.parametrize("spec", ["zebra:1", "zebra://host/1"])
def test_a_new_module_is_a_new_kind(spec, new_kind):
    with open_source(spec, limit=2) as source:
        assert len(list(source)) == 2
    found = find_inputs([spec])
    assert [one.name for one in found.inputs] == [spec]


def test_without_the_module_the_name_means_nothing():
    with pytest.raises(SepcamError, match="zebra:1 does not exist"):
        open_source("zebra:1")


def test_each_name_belongs_to_one_kind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("a.png", np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "clip.mp4").write_bytes(b"")
    (tmp_path / "7").write_bytes(b"")
    names = {
        "0": "camera",
        "/dev/video3": "camera",
        "7": "video",
        "rtsp://host/a*b.png": "video",
        "clip.mp4": "video",
        "a.png": "images",
        ".": "images",
        "*.png": "images",
        "synthetic:96x64@5x2": "synthetic",
        "demo": "demo",
    }
    kinds = {name: source_kind(name) for name in names}
    assert {name: kind.name for name, kind in kinds.items() if kind} == names
    assert source_kind("gone.mp4") is None


@pytest.mark.parametrize("name", [f"{'a' * 300}.mp4", f"{'a' * 300}/1.png", f"{'a' * 300}*.png"])
def test_a_name_that_the_system_does_not_take_is_told_in_one_line(name):
    for look in (open_source, lambda name: find_inputs([name])):
        with pytest.raises(SepcamError, match=r"^a+.* cannot be opened: File name too long$"):
            look(name)


def test_numbered_images_as_ffmpeg_names_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in (1, 2, 10):
        cv2.imwrite(str(tmp_path / f"img_{number:04d}.png"), np.full((8, 8, 3), number, np.uint8))
    cv2.imwrite(str(tmp_path / "img_0001b.png"), np.zeros((8, 8, 3), np.uint8))
    with open_source("img_%04d.png") as source:
        assert [frame.name for frame in source] == ["img_0001.png", "img_0002.png", "img_0010.png"]
    (found,) = find_inputs(["img_%04d.png"]).inputs
    assert (found.stem, found.images) == ("img_", True)
    with pytest.raises(SepcamError, match="no image matches"):
        open_source("no_%d.png")
    # The number has more digits where four are not enough.
    cv2.imwrite(str(tmp_path / "img_10000.png"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "img_0001b.png").unlink()
    with open_source("img_%04d.png") as source:
        assert [frame.name for frame in source][2:] == ["img_0010.png", "img_10000.png"]
