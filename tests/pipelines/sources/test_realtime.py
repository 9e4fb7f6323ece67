"""A file is played at its own pace: each frame when it is due, again from the beginning where it loops."""

import threading
import time
from fractions import Fraction

import cv2
import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.sources.open import open_source
from sepcam.pipelines.sources.open_live import open_live
from sepcam.pipelines.sources.realtime import PacedSource
from sepcam.pipelines.sources.synthetic import read_index

from tests.clips import write_clip

PATIENCE_S = 20


def test_no_frame_comes_before_it_is_due():
    with open_live("synthetic:96x64@50x10") as source:
        begun = time.monotonic()
        early = [time.monotonic() - begun - frame.time_s for frame in source]
    assert len(early) == 10
    assert min(early) > -0.01


def test_it_is_live_and_so_frames_may_be_left_out():
    with open_live("synthetic:96x64@50x10") as source:
        assert isinstance(source, PacedSource)
        assert source.info.live
        assert source.info.frame_count is None


def test_a_loop_goes_on_counting(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", frames=4, fps=Fraction(50))
    with open_live(clip, loop=True) as source:
        frames = [frame for frame, _ in zip(source, range(10), strict=False)]
    assert [frame.index for frame in frames] == list(range(10))
    assert [read_index(frame.image) for frame in frames] == [0, 1, 2, 3] * 2 + [0, 1]
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(0.02, abs=0.001)


def test_it_stands_still_and_goes_on_where_it_was():
    with open_live("synthetic:96x64@100x30") as source:
        assert isinstance(source, PacedSource)
        seen: list[float] = []
        held, begun = False, time.monotonic()
        for frame in source:
            seen.append(time.monotonic() - begun - frame.time_s)
            if frame.index == 10 and not held:
                held = True
                source.hold()
                threading.Timer(0.3, source.go_on).start()
    assert len(seen) == 30
    assert seen[11] - seen[10] > 0.25  # later by the time for which it stood still


@pytest.mark.parametrize("held", [False, True])
def test_closing_ends_the_wait_for_the_next_frame(held):
    source = PacedSource(lambda: open_source("synthetic:96x64@0.01x5"))
    seen = []
    thread = threading.Thread(target=lambda: seen.extend(source))
    thread.start()
    if held:
        source.hold()
    source.close()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert len(seen) <= 1


def test_the_demo_is_the_bundled_clip_to_be_watched():
    with open_source("demo") as clip, open_live("demo") as source:
        count, info = clip.info.frame_count, source.info
        assert (info.width, info.height, info.live) == (540, 360, True)
        source.hold()
        assert count and count > 300


def test_images_have_no_pace(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(SepcamError, match="use 'sepcam process'"):
        open_live(tmp_path)


def test_what_cannot_be_opened_is_said_at_once():
    with pytest.raises(SepcamError, match="does not exist"):
        open_live("missing.mp4")
    with pytest.raises(SepcamError, match="cannot be reached"):
        open_live("http://127.0.0.1:9/stream")


def test_each_pass_of_a_loop_is_a_sequence_of_its_own():
    with PacedSource(lambda: open_source("synthetic:64x48x3"), loop=True) as source:
        frames = [frame for frame, _ in zip(source, range(7), strict=False)]
    assert [frame.sequence for frame in frames] == [0, 0, 0, 1, 1, 1, 2]


def test_a_mirror_exchanges_left_and_right():
    with (
        open_live("synthetic:96x64@50x10") as plain,
        open_live("synthetic:96x64@50x10", mirror=True) as mirrored,
    ):
        assert mirrored.info == plain.info
        one, other = next(iter(plain)), next(iter(mirrored))
    assert np.array_equal(one.image[:, ::-1], other.image)
    assert not np.array_equal(one.image, other.image)
