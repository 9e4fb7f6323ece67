"""Clips give the same frames each time, from files, images and what can be read only once."""

import cv2
import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.sources.excerpts import open_clips
from sepcam.pipelines.sources.synthetic import read_index

from tests.clips import write_clip


def images(clip):
    with clip() as source:
        return [frame.image.copy() for frame in source]


def test_stretches_are_spread_over_a_video(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", frames=60, size=(96, 64))
    taken = open_clips(str(clip), clips=3, length=4)
    assert len(taken.clips) == 3
    assert [read_index(images(clip)[0]) for clip in taken.clips] == [8, 28, 48]
    for clip in taken.clips:
        first, again = images(clip), images(clip)
        assert len(first) == 4
        assert np.array_equal(first, again)


def test_a_short_video_has_fewer_stretches(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", frames=9, size=(96, 64))
    assert len(open_clips(str(clip), clips=3, length=4).clips) == 2


@pytest.mark.parametrize("spec", ["synthetic:96x64x12", "images"])
def test_what_is_no_video_file_is_kept_in_memory(spec, tmp_path):
    if spec == "images":
        spec = str(tmp_path)
        for number in range(12):
            cv2.imwrite(str(tmp_path / f"{number:02}.png"), np.full((64, 96, 3), number * 9, np.uint8))
    taken = open_clips(spec, clips=3, length=4)
    assert len(taken.clips) == 3
    for clip in taken.clips:
        first = images(clip)
        first[0][:] = 7  # drawing on a frame must not change it for the next time
        assert not np.array_equal(first, images(clip))
    assert not np.array_equal(images(taken.clips[0]), images(taken.clips[1]))


def test_a_single_picture_is_too_little(tmp_path):
    cv2.imwrite(str(tmp_path / "one.png"), np.zeros((64, 96, 3), np.uint8))
    with pytest.raises(SepcamError, match=r"one\.png has 1 frame: a comparison needs two or more"):
        open_clips(str(tmp_path / "one.png"), clips=3, length=4)
