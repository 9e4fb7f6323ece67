"""A labeled image, whatever its annotations looked like."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..cache import sha256_of
from ..errors import SepcamError
from ..types import F32, U8

SMALLEST_SPLIT = 4
"""Images below which none can be held out."""

_ONE = {
    "images": "image",
    "people": "person",
    "with masks": "with a mask",
    "ignored regions": "ignored region",
    "partly labeled images": "partly labeled image",
}

_FINER = 4  # OpenCV draws the edge of a polygon half a pixel beyond it: of a finer grid

Outline = tuple[tuple[F32, ...], ...]
"""Parts of a mask, which is their union.

Each is one or more (P, 2) polygons, x y in pixels; a hole is where an even number of its polygons overlap.
"""


@dataclass(frozen=True, slots=True)
class Person:
    """The labels of one person; what is None is unlabeled, not absent.

    Attributes:
        box: (4,) float32 x1 y1 x2 y2 in image pixels, within the image.
        keypoints: (17, 3) float32 x, y in image pixels and COCO's visibility (0 unlabeled, 1 hidden, 2
            visible), or None.
        outline: of the mask, or None.
    """

    box: F32
    keypoints: F32 | None = None
    outline: Outline | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One image and who is in it.

    Attributes:
        path: of the image.
        size: (height, width) in pixels.
        people: those who are labeled.
        ignored: (N, 4) float32 x1 y1 x2 y2, regions that are neither right nor wrong, such as crowds.
        complete: whether everyone outside ``ignored`` is labeled. Where not, an unlabeled place may show
            somebody.
    """

    path: Path
    size: tuple[int, int]
    people: tuple[Person, ...]
    ignored: F32
    complete: bool = True


def fill(outline: Outline, size: tuple[int, int]) -> U8:
    """A mask in an image of (height, width) pixels: (H, W) uint8, how much of each is inside, of 255."""
    fine = size[0] * _FINER, size[1] * _FINER
    mask = np.zeros(fine, np.uint8)
    for part in outline:
        layer = np.zeros(fine, np.uint8) if len(part) > 1 else mask
        # OpenCV counts from the middle of the first pixel, the labels from its corner.
        places = [np.round((polygon * _FINER - 0.5) * 16).astype(np.int32) for polygon in part]
        cv2.fillPoly(layer, places, 255, shift=4)
        if layer is not mask:
            np.maximum(mask, layer, out=mask)
    return np.asarray(cv2.resize(mask, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def split(samples: Sequence[Sample], held_out: float) -> tuple[list[Sample], list[Sample]]:
    """The samples to train on and those to measure on, chosen by the file names alone.

    Only where there are not enough images in which everyone is labeled are others measured on.

    Args:
        samples: all.
        held_out: the fraction to measure on, in (0, 1).

    Raises:
        SepcamError: If there are too few images, or too few of them show people.
    """
    if len(samples) < SMALLEST_SPLIT:
        are = "1 labeled image is" if len(samples) == 1 else f"{len(samples)} labeled images are"
        raise SepcamError(f"{are} too few: training needs {SMALLEST_SPLIT}, better 50")
    order = sorted(samples, key=lambda one: (not one.complete, _random(one)))
    shown = [one for one in order if one.people]
    if len(shown) < 2:
        raise SepcamError("fewer than two images show a labeled person: nothing can be learned from them")
    count = min(max(round(held_out * len(order)), 1), len(order) - 1)
    # Somebody is on either side: an image without people measures nothing.
    order.remove(shown[0])
    order.remove(shown[-1])
    order = [shown[0], *order, shown[-1]]
    return order[count:], order[:count]


def _random(sample: Sample) -> bytes:
    """Bytes that only the file name decides."""
    return hashlib.sha256(sample.path.name.encode("utf-8", "replace")).digest()


@dataclass(frozen=True, slots=True)
class SampleDigest:
    """What tells whether a sample has changed.

    Attributes:
        name: of the file.
        image: SHA-256 of the file.
        labels: SHA-256 of everything else.
    """

    name: str
    image: str
    labels: str


def digest(sample: Sample) -> SampleDigest:
    """The hashes of a sample."""
    made = hashlib.sha256(f"{sample.size} {sample.complete}".encode())
    made.update(sample.ignored.tobytes())
    for person in sample.people:
        for array in (person.box, person.keypoints, *(p for part in person.outline or () for p in part)):
            made.update(b"-" if array is None else array.tobytes())
    return SampleDigest(sample.path.name, sha256_of(sample.path), made.hexdigest())


def describe(samples: Sequence[Sample]) -> dict[str, int]:
    """How much is labeled in them."""
    people = [person for sample in samples for person in sample.people]
    return {
        "images": len(samples),
        "people": len(people),
        "with keypoints": sum(person.keypoints is not None for person in people),
        "with masks": sum(person.outline is not None for person in people),
        "ignored regions": sum(len(sample.ignored) for sample in samples),
        "partly labeled images": sum(not sample.complete for sample in samples),
    }


def in_words(samples: Sequence[Sample]) -> str:
    """What `describe` counts, as a line of text."""
    counts = describe(samples)
    return ", ".join(f"{n} {_ONE.get(what, what) if n == 1 else what}" for what, n in counts.items() if n)
