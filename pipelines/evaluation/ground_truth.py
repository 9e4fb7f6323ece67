"""What really is in images: the people of COCO annotations and of MOTChallenge files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...models.errors import SepcamError
from ...models.types import F32
from .metrics import mot_rows


@dataclass(frozen=True, slots=True)
class CocoImage:
    """One annotated image.

    Attributes:
        id: the one that COCO results name it by.
        people: (N, 4) float32 x1 y1 x2 y2 in pixels; crowds are left out.
    """

    id: int
    people: F32


def coco_people(annotations: Path) -> dict[str, CocoImage]:
    """The images of a COCO ``instances`` file by file name, and the people in them.

    Raises:
        SepcamError: If the file cannot be read or is none.
    """
    try:
        data = json.loads(annotations.read_text(encoding="utf-8"))
        person = {item["id"] for item in data["categories"] if item["name"] == "person"}
        boxes: dict[int, list[list[float]]] = {int(image["id"]): [] for image in data["images"]}
        for item in data["annotations"]:
            if item["category_id"] in person and not item.get("iscrowd"):
                boxes[int(item["image_id"])].append(item["bbox"])
        return {
            Path(image["file_name"]).name: CocoImage(int(image["id"]), _corners(boxes[int(image["id"])]))
            for image in data["images"]
        }
    except OSError as error:
        raise SepcamError(f"{annotations} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SepcamError(f"{annotations} is not a COCO annotations file ({error!r})") from error


def mot_people(truth: Path) -> Mapping[int, F32]:
    """A MOTChallenge ground truth: (N, 4) float32 x1 y1 x2 y2 in 0-based pixels by frame from 1.

    Raises:
        SepcamError: If the file cannot be read or is none.
    """
    boxes: dict[int, list[list[float]]] = {}
    for row in mot_rows(truth):
        frame, _, x, y, w, h, conf, kind, _ = map(float, row.split(","))
        if conf and kind == 1:
            boxes.setdefault(int(frame), []).append([x - 1, y - 1, w, h])
    return {frame: _corners(found) for frame, found in boxes.items()}


def _corners(boxes: list[Any]) -> F32:
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    corners[:, 2:] += corners[:, :2]
    return corners
