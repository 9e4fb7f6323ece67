"""Average precision by COCO's rules, of annotations that any program wrote."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Literal

from ...models.errors import SepcamError
from ..annotations.coco import as_rle
from ..annotations.types import AnnotatedImage, AnnotatedObject, Annotations

IouType = Literal["bbox", "segm", "keypoints"]

_KEYPOINT_VALUES: Final = 3 * 17


def average_precision(
    found: Sequence[Mapping[str, Any]],
    annotations: Annotations,
    iou_type: IouType,
    categories: Collection[str] | None,
    images: Collection[int | str] | None,
) -> list[float]:
    """The figures of COCO's summary in its order; NaN where the ground truth has no such object.

    The library takes some ids for signs (0 is "not matched"), so everything gets numbers from 1.

    Args:
        found: COCO results with the ids of the annotations.
        annotations: the ground truth.
        iou_type: what is compared.
        categories: names of the categories scored, None for all.
        images: ids of the images scored, None for all.

    Raises:
        SepcamError: If the results have other images than the annotations, or a category, or something of an
            object that is needed, is missing.
    """
    from faster_coco_eval import COCO
    from faster_coco_eval.core.faster_eval_api import COCOeval_faster

    wanted = set(annotations.categories) if categories is None else annotations.ids_of(categories)
    # Two spellings of a name are one category.
    names = sorted({annotations.categories[key].casefold() for key in wanted})
    category_numbers = {key: names.index(annotations.categories[key].casefold()) + 1 for key in wanted}
    image_numbers = {str(image.id): number for number, image in enumerate(annotations.images, 1)}
    truth = COCO(
        {
            "images": [_image(image, image_numbers) for image in annotations.images],
            "categories": [{"id": number, "name": name} for number, name in enumerate(names, 1)],
            "annotations": [
                {
                    "id": number,
                    "image_id": image_numbers[str(image.id)],
                    "category_id": category_numbers[one.category],
                    **_object(one, image, annotations, iou_type),
                }
                for number, (image, one) in enumerate(annotations.objects(wanted), 1)
            ],
        }
    )
    scored = [
        {
            **result,
            "image_id": _number(result["image_id"], image_numbers, annotations),
            "category_id": category_numbers[str(result["category_id"])],
        }
        for result in found
        if str(result["category_id"]) in category_numbers
        or str(result["image_id"]) not in image_numbers  # reported first: it is the greater error
    ]
    scorer = COCOeval_faster(truth, truth.loadRes(scored), iouType=iou_type, print_function=_silent)
    if images is not None:
        scorer.params.imgIds = sorted(image_numbers[str(key)] for key in images)
    scorer.evaluate()
    scorer.accumulate()
    scorer.summarize()
    return [value if value >= 0 else math.nan for value in map(float, scorer.stats)]


def why_no_masks(annotations: Annotations, categories: Collection[str] | None) -> str | None:
    """Why the masks of a data set cannot be scored, as a line; None where they can.

    Args:
        annotations: the ground truth.
        categories: names of the categories scored, None for all.
    """
    ids = None if categories is None else annotations.ids_of(categories)
    single = [one for _, one in annotations.objects(ids) if not one.crowd]
    without = [one for one in single if one.segmentation is None]
    if single and len(without) == len(single):
        return "masks are not scored: the annotations have none"
    if without:
        return f"masks are not scored: {len(without)} of {len(single)} objects have none ({without[0].name})"
    if single and all(map(_is_its_box, single)):
        return "masks are not scored: those of the annotations are their boxes"
    return None


def check_keypoints(annotations: Annotations, categories: Collection[str]) -> None:
    """Makes sure that keypoints can be scored.

    Raises:
        SepcamError: If nobody has any, or somebody has others than COCO's 17.
    """
    people = [one for _, one in annotations.objects(annotations.ids_of(categories))]
    posed = [one for one in people if one.keypoints is not None]
    if not posed:
        raise SepcamError(f"{annotations.source} has no keypoints of the people in these images")
    for one in posed:
        keypoints_of(one, annotations)


def _image(image: AnnotatedImage, numbers: Mapping[str, int]) -> dict[str, Any]:
    width, height = image.size or (0, 0)
    return {"id": numbers[str(image.id)], "file_name": image.file_name, "width": width, "height": height}


def _object(
    one: AnnotatedObject, image: AnnotatedImage, annotations: Annotations, iou_type: IouType
) -> dict[str, Any]:
    item: dict[str, Any] = {"bbox": list(one.box), "iscrowd": int(one.crowd), "area": one.area}
    if iou_type == "segm" or (one.area is None and one.segmentation is not None and image.size is not None):
        from faster_coco_eval.core import mask as masks

        rle = mask_of(one, image, annotations)
        item["area"] = one.area or float(masks.area(rle))
        if iou_type == "segm":
            item["segmentation"] = rle
    if not item["area"]:
        item["area"] = one.box[2] * one.box[3]
    if iou_type == "keypoints":
        points = keypoints_of(one, annotations)
        item |= {"keypoints": points, "num_keypoints": sum(seen > 0 for seen in points[2::3])}
    return item


def mask_of(one: AnnotatedObject, image: AnnotatedImage, annotations: Annotations) -> dict[str, Any]:
    """The mask of an object as COCO's compressed RLE; that of a crowd without one is its box.

    Raises:
        SepcamError: If the image has no size, which its masks need.
    """
    from faster_coco_eval.core import mask as masks

    if isinstance(one.segmentation, dict):
        return as_rle(one.segmentation)
    if image.size is None:
        raise SepcamError(
            f"{annotations.source}: image {image.id} ({image.file_name}) has no width and height, which the "
            "masks in it need"
        )
    width, height = image.size
    x, y, w, h = one.box
    polygons = one.segmentation or [[x, y, x + w, y, x + w, y + h, x, y + h]]
    made = masks.frPyObjects(polygons, height, width)
    return masks.merge(made) if isinstance(made, list) else made


def keypoints_of(one: AnnotatedObject, annotations: Annotations) -> list[float]:
    """COCO's 17 keypoints of a person as x, y, visibility ...; zeros for who has none.

    Raises:
        SepcamError: If they are others.
    """
    if one.keypoints is None:
        return [0.0] * _KEYPOINT_VALUES
    if len(one.keypoints) != _KEYPOINT_VALUES:
        raise SepcamError(
            f"{annotations.source}: {one.name} has {len(one.keypoints) // 3} keypoints; COCO's 17 are scored"
        )
    return list(one.keypoints)


def _is_its_box(one: AnnotatedObject) -> bool:
    """Whether a segmentation is only the rectangle of the box."""
    if not isinstance(one.segmentation, list) or len(one.segmentation) != 1:
        return False
    points = one.segmentation[0]
    x, y, w, h = one.box
    corners = {(round(px), round(py)) for px, py in zip(points[::2], points[1::2], strict=True)}
    return corners == {(round(px), round(py)) for px in (x, x + w) for py in (y, y + h)}


def _number(key: Any, numbers: Mapping[str, int], annotations: Annotations) -> int:  # noqa: ANN401 - any JSON
    if str(key) not in numbers:
        raise SepcamError(
            f"the results have image {key}, which {annotations.source} lacks: evaluate them with the "
            "annotations of the same images"
        )
    return numbers[str(key)]


def _silent(*_: object) -> None:
    """Takes the place of the library's printing."""
