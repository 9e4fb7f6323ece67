"""Where people stand: by their ankles where these are seen, else by the middle of the box's lower edge."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...models.types import F32, I64
from ..types import Instances

SEEN: Final = 0.5
"""Score from which an ankle counts as seen."""

_SOLE = 0.039
"""Height of the ankle over the ground, of a standing person's height (Drillis and Contini 1966)."""

_LOW = 0.6  # of the box: an ankle above it belongs to somebody who sits, lies or is mistaken


@dataclass(frozen=True, slots=True)
class Places:
    """The tracked objects of a frame on the ground.

    Attributes:
        ids: (N,) int64 identities.
        labels: N class names.
        feet: (N, 2) float32 x, y in pixels, inside the frame.
        heights: (N,) float32 heights of the boxes in pixels.
    """

    ids: I64
    labels: Sequence[str]
    feet: F32
    heights: F32


def places_of(found: Instances, keypoint_names: Sequence[str] = ()) -> Places:
    """Where the objects of a frame stand; nobody where there are no identities.

    Args:
        found: the objects.
        keypoint_names: of their keypoints, which tell the ankles.
    """
    boxes = found.boxes
    feet = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], 1)
    heights = boxes[:, 3] - boxes[:, 1]
    ankles = [i for i, name in enumerate(keypoint_names) if name.endswith("ankle")]
    if found.keypoints is not None and ankles:
        points = found.keypoints[:, ankles]  # (N, 2, 3)
        lowest = boxes[:, 1] + _LOW * heights
        seen = (points[..., 2] >= SEEN) & (points[..., 1] >= lowest[:, None])
        count = seen.sum(1, keepdims=True)
        mean = (points[..., :2] * seen[..., None]).sum(1) / np.maximum(count, 1)
        mean[:, 1] += _SOLE * heights
        feet = np.where(count > 0, mean, feet)
    height, width = found.size
    feet = feet.clip(0, (width - 1, height - 1)).astype(np.float32)
    ids = np.zeros(len(found), np.int64) if found.track_ids is None else found.track_ids
    known = np.full(len(found), found.track_ids is not None)
    if found.coasted is not None:  # expected there, but not seen
        known &= ~found.coasted
    labels = [found.names[int(label)] for label in found.labels[known]]
    return Places(ids[known], labels, feet[known], heights[known])
