"""Recordings that are still being written, and files that change while they are read."""

import threading
import time

import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.sources.synthetic import read_index
from sepcam.pipelines.sources.video import VideoSource

from tests.clips import write_clip

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov", "frag_duration": "200000"}


def recording(path, **options):
    """A clip and what is written of it later."""
    write_clip(path, frames=40, options={"g": "5", "bf": "0"}, audio="aac", **options)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return data[len(data) // 2 :]


def grow(path, data):
    with path.open("ab") as file:
        for start in range(0, len(data), 4096):
            time.sleep(0.05)
            file.write(data[start : start + 4096])
            file.flush()


@pytest.mark.parametrize(("suffix", "options"), [("ts", {}), ("mkv", {}), ("flv", {}), ("mp4", FRAGMENTED)])
def test_a_recording_is_followed_to_its_end(tmp_path, suffix, options):
    path = tmp_path / f"a.{suffix}"
    rest = recording(path, container_options=options)
    writer = threading.Thread(target=grow, args=(path, rest))
    writer.start()
    with VideoSource(path, follow_s=0.5) as source:
        frames = list(source)
    writer.join()
    assert [read_index(frame.image) for frame in frames] == list(range(40))
    assert source.warnings == ["it did not grow for 0.5 s: taken as finished"]


def test_a_recording_that_can_only_be_read_when_it_is_finished_says_so(tmp_path):
    path = tmp_path / "a.mp4"
    recording(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(SepcamError, match=r"cannot be read while it is being written .* fragmented MP4"):
        VideoSource(path, follow_s=0.2)


def test_following_ends_when_the_source_is_closed(tmp_path):
    path = tmp_path / "a.mkv"
    recording(path)
    source = VideoSource(path, follow_s=10)
    threading.Timer(0.5, source.close).start()
    assert 0 < len(list(source)) < 40


def test_a_file_that_grows_while_it_is_read_is_named(tmp_path):
    path = tmp_path / "a.ts"
    rest = recording(path)
    with VideoSource(path) as source:
        for frame in source:
            if frame.index == 3:
                grow(path, rest[:4096])
    assert any("the file changed while it was read" in line for line in source.warnings)
