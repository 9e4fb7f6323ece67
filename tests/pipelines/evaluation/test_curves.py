"""Curves and intervals come from the same matches that COCO's own tools make."""

import math
from pathlib import Path

import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.annotations.types import AnnotatedImage, AnnotatedObject, Annotations
from sepcam.pipelines.evaluation.coco_scoring import average_precision
from sepcam.pipelines.evaluation.curves import compare, curve
from sepcam.pipelines.evaluation.error_counts import ErrorCounts, occlusions, sizes
from sepcam.pipelines.evaluation.error_gallery import judge
from sepcam.pipelines.evaluation.matches import Matches, match, match_all

RNG = np.random.default_rng(5)


def data(images=30, noise=4.0, seed=1):
    """Annotations with crowds, and results that are more or less off."""
    rng = np.random.default_rng(seed)
    made, results = [], []
    for number in range(1, images + 1):
        objects = []
        for k in range(rng.integers(0, 5)):
            x, y, w, h = (float(v) for v in (*rng.uniform(0, 300, 2), *rng.uniform(20, 150, 2)))
            points = [v for _ in range(17) for v in (*rng.uniform((x, y), (x + w, y + h)), 2.0 * (k != 3))]
            polygon = [[x, y, x + w, y, x + w, y + h, x, y + h]]
            crowd = bool(rng.random() < 0.1)
            objects.append(AnnotatedObject(f"{k}", "1", (x, y, w, h), w * h * 0.8, crowd, polygon, points))
            for _ in range(rng.integers(0, 3)):
                box = (np.array([x, y, w, h]) + rng.normal(0, noise, 4)).tolist()
                moved = np.array(points).reshape(-1, 3) + rng.normal(0, noise, (17, 3))
                results.append(
                    {
                        "image_id": number,
                        "category_id": 1,
                        "bbox": box,
                        "score": float(rng.random()),
                        "keypoints": moved.reshape(-1).tolist(),
                    }
                )
        made.append(AnnotatedImage(number, f"{number}.jpg", (480, 480), tuple(objects)))
    return Annotations(Path("a.json"), tuple(made), {"1": "person"}, {"1": 1}), results


@pytest.mark.parametrize("iou_type", ["bbox", "keypoints"])
def test_average_precision_is_that_of_cocos_tools(iou_type):
    annotations, results = data()
    part = [{key: one[key] for key in ("image_id", "category_id", "score", iou_type)} for one in results]
    wanted = average_precision(part, annotations, iou_type, ("person",), None)
    matches = list(match_all(results, annotations, iou_type, ("person",)).values())
    assert compare(matches, matches, (0.5, 0.5))["AP"].first == pytest.approx(wanted[0], abs=1e-6)


def test_a_curve_says_what_every_threshold_gives():
    overlap = np.array([[0.9, 0], [0, 0.2], [0, 0.6], [0.8, 0]])
    scores = np.array([0.9, 0.7, 0.5, 0.3])
    line = curve(
        [match(overlap, scores, np.zeros(2, bool)), match(np.zeros((0, 1)), scores[:0], np.zeros(1, bool))]
    )
    assert line.thresholds.tolist() == [0.9, 0.7, 0.5, 0.3]
    assert line.precision == pytest.approx([1, 1 / 2, 2 / 3, 2 / 4])
    assert line.recall == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3])
    assert (line.best.threshold, line.best.f1) == (0.5, pytest.approx(2 / 3))
    assert line.at(0.6).precision == 0.5
    assert (line.at(0.95).recall, line.at(0.95).f1) == (0, 0)
    assert math.isnan(line.at(0.95).precision)
    assert curve([]).best is None
    assert (
        len(curve([match(RNG.random((900, 50)), RNG.random(900), np.zeros(50, bool))]).to_json()["recall"])
        == 200
    )


def test_results_in_a_crowd_are_neither_right_nor_wrong():
    one = match(np.array([[0.7], [0.1]]), np.array([0.4, 0.8]), np.array([True]))
    assert one.scores.tolist() == [0.8, 0.4]
    assert (one.objects, one.ignored[:, 0].tolist(), one.right.any()) == (0, [False, True], False)
    again = Matches.from_json(one.to_json())
    assert np.array_equal(again.ignored, one.ignored) and np.array_equal(again.right, one.right)


def test_intervals_tell_a_real_difference_from_chance():
    annotations, good = data(80, 2.0, seed=2)
    _, bad = data(80, 14.0, seed=2)
    runs = [list(match_all(found, annotations, "bbox", ("person",)).values()) for found in (good, bad)]
    worse = compare(runs[0], runs[1], (0.3, 0.3))
    assert worse["AP"].clear and worse["AP"].high < 0
    assert worse["AP"].low < worse["AP"].second - worse["AP"].first < worse["AP"].high
    same = compare(runs[0], runs[0], (0.3, 0.3))
    assert all((one.low, one.high, one.clear) == (0, 0, False) for one in same.values())
    other = compare(runs[0], runs[0], (0.3, 0.32))
    assert not other["F1"].clear
    assert set(worse) == {"AP", "AP50", "precision", "recall", "F1"}


def test_people_are_counted_by_size_and_by_who_stands_before_them():
    near, behind, far = (0, 0, 100, 400), (20, 100, 90, 390), (300, 300, 320, 330)
    truth = np.array([near, behind, far], np.float32)
    assert sizes(truth).tolist() == [2, 2, 0]
    assert occlusions(truth).tolist() == [0, 2, 0]
    found = np.array([near, (400, 0, 460, 60)], np.float32)
    counts = ErrorCounts()
    counts.add(found, truth, judge(found, truth))
    counted = counts.to_json()
    assert counted["size"]["small"] == {"people": 1, "missed": 1, "false": 0}
    assert counted["size"]["medium"] == {"people": 0, "missed": 0, "false": 1}
    assert counted["occlusion"]["mostly hidden"] == {"people": 1, "missed": 1, "false": 0}
    assert counted["occlusion"]["clear"] == {"people": 2, "missed": 1, "false": 1}


def test_a_box_in_a_crowd_is_no_false_one():
    crowd = np.array([[0, 0, 300, 100]], np.float32)
    judged = judge(
        np.array([[10, 10, 40, 90], [290, 0, 400, 90]], np.float32), np.zeros((0, 4), np.float32), crowd
    )
    assert judged.false.tolist() == [False, True]


def test_other_categories_are_refused():
    annotations, results = data(3)
    with pytest.raises(SepcamError, match="has no category"):
        match_all(results, annotations, "bbox", ("dog",))
