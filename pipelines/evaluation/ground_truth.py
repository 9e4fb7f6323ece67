"""What really is in images: the people of COCO annotations and of MOTChallenge files."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...models.errors import SepcamError
from ...models.types import F32
from ..annotations.types import AnnotatedImage
from .metrics import mot_rows


def people_of(image: AnnotatedImage, categories: Collection[str]) -> F32:
    """The people in an annotated image: (N, 4) float32 x1 y1 x2 y2 in pixels, without crowds.

    Args:
        image: the image.
        categories: ids of the categories of people.
    """
    return _corners([one.box for one in image.objects if one.category in categories and not one.crowd])


def crowds_of(image: AnnotatedImage, categories: Collection[str]) -> F32:
    """The crowds of people in an annotated image: (N, 4) float32 x1 y1 x2 y2 in pixels.

    Args:
        image: the image.
        categories: ids of the categories of people.
    """
    return _corners([one.box for one in image.objects if one.category in categories and one.crowd])


def mot_people(truth: Path) -> Mapping[int, F32]:
    """A MOTChallenge ground truth: (N, 4) float32 x1 y1 x2 y2 in 0-based pixels by frame from 1.

    Raises:
        SepcamError: If the file cannot be read or is none, or nobody in it is scored.
    """
    boxes: dict[int, list[list[float]]] = {}
    for row in mot_rows(truth):
        frame, _, x, y, w, h, conf, kind, _ = map(float, row.split(","))
        if conf and kind == 1:
            boxes.setdefault(int(frame), []).append([x - 1, y - 1, w, h])
    if not boxes:
        raise SepcamError(
            f"{truth} has nobody to score: it needs rows of class 1 (or -1) with a conf other than 0"
        )
    return {frame: _corners(found) for frame, found in boxes.items()}


def _corners(boxes: list[Any]) -> F32:
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    corners[:, 2:] += corners[:, :2]
    return corners
