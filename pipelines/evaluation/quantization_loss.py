"""What a network loses in int8, measured on images that it was not calibrated with."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Generic, TypeVar

import numpy as np

from ...models.errors import SepcamError
from ...models.ops.boxes import iou as box_iou
from ...models.ops.roi import roi_from_boxes
from ...models.runtime.options import Compiler
from ...models.runtime.quantization import Pair, Quantizer
from ...models.types import F32, U8, Detector, PoseEstimator, Poses
from ..analysis.pose_roi import PRESENT, valid_poses
from ..sources.open import open_source
from ..tracking.settings import settings_for
from ..types import MaskCrop
from .consistency import iou_of_masks

F1: Final = 0.97
"""Least F1 of the detections in int8, taking those in f32 for the truth.

Whatever one of them reports is met if the other knows it, be its score somewhat below what is reported.
"""
KEYPOINT_PX: Final = 1.0
"""Most pixels by which the median keypoint may move, in a region of 256 pixels."""
MASK_IOU: Final = 0.95
"""Least IoU of the median person's masks in both precisions."""
LEAST: Final = 20
"""Objects below which nothing can be said."""

T = TypeVar("T", Detector, PoseEstimator)

_MATCH_IOU = 0.5
_VISIBLE = 0.5
_CROP = 256
_ROI = 1.25  # side of a person's region, of the longer side of the box
_MOST_PEOPLE = 8
_STRETCHES, _HELD_OUT = 25, 5  # every fifth of 25 stretches measures; neighboring frames are too much alike


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure.

    Attributes:
        what: was measured.
        value: for people to read.
        tolerance: what it has to be, for people to read; empty where nothing depends on it.
        good: whether it is so.
    """

    what: str
    value: str
    tolerance: str = ""
    good: bool = True


class Trial(ABC, Generic[T]):
    """A network in f32 and in int8.

    Args:
        load: returns the detector or pose estimator, its networks made by what it gets in place of
            ``runtime.compile_network``.
        samples: the most inputs to calibrate each of its networks with.
    """

    def __init__(self, load: Callable[[Compiler], T], samples: int) -> None:
        self._load = load
        self._quantizer = Quantizer(samples)
        self._ours = load(self._quantizer.watch)

    def calibrate(self, images: Iterable[U8]) -> None:
        """Makes the copy out of what the network is given on (H, W, 3) uint8 BGR images; takes minutes.

        Raises:
            SepcamError: If the images give too few inputs.
        """
        for image in images:
            self._look(image)
        self._quantizer.quantize()

    def measure(self, images: Iterable[U8]) -> list[Figure]:
        """What the copy loses on other images.

        Raises:
            SepcamError: If they show fewer than ``LEAST`` objects.
        """
        theirs = self._load(self._quantizer.compile)
        for image in images:
            self._compare(image, theirs)
        if self._count < LEAST:
            raise SepcamError(
                f"only {self._count} objects to measure the loss on, {LEAST} are needed: take more frames"
            )
        return self._figures()

    @property
    def pairs(self) -> list[Pair]:
        """The networks in both precisions, after ``measure``."""
        return self._quantizer.pairs

    def keep(self) -> None:
        """Puts the copy where ``--precision int8`` finds it.

        Raises:
            SepcamError: If the disk refuses.
        """
        self._quantizer.keep()

    _count = 0  # objects that f32 found in the images to measure with

    @abstractmethod
    def _look(self, image: U8) -> None: ...

    @abstractmethod
    def _compare(self, image: U8, theirs: T) -> None: ...

    @abstractmethod
    def _figures(self) -> list[Figure]: ...


class DetectorTrial(Trial[Detector]):
    """A detector: which objects it finds again, and how far their boxes, keypoints and masks moved."""

    def __init__(self, load: Callable[[Compiler], Detector], samples: int) -> None:
        super().__init__(load, samples)
        self._score = settings_for(self._ours.name).high
        self._met = self._again = self._found = 0
        self._far: list[F32] = []
        self._poses: list[F32] = []
        self._ious: list[float] = []

    def _look(self, image: U8) -> None:
        found = self._ours.detect(image)
        if found.masks is not None:
            list(found[found.scores >= self._score].masks or ())  # masks are computed when they are read

    def _compare(self, image: U8, theirs: Detector) -> None:
        one, other = self._ours.detect(image), theirs.detect(image)
        self._count += int((one.scores >= self._score).sum())
        self._found += int((other.scores >= self._score).sum())
        if not len(one) or not len(other):
            return
        iou = box_iou(one.boxes, other.boxes) * (one.labels[:, None] == other.labels)
        rows, others = np.arange(len(one)), iou.argmax(1)
        met = (iou[rows, others] > _MATCH_IOU) & (iou.argmax(0)[others] == rows)  # each is the other's best
        one, other = one[met], other[others[met]]
        met, again = one.scores >= self._score, other.scores >= self._score
        self._met += int(met.sum())
        self._again += int(again.sum())
        one, other = one[met], other[met]
        if not len(one):
            return
        self._far.append(np.abs(one.boxes - other.boxes).max(1))
        if one.keypoints is not None and other.keypoints is not None:
            sides = _ROI * (one.boxes[:, 2:] - one.boxes[:, :2]).max(1, keepdims=True)
            moved = np.linalg.norm(one.keypoints[..., :2] - other.keypoints[..., :2], axis=2)
            self._poses.append((moved * _CROP / sides)[one.keypoints[..., 2] >= _VISIBLE])
        if one.masks is not None and other.masks is not None:
            self._ious += [
                iou_of_masks(MaskCrop(*mask), MaskCrop(*copy))
                for mask, copy in zip(one.masks, other.masks, strict=True)
            ]

    def _figures(self) -> list[Figure]:
        f1 = (self._met + self._again) / (self._count + self._found)
        far = np.concatenate([*self._far, np.zeros(0, np.float32)])
        moved = f"median {np.median(far):.1f} px, at most {far.max():.1f} px" if far.size else "none is left"
        figures = [
            Figure(
                f"objects of score {self._score:g} found again",
                f"{self._met} of {self._count}, and {self._found - self._again} others: F1 {f1:.3f}",
                f"F1 {F1:g} or more",
                f1 >= F1,
            ),
            Figure("sides of their boxes moved", moved),
        ]
        if self._poses:
            figures.append(_keypoints_moved(self._poses))
        if self._ious:
            figures.append(_masks_alike(self._ious))
        return figures


class PoseTrial(Trial[PoseEstimator]):
    """A pose network: how far keypoints and masks moved, in the regions in which f32 looks.

    Args:
        load: see ``Trial``.
        samples: see ``Trial``.
        detector: finds people.
    """

    def __init__(self, load: Callable[[Compiler], PoseEstimator], samples: int, detector: Detector) -> None:
        super().__init__(load, samples)
        self._detector = detector
        self._score = settings_for(detector.name).high
        self._agreed: list[bool] = []
        self._far: list[F32] = []
        self._ious: list[float] = []

    def _look(self, image: U8) -> None:
        rois = self._regions(image)
        for masks in (True, False):
            self._ours.estimate(image, rois, masks=masks)

    def _compare(self, image: U8, theirs: PoseEstimator) -> None:
        rois = self._regions(image)
        for masks in (True, False):
            self._add(*(pose.estimate(image, rois, masks=masks) for pose in (self._ours, theirs)))

    def _regions(self, image: U8) -> F32:
        """Where to look: around each person's box, and again where the landmarks suggest."""
        found = self._detector.detect(image)
        person = self._detector.labels.index("person")
        found = found[(found.labels == person) & (found.scores >= self._score)][:_MOST_PEOPLE]
        rois = roi_from_boxes(found.boxes, (image.shape[0], image.shape[1]))
        first = self._ours.estimate(image, rois, masks=False)
        return np.concatenate([rois, first.next_rois[valid_poses(first, rois)]])

    def _add(self, one: Poses, other: Poses) -> None:
        there = one.presence >= PRESENT
        self._count += int(there.sum())
        self._agreed += (there == (other.presence >= PRESENT)).tolist()
        moved = np.linalg.norm(one.keypoints[..., :2] - other.keypoints[..., :2], axis=2)
        moved *= _CROP / one.rois[:, 2:3]
        self._far.append(moved[there[:, None] & (one.keypoints[..., 2] >= _VISIBLE)])
        if one.mask_logits is not None and other.mask_logits is not None:
            a, b = one.mask_logits[there] > 0, other.mask_logits[there] > 0
            both, either = (a & b).sum((1, 2)), (a | b).sum((1, 2))
            self._ious += (both[either > 0] / either[either > 0]).tolist()

    def _figures(self) -> list[Figure]:
        parts = self._ours.parts
        figures = [Figure("alike on whether a person is there", f"{np.mean(self._agreed):.1%} of regions")]
        if "pose" in parts:
            figures.append(_keypoints_moved(self._far))
        if "segment" in parts:
            figures.append(_masks_alike(self._ious))
        return figures


def _keypoints_moved(far: list[F32]) -> Figure:
    every = np.concatenate(far)
    median, most = np.percentile(every, (50, 95)) if every.size else (np.inf, np.inf)
    text = f"median {median:.2f} px, 95 % at most {most:.2f} px"
    good = bool(median <= KEYPOINT_PX)
    what = f"visible keypoints moved, of {_CROP} px"
    return Figure(what, text, f"median {KEYPOINT_PX:g} px or less", good)


def _masks_alike(ious: list[float]) -> Figure:
    iou, low = np.percentile(ious, (50, 5)) if ious else (0.0, 0.0)
    text = f"median {iou:.3f}, 95 % at least {low:.3f}"
    return Figure("IoU of the masks", text, f"median {MASK_IOU:g} or more", bool(iou >= MASK_IOU))


def images(spec: str, samples: int, *, held_out: bool) -> Iterator[U8]:
    """Images of a source, evenly spread over it: four fifths to calibrate with, the rest to measure.

    Args:
        spec: a video file, a folder or glob of images.
        samples: how many to calibrate with, at most.
        held_out: give those to measure with; they lie in stretches of their own.

    Yields:
        (H, W, 3) uint8 BGR.

    Raises:
        SepcamError: If it cannot be read, or not twice.
    """
    if "://" in spec:
        raise SepcamError(f"{spec} cannot be read twice: record it, and take the file")
    with open_source(spec) as source:
        if source.info.live:
            raise SepcamError(f"{source.info.name} cannot be read twice: record it, and take the file")
        wanted = samples + samples // (_HELD_OUT - 1)
        total = source.info.frame_count or wanted
        every = max(1, total // wanted)
        stretch = max(1, min(total, wanted) // _STRETCHES)
        for number, frame in enumerate(islice(source, 0, wanted * every, every)):
            if (number // stretch % _HELD_OUT == _HELD_OUT - 1) == held_out:
                yield frame.image
