"""What the networks give back, and the protocols that any detector or pose network follows."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, get_args, overload, runtime_checkable

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

ConvKind = Literal["separable", "standard"]
"""The two forms of a network's convolutions; ``blocks`` knows what they mean."""
Part = Literal["pose", "segment"]
"""What a network may find besides boxes: keypoints of people (``pose``), and masks (``segment``)."""
ALL_PARTS: Final[frozenset[Part]] = frozenset(get_args(Part))
DEFAULT_POSE: Final = "people"
"""The pose network of detectors that find boxes alone: it ships with Sepcam."""
Crop = tuple[U8, int, int]
"""A mask: (h, w) uint8, 1 where the object is; and its left and upper edge in image pixels, 0-based."""


class LazyMasks(Sequence[Crop]):
    """Masks that are computed when one of them is first read: mostly, few of those found are reported.

    Args:
        compute: gives the masks of (N,) rows of what was found; people overlap as they do among these alone.
        rows: the ones that these masks are of.
    """

    def __init__(self, compute: Callable[[I64], Sequence[Crop]], rows: I64) -> None:
        self._compute, self._rows = compute, rows
        self._found: Sequence[Crop] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Crop: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Crop]: ...
    def __getitem__(self, index: int | slice) -> Crop | Sequence[Crop]:
        if self._found is None:
            self._found = self._compute(self._rows)
        return self._found[index]

    def of(self, rows: I64) -> "LazyMasks":
        """Those of some of these rows alone."""
        return LazyMasks(self._compute, self._rows[rows])

    def locked(self, lock: threading.Lock) -> "LazyMasks":
        """The same, computed while the lock is held."""

        def compute(rows: I64) -> Sequence[Crop]:
            with lock:
                return self._compute(rows)

        return LazyMasks(compute, self._rows)

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)


@dataclass(frozen=True, slots=True)
class Detections:
    """Boxes found in one image, best score first.

    Attributes:
        boxes: (N, 4) float32, x1 y1 x2 y2 in image pixels, clipped to the image.
        scores: (N,) float32 in [0, 1].
        labels: (N,) int64, 0-based index into ``Detector.labels``.
        keypoints: (N, K, 3) float32 x, y in image pixels and score in [0, 1], from a network that finds
            ``pose``; or None.
        masks: N crops, from a network that finds ``segment``; or None.
        pose_scores: (N,) float32 in [0, 1], that the object is there with these keypoints, where the network
            says that too; or None.
        colors: (N, C) float32 by which a tracker tells them apart, see `pipelines.tracking.colors`; or None.
    """

    boxes: F32
    scores: F32
    labels: I64
    keypoints: F32 | None = None
    masks: Sequence[Crop] | None = None
    pose_scores: F32 | None = None
    colors: F32 | None = None

    def __post_init__(self) -> None:
        n = len(self.boxes)
        if self.boxes.shape != (n, 4) or self.scores.shape != (n,) or self.labels.shape != (n,):
            shapes = f"{self.boxes.shape}, {self.scores.shape}, {self.labels.shape}"
            raise ValueError(f"boxes, scores and labels must be (N, 4), (N,), (N,), are {shapes}")
        if self.keypoints is not None and (self.keypoints.ndim != 3 or self.keypoints.shape[::2] != (n, 3)):
            raise ValueError(f"keypoints must be ({n}, K, 3), are {self.keypoints.shape}")
        if self.masks is not None and len(self.masks) != n:
            raise ValueError(f"masks must be {n}, are {len(self.masks)}")
        if self.pose_scores is not None and self.pose_scores.shape != (n,):
            raise ValueError(f"pose_scores must be ({n},), are {self.pose_scores.shape}")
        if self.colors is not None and (self.colors.ndim != 2 or len(self.colors) != n):
            raise ValueError(f"colors must be ({n}, C), are {self.colors.shape}")

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: npt.NDArray[np.bool_] | I64 | slice) -> "Detections":
        rows = np.arange(len(self))[index]
        return Detections(
            self.boxes[rows],
            self.scores[rows],
            self.labels[rows],
            None if self.keypoints is None else self.keypoints[rows],
            _masks_of(self.masks, rows),
            None if self.pose_scores is None else self.pose_scores[rows],
            None if self.colors is None else self.colors[rows],
        )

    @classmethod
    def empty(cls) -> "Detections":
        """No boxes."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))


def _masks_of(masks: Sequence[Crop] | None, rows: I64) -> Sequence[Crop] | None:
    if masks is None or isinstance(masks, LazyMasks):
        return None if masks is None else masks.of(rows)
    return [masks[row] for row in rows]


@dataclass(frozen=True, slots=True)
class Poses:
    """Landmarks and masks of the people in N regions of interest of one image.

    Attributes:
        rois: (N, 4) float32, the regions analyzed: center x, center y, side in image pixels, angle in
            radians (clockwise, 0 is upright).
        keypoints: (N, K, 3) float32: x, y in image pixels, score in [0, 1].
        presence: (N,) float32 in [0, 1], that a person is in the region at all.
        next_rois: (N, 4) float32, the regions that these landmarks suggest for the next pass or frame.
        mask_logits: (N, S, S) float32 in the region's own grid (a pixel belongs to the person where > 0), or
            None when masks were not asked for.
        space: (N, K, 4) float32, where the network says it, else None: the depth of each keypoint in image
            pixels from the middle of the hips, negative where it is nearer; and x, y, z in meters from there,
            along the image's axes.
    """

    rois: F32
    keypoints: F32
    presence: F32
    next_rois: F32
    mask_logits: F32 | None = None
    space: F32 | None = None

    def __len__(self) -> int:
        return len(self.rois)

    def take(self, rows: I64 | slice) -> "Poses":
        """Some of the regions."""
        return Poses(
            self.rois[rows],
            self.keypoints[rows],
            self.presence[rows],
            self.next_rois[rows],
            None if self.mask_logits is None else self.mask_logits[rows],
            None if self.space is None else self.space[rows],
        )


@runtime_checkable
class Detector(Protocol):
    """Finds objects in one image.

    One that finds keypoints or masks along with the boxes is a `OnePassNetwork`.
    """

    @property
    def name(self) -> str:
        """The name it has in the registry, e.g. ``yolox-nano``."""
        ...

    @property
    def labels(self) -> Sequence[str]:
        """Names of the classes, in the order of ``Detections.labels``; people are called ``person``."""
        ...

    @property
    def parts(self) -> frozenset[Part]:
        """What its detections have besides boxes: nothing, unless it is a `OnePassNetwork`."""
        ...

    def detect(self, image: U8) -> Detections:
        """Objects in an (H, W, 3) uint8 BGR image, after NMS, down to the detector's score floor."""
        ...


@runtime_checkable
class OnePassNetwork(Detector, Protocol):
    """Finds objects and their keypoints, masks, or both (``parts``) in one pass over the image.

    No other network is run for these. ``detect`` returns `Detections` with ``keypoints`` where ``parts`` has
    ``pose``, and with ``masks`` where it has ``segment``. The score of a detection says how likely the object
    is there, that of a keypoint how likely the keypoint is there.
    """

    @property
    def keypoint_names(self) -> Sequence[str]:
        """Names of the K keypoints, in order; none without ``pose``."""
        ...

    @property
    def skeleton(self) -> Sequence[tuple[int, int]]:
        """Pairs of 0-based keypoint indices that a drawing joins."""
        ...


@runtime_checkable
class FollowingNetwork(OnePassNetwork, Protocol):
    """A one-pass network that finds people again, where they are expected, at a lower cost."""

    def follow(self, image: U8, boxes: F32) -> Detections | None:
        """At most one person for each of the (N, 4) boxes of an (H, W, 3) uint8 BGR image; best first.

        Whoever is not found there is left out, and so is everybody else. None means that looking at the whole
        image (``detect``) takes no longer.
        """
        ...


@runtime_checkable
class PreparableNetwork(Protocol):
    """A detector that can be compiled for images of one size before the first of them comes."""

    def prepare(self, size: tuple[int, int]) -> None:
        """Begin, in a thread of its own, for images of (height, width) pixels; ``detect`` waits for it."""
        ...


@runtime_checkable
class PoseEstimator(Protocol):
    """Finds the keypoints, the mask, or both (``parts``) of one person in each of several regions."""

    @property
    def name(self) -> str:
        """The name it has in the registry, e.g. ``blazepose-full``."""
        ...

    @property
    def parts(self) -> frozenset[Part]:
        """Which of keypoints and masks it finds."""
        ...

    @property
    def keypoint_names(self) -> Sequence[str]:
        """Names of the K keypoints, in order; none without ``pose``."""
        ...

    @property
    def skeleton(self) -> Sequence[tuple[int, int]]:
        """Pairs of 0-based keypoint indices that a drawing joins."""
        ...

    def estimate(self, image: U8, rois: F32, *, masks: bool) -> Poses:
        """People in each of the (N, 4) regions of an (H, W, 3) uint8 BGR image, in one batch.

        Masks are found only where ``masks`` is true and ``parts`` has ``segment``.
        """
        ...


def keypoint_network(detector: Detector, pose: PoseEstimator | None) -> OnePassNetwork | PoseEstimator | None:
    """Which of two networks that run together the keypoints come from; None if from neither."""
    if isinstance(detector, OnePassNetwork) and "pose" in detector.parts:
        return detector
    return pose if pose is not None and "pose" in pose.parts else None
