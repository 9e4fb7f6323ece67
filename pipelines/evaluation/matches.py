"""Which results of an image are right at which overlap: what curves and intervals are computed from."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ...models.ops.coco import SIGMAS
from ..annotations.types import AnnotatedImage, AnnotatedObject, Annotations
from .coco_scoring import IouType, keypoints_of, mask_of

OVERLAPS: Final = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""The overlaps (IoU; OKS of keypoints) at which COCO's average precision is taken."""

_MOST: Final[Mapping[IouType, int]] = {"bbox": 100, "segm": 100, "keypoints": 20}  # results of an image
_FIELDS: Final[Mapping[IouType, str]] = {"bbox": "bbox", "segm": "segmentation", "keypoints": "keypoints"}

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Matches:
    """The results of one image, matched with the ground truth.

    Attributes:
        scores: (N,) float64, the best first.
        right: (N, 10) bool, whether each has an object of its own at each of ``OVERLAPS``.
        ignored: (N, 10) bool, whether each is neither right nor wrong: it is of a crowd, or of
            somebody without keypoints.
        objects: how many there are to be found.
    """

    scores: npt.NDArray[np.float64]
    right: Bools
    ignored: Bools
    objects: int

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; the overlaps are bits of a number, the lowest overlap is bit 0."""
        bits = 1 << np.arange(len(OVERLAPS))
        return {
            "objects": self.objects,
            "scores": [round(score, 5) for score in self.scores.tolist()],
            "right": (self.right @ bits).tolist(),
            "ignored": (self.ignored @ bits).tolist(),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Matches":
        """What ``to_json`` returned.

        Raises:
            KeyError, TypeError, ValueError: If it is something else.
        """
        scores = np.array(values["scores"], np.float64).reshape(-1)
        bits = 1 << np.arange(len(OVERLAPS))
        right, ignored = (
            np.array(values[name], np.int64).reshape(len(scores), 1) & bits != 0
            for name in ("right", "ignored")
        )
        return cls(scores, right, ignored, int(values["objects"]))


def match(
    overlap: npt.NDArray[np.floating],
    scores: npt.NDArray[np.floating],
    crowd: Bools,
    optional: Bools | None = None,
) -> Matches:
    """Matches results with objects by COCO's rules: the best score first, each with the best free object.

    Args:
        overlap: (N, M) of each result with each object.
        scores: (N,), in any order.
        crowd: (M,) which objects stand for several, and so take any number of results.
        optional: (M,) which others need not be found: each takes one result, which is neither right nor
            wrong; None if all must be found.
    """
    order = np.argsort(-scores, kind="mergesort")
    overlap = np.asarray(overlap, np.float64).reshape(len(scores), len(crowd))[order]
    wanted = ~crowd if optional is None else ~(crowd | optional)
    right = np.zeros((len(scores), len(OVERLAPS)), np.bool_)
    ignored = right.copy()
    for place, least in enumerate(OVERLAPS):
        free = np.ones(len(crowd), np.bool_)
        for row, values in enumerate(overlap):
            able = (values >= min(least, 1 - 1e-10)) & (free | crowd)
            able = able & wanted if (able & wanted).any() else able
            if able.any():
                taken = np.where(able, values, -1).argmax()
                free[taken] = False
                right[row, place], ignored[row, place] = wanted[taken], not wanted[taken]
    return Matches(np.asarray(scores, np.float64)[order], right, ignored, int(wanted.sum()))


def match_all(
    found: Sequence[Mapping[str, Any]],
    annotations: Annotations,
    iou_type: IouType,
    categories: Collection[str],
) -> dict[str, Matches]:
    """The results of a data set, image by image.

    Args:
        found: COCO results with the ids of the annotations.
        annotations: the ground truth.
        iou_type: what is compared; results without it are left out.
        categories: names of the categories scored, together as one.

    Returns:
        By the image's file name.
    """
    wanted = annotations.ids_of(categories)
    field = _FIELDS[iou_type]
    by_image: dict[str, list[Mapping[str, Any]]] = {}
    for result in found:
        if result.get(field) and str(result["category_id"]) in wanted:
            by_image.setdefault(str(result["image_id"]), []).append(result)
    matches = {}
    for image in annotations.images:
        objects = [one for one in image.objects if one.category in wanted]
        results = by_image.get(str(image.id), [])
        scores = np.array([one.get(f"{field}_score", one["score"]) for one in results], np.float64)
        kept = np.argsort(-scores, kind="mergesort")[: _MOST[iou_type]]
        results = [results[row] for row in kept]
        crowd = np.array([one.crowd for one in objects], np.bool_)
        without = [
            iou_type == "keypoints" and not any(keypoints_of(one, annotations)[2::3]) for one in objects
        ]
        overlap = _overlap(results, objects, image, annotations, iou_type)
        matches[image.file_name] = match(overlap, scores[kept], crowd, np.array(without, np.bool_))
    return matches


def _overlap(
    results: Sequence[Mapping[str, Any]],
    objects: Sequence[AnnotatedObject],
    image: AnnotatedImage,
    annotations: Annotations,
    iou_type: IouType,
) -> npt.NDArray[np.float64]:
    """(N, M) overlaps of results with objects."""
    if not results or not objects:
        return np.zeros((len(results), len(objects)))
    if iou_type == "keypoints":
        rows = [[_oks(result["keypoints"], one, annotations) for one in objects] for result in results]
        return np.array(rows, np.float64)
    from faster_coco_eval.core import mask as masks

    crowd = [int(one.crowd) for one in objects]
    if iou_type == "segm":
        theirs: Any = [mask_of(one, image, annotations) for one in objects]
        ours: Any = [result["segmentation"] for result in results]
    else:
        theirs = np.array([one.box for one in objects], np.float64)
        ours = np.array([result["bbox"] for result in results], np.float64)
    return np.asarray(masks.iou(ours, theirs, crowd), np.float64).reshape(len(results), len(objects))


def _oks(found: Sequence[float], one: AnnotatedObject, annotations: Annotations) -> float:
    """Object keypoint similarity, as COCO defines it."""
    truth = np.array(keypoints_of(one, annotations)).reshape(-1, 3)
    points = np.array(found, np.float64).reshape(-1, 3)
    x, y, wide, high = one.box
    seen = truth[:, 2] > 0
    if seen.any():
        apart = points[:, :2] - truth[:, :2]
    else:  # somebody who is neither right nor wrong takes what lies within twice the box
        low, far = np.array([x - wide, y - high]), np.array([x + 2 * wide, y + 2 * high])
        apart = np.maximum(0, low - points[:, :2]) + np.maximum(0, points[:, :2] - far)
        seen = np.ones(len(truth), np.bool_)
    area = one.area or wide * high
    errors = (apart**2).sum(1) / (2 * np.array(SIGMAS) / 1000) ** 2 / (area + np.spacing(1)) / 2
    return float(np.exp(-errors[seen]).mean())
