"""COCO files as people's programs write them, and what is wrong with others."""

import copy
import json
from pathlib import Path

import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.annotations.coco import read_coco
from sepcam.pipelines.annotations.matching import ImageMatcher
from sepcam.pipelines.annotations.types import WrongAnnotationsError
from sepcam.pipelines.evaluation.coco_scoring import why_no_masks
from sepcam.pipelines.evaluation.metrics import evaluate_coco

SIZE = {"width": 300, "height": 200}
BOXES = ([20, 30, 60, 120], [100, 20, 40, 100], [5, 5, 100, 150])


def outline(box):
    x, y, w, h = box
    return [[x, y, x + w, y, x + w, y + h, x + w / 2, y + h - 1, x, y + h]]


def base() -> dict:
    return {
        "images": [{"id": i + 11, "file_name": f"{i + 1:06d}.png", **SIZE} for i in range(3)],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {
                "id": i + 1,
                "image_id": i + 11,
                "category_id": 1,
                "bbox": list(box),
                "area": box[2] * box[3],
                "iscrowd": 0,
                "segmentation": outline(box),
            }
            for i, box in enumerate(BOXES)
        ],
    }


def changed(**values):
    """Every annotation with these values; a function gets the annotation and its number."""

    def change(data):
        for number, item in enumerate(data["annotations"]):
            for name, value in values.items():
                item[name] = value(item, number) if callable(value) else value

    return change


def without(kind, *names):
    def change(data):
        for item in data[kind]:
            for name in names:
                item.pop(name)

    return change


def from_zero(data):
    """Roboflow's: categories from 0, of which the first is the project's name."""
    data["categories"] = [{"id": 0, "name": "people"}, {"id": 1, "name": "person", "supercategory": "people"}]
    for image in data["images"]:
        image["id"] -= 11
        image["file_name"] = image["file_name"].replace(".png", "_png.rf.0a1b2c.png")
    changed(id=lambda item, n: n, image_id=lambda item, n: n)(data)


def label_studio(data):
    """Ids as text, names with backslashes, no areas."""
    for image in data["images"]:
        image["id"] = str(image["id"])
        image["file_name"] = f"..\\media\\upload\\1\\{image['file_name']}"
    changed(image_id=lambda item, n: str(item["image_id"]), segmentation=[], area=0)(data)


def cvat(data):
    changed(segmentation=[], attributes={"occluded": False, "rotation": 0.0}, id=lambda item, n: n)(data)
    data |= {"licenses": [{"name": "", "id": 0, "url": ""}], "info": {"contributor": ""}}


def renamed(data):
    data["categories"][0]["name"] = "Person"


def orphan(data):
    data["annotations"].append({"id": 9, "image_id": 999, "category_id": 1, "bbox": [1, 1, 5, 5]})


KINDS = {
    "as it should be": lambda data: None,
    "ids from 0": changed(id=lambda item, n: n),
    "negative ids": changed(id=lambda item, n: -1 - n),
    "one id": changed(id=0),
    "ids as text": changed(id=lambda item, n: f"a{n}"),
    "no ids": without("annotations", "id"),
    "no segmentation": without("annotations", "segmentation"),
    "null segmentation": changed(segmentation=None),
    "no area": without("annotations", "area"),
    "no crowds": without("annotations", "iscrowd"),
    "no boxes": without("annotations", "bbox"),
    "empty boxes": changed(bbox=[]),
    "flat polygons": changed(segmentation=lambda item, n: item["segmentation"][0]),
    "no sizes": without("images", "width", "height"),
    "orphan": orphan,
    "another case": renamed,
    "roboflow": from_zero,
    "label studio": label_studio,
    "cvat": cvat,
}


def written(folder: Path, change) -> Path:
    data = copy.deepcopy(base())
    change(data)
    path = folder / "annotations.json"
    path.write_text(json.dumps(data), encoding="utf-8-sig")
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_people_who_are_found_exactly_score_one(kind, tmp_path):
    annotations = read_coco(written(tmp_path, KINDS[kind]))
    (person,) = annotations.ids_of(["person"])
    results = [
        {
            "image_id": image.id,
            "category_id": annotations.category_ids[person],
            "score": 0.9,
            "bbox": list(box),
        }
        for image, box in zip(annotations.images, BOXES, strict=True)
    ]
    (figures,) = evaluate_coco(results, annotations).values()
    assert (figures.ap, figures.medium, figures.large) == (1, 1, 1)
    half = evaluate_coco(results[:1], annotations)["box"]
    assert 0.3 < half.ap < 0.4
    nobody = evaluate_coco([], annotations)["box"]
    assert nobody.ap == 0
    with pytest.raises(SepcamError, match="has no category 'cat' "):
        evaluate_coco(results, annotations, categories=("cat",))


def runs(box, *, compressed: bool):
    import numpy as np
    from faster_coco_eval.core import mask as masks

    x, y, w, h = box
    image = np.zeros((200, 300), np.uint8, order="F")
    image[y : y + h, x : x + w] = 1
    if compressed:
        rle = masks.encode(image)
        counts = rle["counts"]
        return {"size": rle["size"], "counts": counts.decode() if isinstance(counts, bytes) else counts}
    flat = image.flatten(order="F")
    edges = [0, *(np.flatnonzero(np.diff(flat)) + 1), len(flat)]
    return {"size": [200, 300], "counts": [int(n) for n in np.diff(edges)]}


@pytest.mark.parametrize("compressed", [False, True], ids=["list", "text"])
def test_masks_as_run_lengths(compressed, tmp_path):
    def change(data):
        for item in data["annotations"]:
            item["segmentation"] = runs(item["bbox"], compressed=compressed)

    annotations = read_coco(written(tmp_path, change))
    results = [
        {
            "image_id": i + 11,
            "category_id": 1,
            "score": 0.9,
            "bbox": box,
            "segmentation": runs(box, compressed=True),
        }
        for i, box in enumerate(BOXES)
    ]
    figures = evaluate_coco(results, annotations)
    assert (figures["box"].ap, figures["mask"].ap) == (1, 1)


def box_outline(item, number):
    x, y, w, h = item["bbox"]
    return [[x, y, x + w, y, x + w, y + h, x, y + h]]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (changed(segmentation=[]), "the annotations have none"),
        (lambda data: data["annotations"][1].pop("segmentation"), "1 of 3 objects have none (annotation 2)"),
        (changed(segmentation=box_outline), "those of the annotations are their boxes"),
    ],
    ids=["none", "some", "boxes"],
)
def test_masks_that_the_truth_lacks_are_not_scored(change, why, tmp_path):
    annotations = read_coco(written(tmp_path, change))
    assert why in (why_no_masks(annotations, ("person",)) or "")
    result = {"image_id": 11, "category_id": 1, "score": 0.9, "bbox": BOXES[0]}
    result["segmentation"] = runs(BOXES[0], compressed=True)
    assert set(evaluate_coco([result], annotations)) == {"box"}


TWO = r"annotations\.json, annotation 2 \(000002\.png\): "


def at(kind, index, **values):
    return lambda data: data[kind][index].update(values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (at("annotations", 1, bbox=[1, 2, 3]), TWO + "its box is not four numbers"),
        (at("annotations", 1, bbox=[1, 2, -3, 4]), TWO + "its box has a negative width"),
        (at("annotations", 1, bbox=[1, 2, float("nan"), 4]), TWO + "its box is not four numbers"),
        (at("annotations", 1, bbox=None, segmentation=None), TWO + "it has no box"),
        (
            at("annotations", 1, bbox=None, segmentation={"size": [200, 300], "counts": "nonsense!!"}),
            TWO + "its run-length mask cannot be decoded",
        ),
        (at("annotations", 1, category_id=7), TWO + "it has the category 7, which is not listed"),
        (at("annotations", 1, segmentation=[[1, 2, 3]]), TWO + "a polygon of it is not a list"),
        (at("annotations", 1, segmentation={"size": [9, 9], "counts": "x"}), "is of 9x9 pixels, its image"),
        (
            at("annotations", 1, segmentation={"size": [200, 300], "counts": [3]}),
            TWO + "its run-lengths are not those of 300x200 pixels",
        ),
        (at("images", 1, id=11), "two images have the id 11: 000001.png and 000002.png"),
        (at("images", 1, file_name="000001.png"), "two images are called 000001.png: 11 and 12"),
        (at("images", 1, id=None), "image number 2 has no id"),
        (without("images", "file_name"), "image 11 has no file_name"),
        (at("categories", 1, id=1), "two categories have the id 1: 'person' and 'dog'"),
        (changed(bbox=[0.1, 0.2, 0.3, 0.4]), "its boxes are fractions of the image"),
        (lambda data: data.pop("images"), "it has no list of images"),
        (lambda data: data["annotations"].insert(0, 7), "annotation number 1: it is not an object"),
    ],
)
def test_a_wrong_file_is_refused_with_what_is_wrong(change, message, tmp_path):
    with pytest.raises(SepcamError, match=message):
        read_coco(written(tmp_path, change))


def test_every_wrong_annotation_is_named(tmp_path):
    with pytest.raises(
        WrongAnnotationsError, match=r"annotation 1 \(000001\.png\): .* \(and 2 more"
    ) as caught:
        read_coco(written(tmp_path, changed(bbox=[1, 2, 3])))
    assert ["annotation 2 (000002.png)" in line for line in caught.value.problems] == [False, True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [("[]", "it is a list, as results are"), ("{\n\n", "is not JSON: line 3"), ("7", "not an object")],
)
def test_what_is_no_annotation_is_refused(text, message, tmp_path):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(SepcamError, match=message):
        read_coco(tmp_path / "a.json")


def matched(tmp_path, annotated: list[str], files: list[str]) -> dict[str, str]:
    def change(data):
        data["images"] = [{"id": i, "file_name": name, **SIZE} for i, name in enumerate(annotated)]
        data["annotations"] = []

    matcher = ImageMatcher(read_coco(written(tmp_path, change)))
    folder = Path("im")
    found = matcher.match_all(folder, [folder / name for name in files])
    return {path.relative_to(folder).as_posix(): image.file_name for path, image in found.items()}


@pytest.mark.parametrize(
    ("annotated", "files", "expected"),
    [
        (["1.png", "other/1.png"], ["1.png"], {"1.png": "1.png"}),
        (["a/1.png", "b/1.png"], ["a/1.png", "b/1.png"], {"a/1.png": "a/1.png", "b/1.png": "b/1.png"}),
        (["a/1.png", "b/1.png"], ["x/b/1.png"], {"x/b/1.png": "b/1.png"}),
        (["val/1.png"], ["1.png"], {"1.png": "val/1.png"}),
        (["1.png"], ["1.png", "a/1.png"], {"1.png": "1.png"}),
        (["Cafe\u0301.png"], ["Café.png"], {"Café.png": "Cafe\u0301.png"}),
        (["2.png"], ["1.png"], {}),
    ],
)
def test_images_of_one_name_are_told_apart_by_their_folders(annotated, files, expected, tmp_path):
    assert matched(tmp_path, annotated, files) == expected


def test_images_that_cannot_be_told_apart_are_an_error(tmp_path):
    with pytest.raises(SepcamError, match=r"has two images called 1\.png \(a/1\.png, b/1\.png\)"):
        matched(tmp_path, ["a/1.png", "b/1.png"], ["1.png"])
    with pytest.raises(SepcamError, match=r"has one image called 1\.png, im two"):
        matched(tmp_path, ["1.png"], ["a/1.png", "b/1.png"])
