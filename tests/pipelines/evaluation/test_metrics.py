"""The figures agree with what a person can work out by hand, and with the reference implementations."""

import json
import math

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from sepcam.models.errors import SepcamError
from sepcam.pipelines.evaluation.metrics import evaluate_coco, evaluate_mot
from sepcam.pipelines.types import MaskCrop

SIZE = (200, 300)
BOX = [20.0, 30.0, 60.0, 120.0]  # x, y, width, height


def mask(x, y, w, h):
    return MaskCrop(np.ones((int(h), int(w)), np.uint8), int(x), int(y)).to_rle(*SIZE)


def points(dx=0.0):
    return [value for k in range(17) for value in (30.0 + 2 * k + dx, 40.0 + 5 * k, 2)]


@pytest.fixture
def truth(tmp_path):
    images = [{"id": i, "file_name": f"{i}.jpg", "height": SIZE[0], "width": SIZE[1]} for i in (1, 2)]
    categories = [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}]
    annotations = [
        {
            "id": i,
            "image_id": i,
            "category_id": 1,
            "iscrowd": 0,
            "bbox": BOX,
            "area": BOX[2] * BOX[3],
            "segmentation": mask(*BOX),
            "keypoints": points(),
            "num_keypoints": 17,
        }
        for i in (1, 2)
    ]
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps({"images": images, "categories": categories, "annotations": annotations}))
    return path


def result(image, box=BOX, *, score=0.9, category=1, dx=0.0):
    return {
        "image_id": image,
        "category_id": category,
        "score": score,
        "bbox": list(box),
        "segmentation": mask(*box),
        "keypoints": points(dx),
    }


def test_perfect_results_score_one_and_nobody_small_is_not_a_zero(truth):
    figures = evaluate_coco([result(1), result(2)], truth, keypoints=truth)
    assert set(figures) == {"box", "mask", "keypoints"}
    for kind in figures.values():
        assert (kind.ap, kind.ap50, kind.ap75, kind.medium) == (1, 1, 1, 1)
        assert math.isnan(kind.small)


def test_finding_one_of_two_people_is_half_of_the_precision(truth):
    figures = evaluate_coco([result(1)], truth)
    assert figures["box"].ap50 == pytest.approx(51 / 101)  # recall 0 to 0.50 of COCO's 101 steps
    assert "keypoints" not in figures


def test_a_box_off_by_a_quarter_counts_at_50_but_not_at_75(truth):
    off = [BOX[0], BOX[1] + 30, BOX[2], BOX[3]]  # IoU 90 / 150
    figures = evaluate_coco([result(1, off), result(2, off)], truth)
    assert (figures["box"].ap50, figures["box"].ap75) == (1, 0)
    assert figures["mask"].ap50 == 1


def test_only_the_categories_asked_for_count(truth):
    dogs = [result(1, score=0.99, category=18), result(2)]
    assert evaluate_coco(dogs, truth)["box"].ap50 == pytest.approx(51 / 101)
    assert math.isnan(evaluate_coco(dogs, truth, categories=("dog",))["box"].ap)


def test_nothing_found_is_zero(truth):
    assert evaluate_coco([], truth)["box"].ap == 0


def test_figures_are_those_of_pycocotools(truth, tmp_path):
    rng = np.random.default_rng(5)
    found = [
        result(image, np.maximum(np.round(np.array(BOX) + rng.normal(0, 12, 4)), 5).tolist(), score=score)
        for image in (1, 2)
        for score in rng.random(4).round(3)
    ]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(found))
    ours = evaluate_coco(path, truth, keypoints=truth)
    reference = COCO(str(truth))
    for kind, iou_type in (("box", "bbox"), ("mask", "segm"), ("keypoints", "keypoints")):
        scorer = COCOeval(reference, reference.loadRes(str(path)), iou_type)
        scorer.params.catIds = [1]
        scorer.evaluate()
        scorer.accumulate()
        scorer.summarize()
        figures = ours[kind]
        assert [figures.ap, figures.ap50, figures.ap75] == pytest.approx(scorer.stats[:3].tolist())


def test_results_of_other_images_are_refused(truth):
    with pytest.raises(SepcamError, match=r"image 7, which .* lacks"):
        evaluate_coco([result(7)], truth)


@pytest.mark.parametrize("content", [None, "not JSON"])
def test_annotations_that_cannot_be_read_are_named(tmp_path, content):
    path = tmp_path / "annotations.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SepcamError, match=r"annotations\.json (cannot be read|is not JSON)"):
        evaluate_coco([], path)


def mot(path, rows):
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    return path


def walk(number, frames, x=0.0, tail=(1, -1, -1, -1)):
    return [(k, number, x + 5 * k, 50, 30, 80, *tail) for k in frames]


def test_perfect_tracks_score_one(tmp_path):
    rows = walk(7, range(1, 11)) + walk(9, range(1, 11), x=200)
    figures = evaluate_mot(mot(tmp_path / "a.txt", rows), mot(tmp_path / "b.txt", rows))
    assert (figures.hota, figures.deta, figures.assa, figures.mota, figures.idf1) == (1, 1, 1, 1, 1)
    assert (figures.switches, figures.false_positives, figures.misses, figures.identities) == (0, 0, 0, 2)


def test_a_switch_halfway_halves_the_association(tmp_path):
    truth = mot(tmp_path / "truth.txt", walk(1, range(1, 11)))
    tracks = mot(tmp_path / "tracks.txt", walk(4, range(1, 6)) + walk(5, range(6, 11)))
    figures = evaluate_mot(tracks, truth)
    assert (figures.switches, figures.identities, figures.deta) == (1, 2, 1)
    assert figures.assa == pytest.approx(0.5)
    assert figures.hota == pytest.approx(math.sqrt(0.5))
    assert figures.mota == pytest.approx(0.9)
    assert figures.idf1 == pytest.approx(0.5)


def test_misses_and_false_positives_are_counted(tmp_path):
    truth = mot(tmp_path / "truth.txt", walk(1, range(1, 11)))
    tracks = mot(tmp_path / "tracks.txt", walk(1, range(1, 9)) + walk(2, range(1, 4), x=300))
    figures = evaluate_mot(tracks, truth)
    assert (figures.misses, figures.false_positives) == (2, 3)
    assert figures.mota == pytest.approx(1 - 5 / 10)


def test_world_coordinates_of_mot15_are_not_taken_for_classes(tmp_path):
    tracks = mot(tmp_path / "tracks.txt", walk(1, range(1, 11)))
    world = mot(tmp_path / "truth.txt", walk(1, range(1, 11), tail=(1, -4.15, 7.3, 0)))
    assert evaluate_mot(tracks, world).hota == 1


def test_rows_marked_0_and_other_classes_are_no_ground_truth(tmp_path):
    tracks = mot(tmp_path / "tracks.txt", walk(1, range(1, 11)))
    rows = walk(1, range(1, 11), tail=(1, 1, 1.0))
    others = walk(2, range(1, 11), x=300, tail=(0, 1, 1.0)) + walk(3, range(1, 11), x=500, tail=(1, 3, 1.0))
    assert evaluate_mot(tracks, mot(tmp_path / "truth.txt", rows + others)).misses == 0


def test_a_run_that_tracked_nobody_scores_zero(tmp_path):
    truth = mot(tmp_path / "truth.txt", walk(1, range(1, 11)))
    figures = evaluate_mot(mot(tmp_path / "tracks.txt", []), truth)
    assert (figures.hota, figures.misses, figures.identities) == (0, 10, 0)


@pytest.mark.parametrize(("text", "says"), [("", "has no objects"), ("1,2,three,4,5,6\n", "line 1")])
def test_ground_truth_that_is_none_is_refused(tmp_path, text, says):
    path = tmp_path / "truth.txt"
    path.write_text(text)
    with pytest.raises(SepcamError, match=says):
        evaluate_mot(mot(tmp_path / "tracks.txt", walk(1, [1])), path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SepcamError, match=r"gone\.txt cannot be read"):
        evaluate_mot(tmp_path / "gone.txt", mot(tmp_path / "truth.txt", walk(1, [1])))


def test_keypoints_are_ranked_by_their_own_score_where_there_is_one(truth):
    """A wrong pose with a high detection score comes first, unless the network says that the pose is poor."""
    annotations = truth
    right = {"image_id": 1, "category_id": 1, "score": 0.5, "bbox": BOX, "keypoints": points()}
    wrong = right | {"score": 0.9, "keypoints": points(dx=90.0)}
    ranked = [right | {"keypoints_score": 0.8}, wrong | {"keypoints_score": 0.1}]
    plain, better = (
        evaluate_coco(found, annotations, keypoints=annotations, images=[1])["keypoints"].ap
        for found in ([right, wrong], ranked)
    )
    assert better == pytest.approx(1) and plain < 0.6
