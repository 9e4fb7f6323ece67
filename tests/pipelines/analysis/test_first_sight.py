"""People of files are there from the first frame that shows them."""

from dataclasses import replace

import numpy as np
from sepcam.pipelines.analysis.first_sight import WAIT, FirstSight
from sepcam.pipelines.types import Frame, FrameResult, Instances, MaskCrop

from tests.clips import write_clip
from tests.walkers import pipeline_of, square_picture

NOBODY = np.zeros((0, 4), np.float32)


def found(*boxes, ids=None, label=0):
    """People in these boxes, each with a keypoint and a mask."""
    n = len(boxes)
    return Instances(
        (100, 100),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.ones(n, np.float32),
        np.full(n, label, np.int64),
        ("person", "dog"),
        None if ids is None else np.array(ids, np.int64),
        keypoints=np.full((n, 1, 3), 7, np.float32),
        masks=[MaskCrop(np.ones((2, 2), np.uint8), 1, 1)] * n,
    )


def completed(*frames):
    """The identities of frames of (instances, tentative)."""
    image, sight = np.zeros((100, 100, 3), np.uint8), FirstSight()
    results = [
        FrameResult(Frame(image, i, i / 10), known, tentative=tentative)
        for i, (known, tentative) in enumerate(frames)
    ]
    out = [later for result in results for later in sight.push(result)]
    assert len(out) == max(0, len(frames) - WAIT)
    return [*out, *sight.flush()]


def ids(results):
    return [result.instances.track_ids.tolist() for result in results]


A, A2, B = (10, 10, 30, 50), (12, 10, 32, 50), (60, 10, 80, 50)


def test_whoever_gets_an_identity_has_it_where_they_were_seen_first():
    results = completed((found(ids=[]), found(A)), (found(A2, ids=[1]), None), (found(A2, ids=[1]), None))
    assert ids(results) == [[1], [1], [1]]
    first = results[0].instances
    assert first.boxes.tolist() == [list(A)] and first.keypoints.min() == 7 and len(first.masks) == 1


def test_an_identity_reaches_back_through_several_frames():
    assert (
        ids(completed((found(ids=[]), found(A)), (found(ids=[]), found(A)), (found(A, ids=[1]), None)))
        == [[1]] * 3
    )


def test_others_in_another_place_or_of_another_class_stay_without():
    assert ids(completed((found(ids=[]), found(B)), (found(A, ids=[1]), None))) == [[], [1]]
    assert ids(completed((found(ids=[]), found(A, label=1)), (found(A, ids=[1]), None))) == [[], [1]]


def test_two_who_begin_together_get_one_each_and_those_who_are_known_keep_theirs():
    frames = (found(B, ids=[5]), found(A, A2)), (found(B, A, A2, ids=[5, 1, 2]), None)
    assert ids(completed(*frames)) == [[5, 1, 2], [5, 1, 2]]


def test_who_is_predicted_begins_nothing():
    predicted = replace(found(A, ids=[1]), coasted=np.array([True]))
    assert ids(completed((found(ids=[]), found(A)), (predicted, None))) == [[], [1]]


def test_in_a_source_of_one_frame_everybody_has_an_identity():
    assert ids(completed((found(ids=[]), found(A, B)))) == [[1, 2]]
    assert ids(completed((found(ids=[]), None))) == ids(completed((found(ids=[]), found()))) == [[]]


def test_the_first_frame_of_a_file_shows_its_people(tmp_path):
    from sepcam import open_source

    clip = write_clip(tmp_path / "in.mp4", images=[square_picture(i) for i in range(6)])
    for tasks in (("track",), ("track", "pose", "segment")):
        results = list(pipeline_of(tasks=tasks).run(open_source(clip)))
        assert ids(results) == [[1]] * 6 and [result.frame.index for result in results] == list(range(6))
