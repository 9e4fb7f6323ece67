"""How good results are, by the field's own measures: COCO's average precision, MOTChallenge's for tracks."""

import math
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from ...models.errors import SepcamError
from ..annotations.coco import read_coco, read_json
from ..annotations.types import Annotations
from ..files.text import read_text
from .coco_scoring import IouType, average_precision, why_no_masks

CocoKind = Literal["box", "mask", "keypoints"]

_FIELDS: Final[Mapping[CocoKind, tuple[str, IouType]]] = {
    "box": ("bbox", "bbox"),
    "mask": ("segmentation", "segm"),
    "keypoints": ("keypoints", "keypoints"),
}


@dataclass(frozen=True, slots=True)
class CocoFigures:
    """Average precision of one kind of result, each in [0, 1]; NaN where the ground truth has no such object.

    Attributes:
        ap: mean over IoU (for keypoints: OKS) 0.50 to 0.95.
        ap50: at 0.50.
        ap75: at 0.75.
        small: ``ap`` of objects under 32 x 32 pixels; NaN for keypoints, which COCO does not score there.
        medium: ``ap`` of objects from 32 x 32 to 96 x 96 pixels.
        large: ``ap`` of larger ones.
    """

    ap: float
    ap50: float
    ap75: float
    small: float
    medium: float
    large: float


@dataclass(frozen=True, slots=True)
class MotFigures:
    """How well identities were kept over one video; ratios in [0, 1], MOTA may be negative.

    Attributes:
        hota: higher order tracking accuracy, the geometric mean of detection and association.
        deta: its detection accuracy.
        assa: its association accuracy.
        mota: 1 - (misses + false positives + switches) / objects, at IoU 0.5.
        idf1: share of the boxes that carry the right identity throughout, at IoU 0.5.
        switches: times that an object changed its identity.
        false_positives: boxes where no object is.
        misses: objects without a box.
        identities: different identities given out.
    """

    hota: float
    deta: float
    assa: float
    mota: float
    idf1: float
    switches: int
    false_positives: int
    misses: int
    identities: int


def evaluate_coco(
    results: Path | Sequence[Mapping[str, Any]],
    annotations: Path | Annotations,
    *,
    keypoints: Path | Annotations | None = None,
    categories: Collection[str] | None = ("person",),
    images: Collection[int | str] | None = None,
) -> dict[CocoKind, CocoFigures]:
    """COCO's average precision of boxes, masks and keypoints, as far as the results have them.

    Args:
        results: COCO results (a list of dicts with image_id, category_id, score and bbox, segmentation,
            keypoints), or the file that holds them.
        annotations: COCO ``instances`` file, or what was read from it, for boxes and masks. Masks are scored
            only where it has them, see `why_no_masks`.
        keypoints: COCO ``person_keypoints`` file; keypoints are not scored without it.
        categories: names of the categories scored, in any case; None for all.
        images: ids of the images scored, None for all that the annotations have.

    Raises:
        SepcamError: A file that cannot be read, a category that is missing, or results of images that the
            annotations do not know.
    """
    found = read_json(results) if isinstance(results, Path) else list(results)
    objects = read_coco(annotations) if isinstance(annotations, Path) else annotations
    poses = read_coco(keypoints) if isinstance(keypoints, Path) else keypoints
    truths = {
        "box": objects,
        "mask": None if why_no_masks(objects, categories) else objects,
        "keypoints": poses,
    }
    figures: dict[CocoKind, CocoFigures] = {}
    for kind, (field, iou_type) in _FIELDS.items():
        part = [_only(result, field) for result in found if result.get(field)]
        truth = truths[kind]
        if truth is not None and (part or kind == "box"):
            names = ("person",) if kind == "keypoints" else categories
            figures[kind] = _figures(average_precision(part, truth, iou_type, names, images), iou_type)
    return figures


def _figures(stats: Sequence[float], iou_type: IouType) -> CocoFigures:
    small, medium, large = [math.nan, *stats[3:5]] if iou_type == "keypoints" else stats[3:6]
    ap, ap50, ap75 = stats[:3]
    return CocoFigures(ap, ap50, ap75, small, medium, large)


def evaluate_mot(results: Path, truth: Path, *, frames: int | None = None) -> MotFigures:
    """HOTA (Luiten et al. 2020), CLEAR MOT and identity measures of one video, as TrackEval computes them.

    Args:
        results: MOTChallenge text of the tracks, ``frame,id,x,y,w,h,conf,...``, frames from 1.
        truth: the same of the ground truth. Rows whose seventh column is 0 are left out. In files of 10
            columns (MOT15) the last three are world coordinates; in files of 9 (MOT16 on) the eighth is the
            class, of which 1, pedestrians, is scored and 2, 7, 8, 12 are neither right nor wrong.
        frames: score only this many frames alone, None for all.

    Raises:
        SepcamError: A file that can't be read.
    """
    from trackers.eval import evaluate_mot_sequence

    found, wanted = mot_rows(results, frames), mot_rows(truth, frames)
    if not wanted:
        raise SepcamError(f"{truth} has no objects: give a MOTChallenge ground truth (frame,id,x,y,w,h,...)")
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "tracks.txt"), Path(folder, "truth.txt")
        # The library wants at least one row, for which one without an identity does.
        ours.write_text("".join(found) or "1,-1,0,0,1,1,1,1,1\n", encoding="utf-8")
        theirs.write_text("".join(wanted), encoding="utf-8")
        measured = evaluate_mot_sequence(theirs, ours, ["CLEAR", "HOTA", "Identity"])
    clear, hota, identity = measured.CLEAR, measured.HOTA, measured.Identity
    assert clear is not None and hota is not None and identity is not None
    return MotFigures(
        hota=hota.HOTA,
        deta=hota.DetA,
        assa=hota.AssA,
        mota=clear.MOTA,
        idf1=identity.IDF1,
        switches=clear.IDSW,
        false_positives=clear.CLR_FP,
        misses=clear.CLR_FN,
        identities=len({row.split(",")[1] for row in found}),
    )


def _only(result: Mapping[str, Any], field: str) -> dict[str, Any]:
    """One kind of result alone, since the library judges an object's size by whatever it finds first."""
    score = result.get(f"{field}_score", result["score"])
    return {
        "image_id": result["image_id"],
        "category_id": result["category_id"],
        "score": score,
        field: result[field],
    }


def mot_rows(path: Path, frames: int | None = None) -> list[str]:
    """Rows of a MOTChallenge file (frame,id,x,y,w,h,conf,class,visibility), of its first frames or of all.

    Raises:
        SepcamError: If it cannot be read or is none.
    """
    lines = read_text(path).split("\n")
    rows: list[str] = []
    seen: dict[tuple[str, str], int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        rows.append(_mot_row(line, f"{path}, line {number}"))
        frame, identity = rows[-1].split(",")[:2]
        if float(identity) >= 0 and (first := seen.setdefault((frame, identity), number)) != number:
            raise SepcamError(
                f"{path}, line {number}: {identity} is in frame {frame} already, see line {first}"
            )
    return rows if frames is None else [row for row in rows if float(row.split(",")[0]) <= frames]


def _mot_row(line: str, where: str) -> str:
    cells = [cell.strip() for cell in line.split(",")]
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        values = []
    if len(values) >= 2 and not (values[0].is_integer() and values[0] >= 1 and values[1].is_integer()):
        raise SepcamError(f"{where}: frames are whole numbers from 1, and ids whole numbers: {line[:60]!r}")
    if len(values) < 6 or not all(map(math.isfinite, values[:6])):
        raise SepcamError(
            f"{where} is not a valid MOTChallenge row: expected frame,id,x,y,w,h,conf,...; got {line[:60]!r}"
        )
    conf = values[6] if len(values) > 6 else 1.0
    kind = cells[7] if len(values) == 9 else "1"
    return ",".join([*cells[:6], f"{conf:g}", kind, "1"]) + "\n"
