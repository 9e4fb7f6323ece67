"""YOLOX as a detector: letterbox, network, decoding; and the YOLOX networks of the registry."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import SepcamError
from ..ops import coco
from ..ops.letterbox import Letterbox
from ..ops.logistic import logit, sigmoid
from ..sources import UrlSource
from ..spec import DetectorSpec, LoadedNetwork, ModelSpec, Size, Thresholds, TrackerSettings
from ..types import F32, U8, Detections, Detector, Part
from .candidates import MAX_LOG_SIZE, Run, select
from .fitted import FittedDetector

if TYPE_CHECKING:
    from torch import nn

YOLOX_SIZE: Size = (416, 416)
YOLOX_STRIDES = (8, 16, 32)
YOLOX_THRESHOLDS = Thresholds(score_floor=0.1, nms_iou=0.65, vote_iou=0.85)


def check_yolox_size(size: Size) -> None:
    """Checks an input size for YOLOX.

    Raises:
        SepcamError: If a side is not a multiple of 32.
    """
    if any(side < 32 or side % 32 for side in size):
        raise SepcamError(f"input size {size[0]}x{size[1]} does not fit: use multiples of 32, e.g. 416x416")


def yolox_cells(size: Size) -> F32:
    """The cells that YOLOX's predictions are relative to: (N, 3) float32 column, row, stride in pixels."""
    check_yolox_size(size)
    levels = []
    for stride in YOLOX_STRIDES:
        row, column = np.indices((size[0] // stride, size[1] // stride))
        levels.append(np.stack([column, row, np.full_like(row, stride)], -1).reshape(-1, 3))
    return np.concatenate(levels).astype(np.float32)


def decode_yolox(predictions: F32, cells: F32) -> F32:
    """Boxes from YOLOX's predictions.

    Args:
        predictions: (N, 4 or more) float32 x, y, log w, log h, ... as `yolox.YOLOXNano` returns them.
        cells: (N, 3) float32 column, row, stride.

    Returns:
        (N, 4) float32 x1 y1 x2 y2 in pixels of the network's input.
    """
    stride = cells[:, 2:]
    center = (predictions[:, :2] + cells[:, :2]) * stride
    half = np.exp(np.minimum(predictions[:, 2:4], MAX_LOG_SIZE)) * stride / 2
    return np.concatenate([center - half, center + half], 1, dtype=np.float32)


class YOLOXDetector:
    """YOLOX as a `types.Detector`.

    Args:
        name: the name it has in the registry.
        run: the network, compiled for ``size``.
        size: (height, width) of its input in pixels, multiples of 32.
        labels: names of the classes.
        thresholds: which candidates are reported.
    """

    parts: frozenset[Part] = frozenset()

    def __init__(
        self,
        name: str,
        run: Run,
        size: Size = YOLOX_SIZE,
        labels: Sequence[str] = coco.NAMES,
        thresholds: Thresholds = YOLOX_THRESHOLDS,
    ) -> None:
        self.name = name
        self.labels = labels
        self._run = run
        self._letterbox = Letterbox(size)
        self._cells = yolox_cells(size)
        self._thresholds = thresholds
        self._logit_floor = logit(thresholds.score_floor)

    def detect(self, image: U8) -> Detections:
        """Objects in an (H, W, 3) uint8 BGR image, best first."""
        batch, scale = self._letterbox(image)
        (predictions,) = (output[0] for output in self._run(batch))
        # A score is objectness times class, so what lacks objectness is out before any class is considered.
        found = np.flatnonzero(predictions[:, 4] >= self._logit_floor)
        survivors = predictions[found]
        labels = survivors[:, 5:].argmax(1)
        best = survivors[np.arange(len(found)), 5 + labels]
        scores = sigmoid(survivors[:, 4]) * sigmoid(best)
        good = scores >= self._thresholds.score_floor
        boxes = decode_yolox(survivors[good], self._cells[found[good]]) / np.tile(scale, 2)
        return select(boxes, scores[good], labels[good], image.shape, self._thresholds)


# --- both -------------------------------------------------------------------------------------------------


def _make(network: LoadedNetwork, size: Size | int, thresholds: Thresholds) -> Detector:
    def sized(size: Size) -> Detector:
        check_yolox_size(size)
        return YOLOXDetector(network.name, network.runner(size), size, thresholds=thresholds)

    if isinstance(size, int):
        check_yolox_size((size, size))
        return FittedDetector(network.name, coco.NAMES, size, sized)
    return sized(size)


def _yolox_nano() -> "nn.Module":
    from ..networks.yolox import YOLOXNano

    return YOLOXNano()


YOLOX_NANO = ModelSpec(
    name="yolox-nano",
    task="detect",
    license="Apache-2.0",
    trained_on="COCO train2017 (80 classes)",
    input_size=YOLOX_SIZE,
    figures="person AP 37.4, AP50 64.4 (500 COCO val images)",
    macs=(523, 1_476),
    params=(0.90, 2.23),
    outputs=("predictions",),
    sources=(
        UrlSource(
            "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/yolox_nano.onnx",
            sha256="c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d",
        ),
    ),
    sha256="c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d",
    format="onnx",
    build=_yolox_nano,
    detector=DetectorSpec(
        make=_make,
        thresholds=YOLOX_THRESHOLDS,
        tracker=TrackerSettings(high=0.7, new=0.8, second_iou=0.4),
        larger_input=640,  # HOTA on PETS09-S2L1: 52 with its own input, 59 with this one
        smaller_inputs=((320, 320), (224, 224)),
    ),
)
