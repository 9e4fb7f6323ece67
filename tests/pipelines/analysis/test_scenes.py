"""A cut is seen, and nothing else is taken for one."""

import av
import cv2
import numpy as np
import pytest
from sepcam.assets import demo_clip
from sepcam.pipelines.analysis.scenes import THUMBNAIL, Cuts, thumbnail_of
from sepcam.pipelines.types import Frame

from tests.walkers import SquareDetector, analyzer_of


@pytest.fixture(scope="module")
def film():
    with av.open(str(demo_clip())) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def begins(images):
    """The places at which scenes begin."""
    cuts = Cuts()
    return [place for place, image in enumerate(images) if cuts.begin(image)]


def shifted(image, x, y):
    return np.roll(image, (y, x), (0, 1))


def test_a_film_of_one_shot_has_no_cut(film):
    assert begins(film) == []


def test_another_scene_is_a_cut_whatever_its_size(film):
    another = np.ascontiguousarray(255 - film[0][::-1])
    assert begins([*film[:3], another, another, *film[:2]]) == [3, 5]
    assert begins([film[0], cv2.resize(another, (96, 64))]) == [1]


def test_light_a_knock_and_somebody_near_are_no_cuts(film):
    calm = film[0]
    dimmed = (0.4 * calm).astype(np.uint8)
    near = calm.copy()
    near[:, 150:400] = 20
    assert begins([calm, dimmed, calm, shifted(calm, 40, 10), calm, near, calm]) == []


def test_what_comes_after_black_is_compared_with_what_came_before(film):
    black, another = np.zeros_like(film[0]), np.ascontiguousarray(255 - film[0][::-1])
    assert begins([film[0], black, black, film[1]]) == []
    assert begins([film[0], black, black, another]) == [3]


def test_a_thumbnail_is_its_own_thumbnail(film):
    small = thumbnail_of(film[0])
    assert small.shape == (*THUMBNAIL, 3) and small.dtype == np.uint8
    assert np.array_equal(thumbnail_of(small), small)


def test_after_a_cut_people_are_new_people_and_nobody_is_left_over(film):
    """The same white square in the same place, then in another scene, then gone in a third."""
    scenes = [film[0] // 2, 127 - film[0][::-1] // 2, film[0] // 2]
    analyzer, seen = analyzer_of(SquareDetector(), tasks=("track",), detect_every="auto", fps=10.0), []
    for index in range(12):
        image = scenes[index // 4].copy()
        if index < 8:
            image[100:200, 100:150] = 255
        seen.append(analyzer.analyze(Frame(image, index, index / 10))[0].track_ids.tolist())
    assert seen == [[], [1], [1], [1], [], [2], [2], [2], *[[]] * 4]
