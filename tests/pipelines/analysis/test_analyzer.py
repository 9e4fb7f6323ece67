"""What the analysis of a frame does, stage by stage: which work is done for whom, and what comes out.

The detector reads its boxes off a script and the pose network answers with a figure that stands where it was
told to look, so that every expectation can be stated exactly; the networks' own tests use real weights.
"""

from dataclasses import replace

import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.models.ops.roi import roi_from_boxes
from sepcam.models.types import Detections, Detector, PoseEstimator, Poses
from sepcam.pipelines.types import TASKS, Frame

from tests.walkers import analyzer_of

SIZE = (240, 320)
PERSON, DOG = 0, 1
ANN = (40.0, 60.0, 80.0, 180.0)
BOB = (200.0, 50.0, 250.0, 200.0)
REX = (120.0, 150.0, 190.0, 200.0)


class ScriptedDetector:
    """Frame k (the value of its pixels) has the objects of ``script[k]``, or of its last entry."""

    name = "scripted"
    labels = ("person", "dog")
    parts = frozenset()

    def __init__(self, *script):
        self.script = script

    def detect(self, image):
        objects = self.script[min(int(image[0, 0, 0]), len(self.script) - 1)]
        boxes, labels, scores = zip(*objects, strict=True) if objects else ((), (), ())
        return Detections(
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array(scores, np.float32),
            np.array(labels, np.int64),
        )


class StandingFigures:
    """In each region stands a person: two keypoints on its axis, a mask in the middle half of its width."""

    name = "standing"
    keypoint_names = ("head", "feet")
    skeleton = ((0, 1),)
    parts = frozenset(("pose", "segment"))

    def __init__(self, presence=1.0, drift=(0.0, 0.0)):
        self.presence = presence
        self.drift = np.array([*drift, 0, 0], np.float32)
        self.calls = []

    def estimate(self, image, rois, *, masks):
        self.calls.append((rois.copy(), masks))
        n = len(rois)
        x, y, side, _ = rois.T
        half = side / 2.5
        keypoints = np.stack([[x, y - half, np.ones(n)], [x, y + half, np.ones(n)]]).transpose(2, 0, 1)
        logits = np.full((n, 64, 64), -10, np.float32)
        logits[:, :, 16:48] = 10
        return Poses(
            rois,
            keypoints.astype(np.float32),
            np.full(n, self.presence, np.float32),
            rois + self.drift,
            logits if masks else None,
        )


def person(box, score=0.9):
    return (box, PERSON, score)


def dog(box, score=0.9):
    return (box, DOG, score)


def frames(count):
    return [Frame(np.full((*SIZE, 3), k, np.uint8), k, k / 25) for k in range(count)]


def analyze(analyzer, count):
    return [analyzer.analyze(frame)[0] for frame in frames(count)]


def moved(box, dx):
    return (box[0] + dx, box[1], box[2] + dx, box[3])


def region(box):
    return roi_from_boxes(np.array([box], np.float32), SIZE)[0]


def test_the_fakes_are_what_the_pipeline_asks_for():
    assert isinstance(ScriptedDetector(), Detector)
    assert isinstance(StandingFigures(), PoseEstimator)


def test_every_person_gets_a_box_an_identity_a_skeleton_and_a_mask():
    analyzer = analyzer_of(ScriptedDetector([person(ANN), person(BOB)]), StandingFigures(), fps=25)
    *_, last = analyze(analyzer, 4)
    assert sorted(last.track_ids.tolist()) == [1, 2]
    assert last.size == SIZE
    order = np.argsort(last.boxes[:, 0])
    np.testing.assert_allclose(last.boxes[order], [ANN, BOB], atol=0.5)
    for row, box in zip(order, (ANN, BOB), strict=True):
        head, feet = last.keypoints[row]
        assert box[0] < head[0] < box[2]
        assert head[1] < feet[1]
        assert last.presence[row] == 1
        mask = last.masks[row]
        assert mask.area > 0
        assert box[0] - 4 <= mask.x
        assert mask.x + mask.pixels.shape[1] <= box[2] + 4


@pytest.mark.parametrize(
    ("tasks", "stages"),
    [
        (TASKS, ["detect", "track", "pose", "masks"]),
        (("track",), ["detect", "track"]),
        (("track", "pose"), ["detect", "track", "pose"]),
        (("track", "segment"), ["detect", "track", "pose", "masks"]),
        (("pose",), ["detect", "pose"]),
        (("segment",), ["detect", "pose", "masks"]),
        ((), ["detect"]),
    ],
)
def test_only_what_was_asked_for_is_done(tasks, stages):
    pose = StandingFigures()
    analyzer = analyzer_of(ScriptedDetector([person(ANN)]), pose, tasks, fps=25)
    for frame in frames(3):
        instances, stage_ms = analyzer.analyze(frame)
    assert list(stage_ms) == stages
    assert all(ms >= 0 for ms in stage_ms.values())
    assert (instances.track_ids is not None) == ("track" in tasks)
    assert (instances.keypoints is not None) == ("pose" in tasks)
    assert (instances.presence is not None) == ("pose" in tasks)
    assert (instances.masks is not None) == ("segment" in tasks)
    assert {masks for _, masks in pose.calls} <= {"segment" in tasks}
    assert bool(pose.calls) == bool({"pose", "segment"} & set(tasks))


def test_no_pose_network_is_needed_without_pose_and_segment():
    assert len(analyze(analyzer_of(ScriptedDetector([person(ANN)]), None, ("track",), fps=25), 3)[-1]) == 1
    with pytest.raises(ValueError, match="need a pose network"):
        analyzer_of(ScriptedDetector([]), None, ("pose",))


def test_all_people_of_a_frame_go_through_the_network_at_once():
    pose = StandingFigures()
    analyze(analyzer_of(ScriptedDetector([person(ANN), person(BOB)]), pose, fps=25), 5)
    assert [len(rois) for rois, _ in pose.calls[1:]] == [2] * 4


def test_a_frame_without_people_has_empty_results_of_the_right_shapes():
    *_, last = analyze(analyzer_of(ScriptedDetector([]), StandingFigures(), fps=25), 2)
    assert (len(last), last.keypoints.shape, last.masks, last.track_ids.shape) == (0, (0, 2, 3), [], (0,))


def test_the_region_follows_the_landmarks_of_the_frame_before_and_the_box():
    drift = (3.0, -2.0)
    pose = StandingFigures(drift=drift)
    detector = ScriptedDetector(*([person(moved(BOB, -4 * k))] for k in range(8)))
    results = analyze(analyzer_of(detector, pose, fps=25), 8)
    seen = [
        (rois[0], result.boxes[0]) for (rois, _), result in zip(pose.calls, results, strict=True) if len(rois)
    ]
    (first, box), (second, next_box) = seen[:2]
    np.testing.assert_allclose(first, region(box), atol=0.01)
    moved_by = (next_box[:2] + next_box[2:] - box[:2] - box[2:]) / 2
    np.testing.assert_allclose(second[:2], first[:2] + drift + moved_by, atol=0.01)


@pytest.mark.parametrize("pose", [StandingFigures(drift=(90.0, 0.0)), StandingFigures(presence=0.1)])
def test_landmarks_that_leave_the_box_or_find_nobody_do_not_say_where_to_look(pose):
    results = analyze(analyzer_of(ScriptedDetector([person(ANN)]), pose, fps=25), 6)
    for (rois, _), result in zip(pose.calls, results, strict=True):
        if len(rois):
            np.testing.assert_allclose(rois[0], region(result.boxes[0]), atol=0.01)


def test_someone_who_returns_is_looked_for_in_the_box_again():
    pose = StandingFigures(drift=(5.0, 0.0))
    detector = ScriptedDetector(*[[person(ANN)]] * 4, [], [], [person(ANN)])
    *_, last = analyze(analyzer_of(detector, pose, fps=25), 7)
    assert last.track_ids.tolist() == [1]
    np.testing.assert_allclose(pose.calls[-1][0][0], region(last.boxes[0]), atol=0.01)


def test_images_are_independent_two_passes_no_identities_masks_from_the_first():
    pose = StandingFigures(drift=(5.0, 0.0))
    analyzer = analyzer_of(ScriptedDetector([person(ANN)]), pose, independent=True)
    instances, stage_ms = analyzer.analyze(frames(1)[0])
    assert list(stage_ms) == ["detect", "pose", "masks"]
    assert instances.track_ids is None
    (first, with_masks), (second, again) = pose.calls
    assert (with_masks, again) == (True, False)
    np.testing.assert_allclose(second, first + pose.drift)
    assert instances.keypoints[0, 0, 0] == pytest.approx(first[0, 0] + 5)
    assert instances.masks[0].area > 0


def test_the_second_pass_is_spared_where_the_first_found_nobody():
    pose = StandingFigures(presence=0.2)
    instances, _ = analyzer_of(ScriptedDetector([person(ANN)]), pose, independent=True).analyze(frames(1)[0])
    assert len(pose.calls) == 1
    assert instances.presence[0] == pytest.approx(0.2)
    assert instances.scores[0] == pytest.approx(0.9)


def test_other_objects_get_boxes_and_identities_but_no_skeleton():
    pose = StandingFigures()
    *_, last = analyze(analyzer_of(ScriptedDetector([person(ANN), dog(REX)]), pose, fps=25), 3)
    row = int(np.flatnonzero(last.labels == DOG)[0])
    assert last.people.tolist() == [label == PERSON for label in last.labels]
    assert last.track_ids[row] in (1, 2)
    assert not last.keypoints[row].any()
    assert last.presence[row] == 0
    assert last.masks[row] is None
    assert len(pose.calls[-1][0]) == 1


def test_only_the_classes_asked_for_are_reported():
    detector = ScriptedDetector([person(ANN), dog(REX)])
    *_, last = analyze(analyzer_of(detector, StandingFigures(), classes=["dog"], fps=25), 3)
    assert last.labels.tolist() == [DOG]


def test_at_most_max_people_get_a_skeleton_the_largest_ones():
    far = (10.0, 10.0, 22.0, 40.0)
    pose = StandingFigures()
    detector = ScriptedDetector([person(far), person(ANN), person(BOB)])
    *_, last = analyze(analyzer_of(detector, pose, max_people=2, fps=25), 3)
    assert len(last) == 3
    small = int(np.argmin(last.boxes[:, 0]))
    assert last.masks[small] is None
    assert [bool(k.any()) for k in last.keypoints] == [i != small for i in range(3)]
    assert max(len(rois) for rois, _ in pose.calls) == 2


def test_conf_hides_what_is_less_sure():
    detector = ScriptedDetector([person(ANN, 0.45), person(BOB, 0.8)])
    for conf, count in ((0.3, 2), (0.5, 1), (0.9, 0)):
        still, _ = analyzer_of(detector, None, (), conf=conf, independent=True).analyze(frames(1)[0])
        *_, tracked = analyze(analyzer_of(detector, None, ("track",), conf=conf, fps=25), 3)
        assert (len(still), len(tracked)) == (count, count)


def test_boxes_stay_in_the_frame():
    leaving = [[person((200 + 15 * k, 50, min(250 + 15 * k, 320), 240))] for k in range(8)]
    for instances in analyze(analyzer_of(ScriptedDetector(*leaving), StandingFigures(), fps=25), 8):
        assert (instances.boxes >= 0).all()
        assert (instances.boxes[:, 2] <= 320).all()
        assert (instances.boxes[:, 3] <= 240).all()


def test_after_a_cut_everybody_is_somebody_new():
    analyzer = analyzer_of(ScriptedDetector([person(ANN)]), StandingFigures(), fps=25)
    *_, before = analyze(analyzer, 3)
    analyzer.reset()
    *_, after = analyze(analyzer, 3)
    assert (before.track_ids.tolist(), after.track_ids.tolist()) == ([1], [2])


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"tasks": ("track", "dance")}, "there is no task 'dance'; choose from track, pose, segment"),
        ({"conf": 1.5}, "conf must lie between 0 and 1"),
        ({"conf": float("nan")}, "conf must lie between 0 and 1"),
        ({"max_people": 0}, "max-people must be at least 1"),
        ({"classes": ["persn"]}, "knows no class 'persn'; did you mean person"),
        ({"classes": ["zebra"]}, "knows no class 'zebra'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(asked, says):
    with pytest.raises(SepcamError, match=says.replace("?", r"\?")) as caught:
        analyzer_of(ScriptedDetector([]), StandingFigures(), **asked)
    assert "\n" not in str(caught.value)


class TwoInOne(StandingFigures):
    """Sees the person in front, whose middle is given, in whatever region lies near."""

    def __init__(self, front):
        super().__init__()
        self.front = region(front)

    def estimate(self, image, rois, *, masks):
        near = np.abs(rois[:, 0] - self.front[0]) < 40
        poses = super().estimate(image, np.where(near[:, None], self.front, rois), masks=masks)
        return replace(poses, rois=rois)


def test_who_stands_behind_another_does_not_get_the_other_s_skeleton_and_mask():
    front, behind = BOB, (180.0, 40.0, 230.0, 190.0)
    detector = ScriptedDetector([person(front), person(behind), person(ANN)])
    *_, last = analyze(analyzer_of(detector, TwoInOne(front), fps=25), 4)
    rows = {box: int(np.argmin(np.abs(last.boxes - box).sum(1))) for box in (front, behind, ANN)}
    assert len(last) == 3
    for box in (front, ANN):
        assert last.keypoints[rows[box]].any()
        assert last.masks[rows[box]].area > 0
    assert not last.keypoints[rows[behind]].any()
    assert last.presence[rows[behind]] == 0
    assert last.masks[rows[behind]] is None


def test_people_can_be_looked_at_in_turn():
    pose = StandingFigures()
    analyzer = analyzer_of(ScriptedDetector([person(ANN), person(BOB)]), pose)
    analyzer.pose_schedule.count = 2
    seen = [analyzer.analyze(frame)[0] for frame in frames(8)]
    looked = [len(rois) for rois, _ in pose.calls]
    assert 2 in looked and looked[-4:] == [1, 1, 1, 1]
    # Whoever is not looked at keeps the last landmarks and mask.
    assert all((found.keypoints[:, :, 2] > 0).all() for found in seen if len(found) == 2)
    assert all(mask is not None for mask in seen[-1].masks)


def test_someone_missed_for_a_moment_keeps_the_box_alone():
    script = [[person(ANN), person(BOB)]] * 4 + [[person(ANN)]]
    analyzer = analyzer_of(ScriptedDetector(*script), StandingFigures(), fps=25)
    *_, before, last = analyze(analyzer, 5)
    assert before.coasted is None
    assert last.coasted.tolist() == [False, True]
    assert last.scores.tolist() == [pytest.approx(0.9), pytest.approx(0.45)]
    np.testing.assert_allclose(last.boxes, [ANN, BOB], atol=1)
    assert len(set(last.track_ids.tolist())) == 2
    assert (last.keypoints[:, :, 2].max(1) > 0).tolist() == [True, False]
    assert [mask is not None for mask in last.masks] == [True, False]
