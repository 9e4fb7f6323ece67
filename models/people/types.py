"""What looks at an image find, before it is reported."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from ..types import F32, I64

LIKELY = 0.2
"""MoveNet's score from which on a keypoint is taken to be there.

Of the labeled keypoints of people found in 79 COCO val images, those of 0.14 to 0.2 are right one time
in four, 0.2 to 0.3 three times in five, 0.3 to 0.4 three in four, above 0.6 nearly always.
"""


@dataclass(frozen=True, slots=True)
class People:
    """N people, in pixels of the network's input or of the image.

    Attributes:
        boxes: (N, 4) float32 x1 y1 x2 y2.
        scores: (N,) float32 in [0, 1], that there is a person with this box.
        keypoints: (N, 17, 3) float32 x, y and score in [0, 1], in COCO's order.
        pose_scores: (N,) float32 in [0, 1], that there is a person with these keypoints.
        centers: (N,) float32 in [0, 1], the network's own score of the person's center.
        views: (N,) int64, index of the view of the image that shows them; -1 is none.
    """

    boxes: F32
    scores: F32
    keypoints: F32
    pose_scores: F32
    centers: F32
    views: I64

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: npt.NDArray[np.bool_] | I64 | slice) -> "People":
        # Written out: going through the fields by name takes several times as long.
        return People(
            self.boxes[index],
            self.scores[index],
            self.keypoints[index],
            self.pose_scores[index],
            self.centers[index],
            self.views[index],
        )

    @classmethod
    def empty(cls) -> "People":
        """Nobody."""
        none = np.zeros(0, np.float32)
        keypoints = np.zeros((0, 17, 3), np.float32)
        return cls(np.zeros((0, 4), np.float32), none, keypoints, none, none, np.zeros(0, np.int64))

    @classmethod
    def concat(cls, parts: Sequence["People"]) -> "People":
        """All people of one or more."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


@dataclass(frozen=True, slots=True)
class View:
    """How one input of the network shows the image: input = (image - origin) * scale, in pixels.

    Attributes:
        origin: x, y in the image of the input's upper left corner.
        scale: input pixels per image pixel, in x and y.
    """

    origin: tuple[float, float]
    scale: tuple[float, float]

    def to_image(self, people: People) -> People:
        """The people, found in this view's input, in the image."""
        return mapped(people, 1 / np.array(self.scale), np.array(self.origin))


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look leaves for the mask head.

    Attributes:
        view: of the image.
        features: (H / 4, W / 4, 24) float32 of the input.
    """

    view: View
    features: F32


def with_likelihoods(keypoints: F32) -> F32:
    """(..., 3) float32 keypoints, the scores stretched so that 0.5 is where one is taken to be there."""
    scores = np.interp(keypoints[..., 2], (0, LIKELY, 1), (0, 0.5, 1))
    return np.concatenate([keypoints[..., :2], scores[..., None]], -1).astype(np.float32)


def within(people: People, shape: tuple[int, ...]) -> People:
    """The people with their boxes clipped to an image of ``shape`` (height, width, ...)."""
    height, width = shape[:2]
    boxes = np.minimum(np.maximum(people.boxes, 0), np.array([width, height, width, height], np.float32))
    return placed(people, boxes, people.keypoints)


def mapped(people: People, factor: npt.NDArray[np.float64], shift: npt.NDArray[np.float64]) -> People:
    """The people with x and y times ``factor`` plus ``shift``: (2,), or (N, 1, 2) for each their own."""
    boxes = people.boxes.reshape(-1, 2, 2) * factor + shift
    keypoints = people.keypoints.copy()
    keypoints[..., :2] = keypoints[..., :2] * factor + shift
    return placed(people, boxes.reshape(-1, 4).astype(np.float32), keypoints)


def placed(people: People, boxes: F32, keypoints: F32) -> People:
    """The people with other boxes and keypoints."""
    return People(boxes, people.scores, keypoints, people.pose_scores, people.centers, people.views)
