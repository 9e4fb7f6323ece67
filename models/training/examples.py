"""Training examples: inputs of the network with everyone's labels, altered at random.

An example is a function of the data, the seed and its number alone, so that a resumed training sees the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from ..types import F32, U8
from .geometry import Placement, onto, place
from .samples import Sample, fill

LONGEST = 1280
"""Longer side in pixels that images are reduced to when they are read."""

_VISIBLE = 0.25  # fraction of a box that must lie in the input; with less it is neither right nor wrong
_LEAST = (5.0, 12.0)  # width and height in pixels below which a person is neither right nor wrong
_PASTED = 0.35  # fraction of the examples that somebody is pasted into
_PASTED_HEIGHT = (45.0, 250.0)
_COVERED = 0.6  # fraction of a person behind a pasted one beyond which that person is no longer labeled
_HALF = 127  # of a mask's 255: more of the pixel is inside than outside
_BYTES = 1 << 30  # of images that are kept in memory

ReadImage = Callable[[Path], U8]
"""An (H, W, 3) uint8 BGR image from its file."""


@dataclass(frozen=True, slots=True)
class Example:
    """One input of the network with its labels, in pixels of the input.

    Attributes:
        image: (S, S, 3) uint8 BGR.
        boxes: (N, 4) float32 x1 y1 x2 y2, within the input.
        keypoints: (N, 17, 3) float32 x, y and COCO's visibility; 0 is unlabeled.
        masks: of each person (S, S) uint8, 255 inside; None where unlabeled.
        ignored: (M, 4) float32, regions that are neither right nor wrong.
        complete: whether everyone outside those is labeled.
    """

    image: U8
    boxes: F32
    keypoints: F32
    masks: tuple[U8 | None, ...]
    ignored: F32
    complete: bool


class Examples:
    """The examples of a data set, by their numbers.

    Args:
        samples: one or more.
        read: reads an image.
        seed: of everything random.
    """

    def __init__(self, samples: Sequence[Sample], read: ReadImage, seed: int) -> None:
        self._samples, self._read, self._seed = samples, read, seed
        self._donors = [
            (index, number)
            for index, sample in enumerate(samples)
            for number, person in enumerate(sample.people)
            if person.outline is not None and min(person.box[2:] - person.box[:2]) >= 24
        ]
        self._kept: dict[Path, tuple[U8, float]] = {}
        self._room = _BYTES

    def make(self, number: int, size: int) -> Example:
        """An example in (size, size) pixels; every sample comes once before any comes twice."""
        epoch, place_in_epoch = divmod(number, len(self._samples))
        order = np.random.default_rng((self._seed, 1, epoch)).permutation(len(self._samples))
        rng = np.random.default_rng((self._seed, 2, number))
        sample = self._samples[order[place_in_epoch]]
        made = self._shown(sample, place(sample, size, rng), size)
        if self._donors and rng.random() < _PASTED:
            made = self._with_pasted(made, rng)
        return replace(made, image=_recolored(made.image, rng))

    def _shown(self, sample: Sample, placement: Placement, size: int) -> Example:
        image = self._warped(sample, placement, size)
        boxes: list[F32] = []
        keypoints: list[F32] = []
        masks: list[U8 | None] = []
        corners = map(placement.points, sample.ignored.reshape(-1, 2, 2))
        regions = [np.concatenate([pair.min(0), pair.max(0)]) for pair in corners]
        for person in sample.people:
            whole = placement.box(person)
            box = whole.clip(0, size)
            sides = box[2:] - box[:2]
            if (sides <= 0).any():
                continue
            shown = float(sides.prod() / max(float((whole[2:] - whole[:2]).prod()), 1e-6))
            if shown < _VISIBLE or sides[0] < _LEAST[0] or sides[1] < _LEAST[1]:
                regions.append(box)
                continue
            boxes.append(box)
            keypoints.append(placement.keypoints(person.keypoints, size))
            outline = person.outline
            masks.append(None if outline is None else fill(placement.outline(outline), (size, size)))
        return Example(
            image,
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array(keypoints, np.float32).reshape(-1, 17, 3),
            tuple(masks),
            np.array(regions, np.float32).reshape(-1, 4).clip(0, size),
            sample.complete,
        )

    def _with_pasted(self, example: Example, rng: np.random.Generator) -> Example:
        """With somebody from another image in front of everyone."""
        index, number = self._donors[rng.integers(len(self._donors))]
        sample = self._samples[index]
        person = sample.people[number]
        size = len(example.image)
        assert person.outline is not None  # that is what makes a donor
        height = min(np.exp(rng.uniform(*np.log(_PASTED_HEIGHT))), 0.8 * size)
        around = (rng.uniform(0.1, 0.9) * size, rng.uniform(0.3, 0.8) * size)
        placement = onto(person, float(height), around, rng)
        mask = fill(placement.outline(person.outline), (size, size))
        whole = placement.box(person)
        box = whole.clip(0, size)
        visible = (box[2:] - box[:2]).prod() / max(float((whole[2:] - whole[:2]).prod()), 1e-6)
        if visible < 2 * _VISIBLE or not (mask > _HALF).any():
            return example
        alpha = cv2.GaussianBlur(mask, (0, 0), 0.7)[..., None].astype(np.float32) / 255
        shown = self._warped(sample, placement, size)
        image = (example.image + alpha * (shown.astype(np.float32) - example.image)).astype(np.uint8)
        behind = _behind(replace(example, image=image), mask)
        return replace(
            behind,
            boxes=np.concatenate([behind.boxes, box[None]]),
            keypoints=np.concatenate([behind.keypoints, placement.keypoints(person.keypoints, size)[None]]),
            masks=(*behind.masks, mask),
        )

    def _warped(self, sample: Sample, placement: Placement, size: int) -> U8:
        image, factor = self._image(sample.path)
        matrix = placement.matrix.copy()
        matrix[:, :2] /= factor
        reduced = replace(placement, matrix=matrix, scale=placement.scale / factor)
        return reduced.warp(image, size)

    def _image(self, path: Path) -> tuple[U8, float]:
        """An image of at most `LONGEST` pixels, and by how much it was reduced."""
        known = self._kept.get(path)
        if known is not None:
            return known
        image = self._read(path)
        factor = min(1.0, LONGEST / max(image.shape[:2]))
        if factor < 1:
            height, width = image.shape[:2]
            small = max(round(width * factor), 1), max(round(height * factor), 1)
            image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.uint8)
        if image.nbytes <= self._room:
            self._room -= image.nbytes
            self._kept[path] = image, factor
        return image, factor


def _behind(example: Example, front: U8) -> Example:
    """An example whose people are hidden by a mask ``front``, (S, S) uint8."""
    hidden = front > _HALF
    boxes, kept, regions = example.boxes.copy(), [], list(example.ignored)
    keypoints, masks = example.keypoints.copy(), list(example.masks)
    for index, (box, mask) in enumerate(zip(boxes, masks, strict=True)):
        x1, y1, x2, y2 = np.concatenate([np.floor(box[:2]), np.ceil(box[2:])]).astype(int)
        area = hidden[y1:y2, x1:x2]
        own = np.ones_like(area) if mask is None else mask[y1:y2, x1:x2] > _HALF
        if not own.any() or area[own].mean() > _COVERED:
            regions.append(box)
            continue
        kept.append(index)
        if mask is not None:
            masks[index] = left = np.where(hidden, np.uint8(0), mask)
            ys, xs = np.nonzero(left[y1:y2, x1:x2] > _HALF)
            boxes[index] = (x1 + xs.min(), y1 + ys.min(), x1 + xs.max() + 1, y1 + ys.max() + 1)
        cells = keypoints[index, :, :2].astype(int)
        keypoints[index, hidden[cells[:, 1], cells[:, 0]]] = 0
    return replace(
        example,
        boxes=boxes[kept],
        keypoints=keypoints[kept],
        masks=tuple(masks[index] for index in kept),
        ignored=np.array(regions, np.float32).reshape(-1, 4),
    )


def _recolored(image: U8, rng: np.random.Generator) -> U8:
    """Other light, color, sharpness and compression."""
    values = image.astype(np.float32) * rng.uniform(0.7, 1.3) + rng.uniform(-20, 20)
    kind = rng.random()
    if kind < 0.1:
        values = np.repeat(values.mean(2, keepdims=True), 3, 2)
    elif kind < 0.6:
        values *= rng.uniform(0.88, 1.12, 3).astype(np.float32)
    made: U8 = np.clip(values, 0, 255).astype(np.uint8)
    kind = rng.random()
    if kind < 0.1:
        made = np.asarray(cv2.GaussianBlur(made, (0, 0), rng.uniform(0.5, 1.4)), np.uint8)
    elif kind < 0.15:
        length = int(rng.integers(3, 8))
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        made = np.asarray(cv2.filter2D(made, -1, kernel if rng.random() < 0.5 else kernel.T), np.uint8)
    if rng.random() < 0.3:
        _, data = cv2.imencode(".jpg", made, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 91))])
        made = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return made
