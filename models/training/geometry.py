"""Where a training example lies in its image: scale, crop, rotation and flip as one affine map."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ..ops.coco import KEYPOINTS
from ..types import F32, U8
from .samples import Outline, Person, Sample

F64 = npt.NDArray[np.float64]

_SIDES = {"left": "right", "right": "left"}
_FLIPPED = [
    KEYPOINTS.index("_".join(_SIDES.get(word, word) for word in name.split("_"))) for name in KEYPOINTS
]
_CLOSE_UP = (70.0, 260.0)  # pixels of the input that a person is high, as in a crop or near the camera
_FILLED = 0.85  # of the input, that such a person fills at most
_FAR = (22.0, 90.0)  # and as in a look at a wide view
_NEAR_SHARE, _FAR_SHARE = 0.4, 0.12  # of the examples; the others show the image at about the input's size
_ZOOM = (0.75, 1.6)  # of those, against the image as a look fits it
_ANYWHERE = 0.5  # fraction of those that are not centered on somebody
_SHAPE = 0.12  # log of how much wider or higher than it is an example may be shown
_TILTED, _TILT = 0.3, 12.0  # fraction of the examples that are rotated, and standard deviation in degrees


@dataclass(frozen=True, slots=True)
class Placement:
    """An affine map from an image into an input.

    Attributes:
        matrix: (2, 3) float64; a pixel's middle is half a pixel from its edges in both.
        flipped: whether left and right are swapped.
        scale: input pixels per image pixel, roughly.
        turned: whether it rotates.
    """

    matrix: F64
    flipped: bool
    scale: float
    turned: bool

    def points(self, points: F32) -> F32:
        """(..., 2) float32 x, y of the image in the input."""
        return (points @ self.matrix[:, :2].T + self.matrix[:, 2]).astype(np.float32)

    def box(self, person: Person) -> F32:
        """(4,) float32 box of a person in the input, not clipped.

        Of a rotated box the size lies between the box's own and that of its rotated corners; a mask tells it
        exactly.
        """
        if self.turned and person.outline is not None:
            places = self.points(np.concatenate([one for part in person.outline for one in part]))
            return np.concatenate([places.min(0), places.max(0)])
        x1, y1, x2, y2 = person.box
        corners = self.points(np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32))
        middle, half = corners.mean(0), (corners.max(0) - corners.min(0)) / 2
        if self.turned:
            own = np.array([np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])])
            half = (half + own / 2) / 2
        return np.concatenate([middle - half, middle + half]).astype(np.float32)

    def keypoints(self, keypoints: F32 | None, size: int) -> F32:
        """(17, 3) float32 in the input; those outside it, and all of None, are unlabeled (zeros)."""
        if keypoints is None:
            return np.zeros((len(KEYPOINTS), 3), np.float32)
        moved = np.concatenate([self.points(keypoints[:, :2]), keypoints[:, 2:]], 1)
        if self.flipped:
            moved = moved[_FLIPPED]
        inside = ((moved[:, :2] >= 0) & (moved[:, :2] < size)).all(1)
        moved[~inside | (moved[:, 2] == 0)] = 0
        return moved

    def outline(self, outline: Outline) -> Outline:
        """An outline in the input."""
        return tuple(tuple(self.points(polygon) for polygon in part) for part in outline)

    def warp(self, image: U8, size: int) -> U8:
        """The (size, size, C) input with an (H, W, C) image; every pixel of a larger image counts."""
        factor = np.ones(2)
        if self.scale < 1:
            height, width = image.shape[:2]
            small = max(round(width * self.scale), 1), max(round(height * self.scale), 1)
            image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.uint8)
            factor = np.array([small[0] / width, small[1] / height])
        # `warpAffine` counts from the middle of the first pixel, the labels from its corner.
        matrix = self.matrix.copy()
        matrix[:, :2] /= factor
        matrix[:, 2] += matrix[:, :2].sum(1) / 2 - 0.5
        return np.asarray(cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR), np.uint8)


def place(sample: Sample, size: int, rng: np.random.Generator) -> Placement:
    """A random placement of an image in a (size, size) input: near people, or the image as a whole."""
    height, width = sample.size
    fitted = size / max(height, width)
    kind = rng.random()
    person = sample.people[rng.integers(len(sample.people))] if sample.people else None
    scale = fitted * _between(_ZOOM, rng)
    focus = None
    if person is not None:
        left, top, right, bottom = person.box.tolist()
        focus = left + (right - left) * rng.uniform(0.2, 0.8), top + (bottom - top) * rng.uniform(0.2, 0.8)
        if kind < _NEAR_SHARE + _FAR_SHARE:
            low, high = _CLOSE_UP if kind < _NEAR_SHARE else _FAR
            wanted = _between((low, max(min(high, _FILLED * size), low)), rng)
            # No more than four times the image's own pixels: beyond that there is nothing to see.
            scale = min(wanted / max(bottom - top, right - left, 1.0), 4 * max(fitted, 1.0))
        elif rng.random() < _ANYWHERE:
            focus = None
    view = size / scale  # image pixels that the input shows
    x, y = (None, None) if focus is None else focus
    center = np.array([_center(width, view, x, rng), _center(height, view, y, rng)])
    return _placement(center, scale, size, rng)


def onto(person: Person, height: float, middle: tuple[float, float], rng: np.random.Generator) -> Placement:
    """A placement that shows a person this many pixels high around a point of the input."""
    scale = height / max(float(person.box[3] - person.box[1]), 1.0)
    center = (person.box[:2] + person.box[2:]).astype(np.float64) / 2
    placed = _placement(center, scale, 0, rng)
    placed.matrix[:, 2] += middle
    return placed


def _placement(center: F64, scale: float, size: int, rng: np.random.Generator) -> Placement:
    flipped = bool(rng.random() < 0.5)
    turned = bool(rng.random() < _TILTED)
    angle = np.deg2rad(rng.normal(0, _TILT)) if turned else 0.0
    shape = np.exp(rng.uniform(-_SHAPE, _SHAPE) / 2)
    sx, sy = scale * shape * (-1 if flipped else 1), scale / shape
    cos, sin = np.cos(angle), np.sin(angle)
    linear = np.array([[cos * sx, -sin * sy], [sin * sx, cos * sy]])
    matrix = np.concatenate([linear, (size / 2 - linear @ center)[:, None]], 1)
    return Placement(matrix, flipped, float(scale), turned)


def _center(length: int, view: float, focus: float | None, rng: np.random.Generator) -> float:
    """Where the middle of a view lies: on what it shows, within the image where that is larger."""
    if view >= length:
        return length / 2 + rng.uniform(-0.5, 0.5) * (view - length)
    at = rng.uniform(0, length) if focus is None else focus + rng.uniform(-0.25, 0.25) * view
    return float(np.clip(at, view / 2, length - view / 2))


def _between(limits: tuple[float, float], rng: np.random.Generator) -> float:
    low, high = np.log(limits)
    return float(np.exp(rng.uniform(low, high)))
