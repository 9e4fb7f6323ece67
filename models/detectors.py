"""From picture to boxes: what happens in numpy before and after the networks of ``ssd`` and ``yolox``.

Nothing here needs torch: a `Run` is any callable that takes a (1, H, W, 3) uint8 BGR batch and gives the
network's float32 outputs, such as a `runtime.Runner`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from .errors import SepcamError
from .ops import coco
from .ops.boxes import nms, vote
from .ops.letterbox import Letterbox
from .types import F32, I64, U8, Detections, Detector

Run = Callable[[U8], tuple[F32, ...]]
Size = tuple[int, int]  # (height, width) in pixels

_MAX_CANDIDATES = 1000  # bounds the time that NMS takes on a picture that is full of false boxes
_MAX_SIZES = 24  # networks kept for pictures of different shapes; photos come in about 20
_STEP = 32  # pixels of the coarsest grid's cells
_MAX_LOG_SIZE = np.float32(8)  # keeps a broken network's boxes finite; trained ones stay far below
_LOWEST = np.float32(-80)  # below, the sigmoid's exponential would overflow
_ONE = np.float32(1)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How a detector's candidates become its detections.

    Attributes:
        score_floor: the lowest score that is reported, in (0, 1).
        nms_iou: boxes of one class that overlap by more are one object.
        limit: the most objects reported in one picture.
        vote_iou: boxes of one class that overlap by as much have a say in where the best of them is; None
            takes the best as it is.
    """

    score_floor: float
    nms_iou: float
    limit: int = 100
    vote_iou: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.score_floor < 1:
            raise ValueError(f"score_floor must lie between 0 and 1, is {self.score_floor}")


SSD_SIZE: Size = (300, 300)
SSD_THRESHOLDS = Thresholds(score_floor=0.1, nms_iou=0.6)
# The COCO network's scores lie close together: below 0.2 it gives hundreds of boxes, and sorting them out
# takes as long as the network itself.
SSD_COCO_THRESHOLDS = Thresholds(score_floor=0.2, nms_iou=0.6)
PERSON_LABELS = ("person",)
PERSON_LOGITS: I64 = np.array([-1, 0])
TORCHVISION_SIZE: Size = (320, 320)
TORCHVISION_THRESHOLDS = Thresholds(score_floor=0.1, nms_iou=0.55)
COCO_LOGITS: I64 = np.full(91, -1)
COCO_LOGITS[list(coco.CATEGORY_IDS)] = np.arange(len(coco.NAMES))

YOLOX_SIZE: Size = (416, 416)
YOLOX_STRIDES = (8, 16, 32)
YOLOX_THRESHOLDS = Thresholds(score_floor=0.1, nms_iou=0.65, vote_iou=0.85)


# --- SSD --------------------------------------------------------------------------------------------------


def ssd_heads(size: Size) -> int:
    """How many heads an SSD has at an input size: all 6 at 300 x 300, the 2 finest on larger pictures.

    Raises:
        SepcamError: If a side is not 300 plus a multiple of 32. Others would be padded in a pattern that the
            network was not trained with.
    """
    if any(side < 300 or (side - 300) % 32 for side in size):
        raise SepcamError(
            f"input size {size[0]}x{size[1]} does not fit: use 300 plus multiples of 32, e.g. 588x780"
        )
    return 6 if size == SSD_SIZE else 2


def anchors(size: Size = SSD_SIZE) -> F32:
    """The boxes that an SSD's encodings are relative to.

    Six grids of halving resolution; the anchors of a cell differ in scale and aspect ratio. On inputs larger
    than 300 x 300 they keep the size in pixels that they have there. Source: Liu et al. 2016, section 2.2,
    with the scales of the TensorFlow Object Detection API's ``ssd_anchor_generator``.

    Args:
        size: (height, width) of the network's input in pixels.

    Returns:
        (A, 4) float32 cy, cx, h, w as fractions of the input; head by head, row by row, cell by cell.

    Raises:
        SepcamError: See `ssd_heads`.
    """
    count = ssd_heads(size)
    scales = [*np.linspace(0.2, 0.95, 6), 1.0]
    pixels = np.array([SSD_SIZE[0] / size[0], SSD_SIZE[1] / size[1]])
    heads = []
    for head in range(count):
        if head == 0:
            scale, ratio = np.array([0.1, 0.2, 0.2]), np.array([1, 2, 0.5])
        else:
            between = math.sqrt(scales[head] * scales[head + 1])
            scale, ratio = np.array([scales[head]] * 5 + [between]), np.array([1, 2, 0.5, 3, 0.3333, 1])
        stride = 16 << head
        rows, columns = (-(-side // stride) for side in size)
        sides = np.stack([scale / np.sqrt(ratio), scale * np.sqrt(ratio)], 1) * pixels
        heads.append(_on_grid(rows, columns, sides))
    return np.concatenate(heads).astype(np.float32)


def torchvision_anchors() -> F32:
    """The boxes that the encodings of torchvision's SSDLite at 320 x 320 are relative to.

    Those of torchvision's ``DefaultBoxGenerator`` with aspect ratios 1, 2, 3 and scales 0.2 to 0.95.

    Returns:
        (3234, 4) float32 cy, cx, h, w as fractions of the input; head by head, row by row, cell by cell.
    """
    scales = [*np.linspace(0.2, 0.95, 6), 1.0]
    heads = []
    for head, side in enumerate((20, 10, 5, 3, 2, 1)):
        scale, between = scales[head], math.sqrt(scales[head] * scales[head + 1])
        sides = [(scale, scale), (between, between)]
        for ratio in (2, 3):
            long, short = scale * math.sqrt(ratio), scale / math.sqrt(ratio)
            sides += [(short, long), (long, short)]
        heads.append(_on_grid(side, side, np.minimum(sides, 1)))
    return np.concatenate(heads).astype(np.float32)


def _on_grid(rows: int, columns: int, sides: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(rows * columns * K, 4) cy, cx, h, w: boxes of each of the (K, 2) sides at the centre of every cell."""
    cells = np.indices((rows, columns)).reshape(2, -1, 1).transpose(1, 2, 0)
    centres = np.broadcast_to((cells + 0.5) / (rows, columns), (rows * columns, len(sides), 2))
    return np.concatenate([centres, np.broadcast_to(sides, centres.shape)], 2).reshape(-1, 4)


def decode(encodings: F32, anchors: F32) -> F32:
    """Boxes from an SSD's encodings (Faster R-CNN's box coder with scales 10, 10, 5, 5).

    Args:
        encodings: (N, 4) float32 ty, tx, th, tw.
        anchors: (N, 4) float32 cy, cx, h, w.

    Returns:
        (N, 4) float32 x1 y1 x2 y2 in the anchors' unit.
    """
    sides = anchors[:, :1:-1]
    centre = encodings[:, 1::-1] / 10 * sides + anchors[:, 1::-1]
    half = np.exp(np.minimum(encodings[:, :1:-1] / 5, _MAX_LOG_SIZE)) * sides / 2
    return np.concatenate([centre - half, centre + half], 1, dtype=np.float32)


class SSDPass:
    """One look at the picture with one input size.

    Args:
        run: the network, compiled for ``size`` and with ``ssd_heads(size)`` heads.
        size: (height, width) of its input in pixels.
        boxes: the anchors, by default ``anchors(size)``.
        least: the longer side of its smallest boxes, as a share of the picture's side.
    """

    def __init__(
        self, run: Run, size: Size = SSD_SIZE, boxes: F32 | None = None, *, least: float = 0.0
    ) -> None:
        self._run = run
        self._least = least
        self._anchors = anchors(size) if boxes is None else boxes
        self._batch: U8 = np.empty((1, *size, 3), np.uint8)

    def candidates(self, image: U8, logit_floor: float) -> tuple[F32, F32, I64]:
        """Everything above a logit: boxes as fractions of the picture, their logits, their logit's column."""
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
        self._logit_floor = _logit(thresholds.score_floor)

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
        return _select(boxes, _sigmoid(logits), labels, image.shape, self._thresholds)


# --- YOLOX ------------------------------------------------------------------------------------------------


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
        predictions: (N, 4 or more) float32 x, y, log w, log h, ... as `yolox.YOLOXNano` gives them.
        cells: (N, 3) float32 column, row, stride.

    Returns:
        (N, 4) float32 x1 y1 x2 y2 in pixels of the network's input.
    """
    stride = cells[:, 2:]
    centre = (predictions[:, :2] + cells[:, :2]) * stride
    half = np.exp(np.minimum(predictions[:, 2:4], _MAX_LOG_SIZE)) * stride / 2
    return np.concatenate([centre - half, centre + half], 1, dtype=np.float32)


class YOLOXDetector:
    """YOLOX as a `types.Detector`.

    Args:
        name: the name it has in the registry.
        run: the network, compiled for ``size``.
        size: (height, width) of its input in pixels, multiples of 32.
        labels: names of the classes.
        thresholds: which candidates are reported.
    """

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
        self._logit_floor = _logit(thresholds.score_floor)

    def detect(self, image: U8) -> Detections:
        """Objects in an (H, W, 3) uint8 BGR image, best first."""
        batch, scale = self._letterbox(image)
        (predictions,) = (output[0] for output in self._run(batch))
        # A score is objectness times class, so what lacks objectness is out before any class is looked at.
        found = np.flatnonzero(predictions[:, 4] >= self._logit_floor)
        survivors = predictions[found]
        labels = survivors[:, 5:].argmax(1)
        best = survivors[np.arange(len(found)), 5 + labels]
        scores = _sigmoid(survivors[:, 4]) * _sigmoid(best)
        good = scores >= self._thresholds.score_floor
        boxes = decode_yolox(survivors[good], self._cells[found[good]]) / np.tile(scale, 2)
        return _select(boxes, scores[good], labels[good], image.shape, self._thresholds)


# --- both -------------------------------------------------------------------------------------------------


def fitted_size(shape: tuple[int, ...], longest: int) -> Size:
    """The input that a picture fills best: as long as wanted, and as short as its shape allows.

    Args:
        shape: (height, width, ...) of the picture.
        longest: the input's longer side in pixels. The shorter one differs from it by a multiple of 32, which
            is what the networks here ask for.

    Returns:
        (height, width) of the input in pixels.
    """
    height, width = shape[:2]
    spare = longest - longest * min(height, width) / max(height, width)
    short = max(longest - int(spare // _STEP) * _STEP, longest % _STEP or _STEP)
    return (short, longest) if height <= width else (longest, short)


class FittedDetector:
    """A detector whose input follows the shape of each picture, so that none of it is spent on padding.

    Args:
        name: the name it has in the registry.
        labels: names of the classes.
        longest: the longer side of the input in pixels.
        make: gives the detector with an input of (height, width) pixels; asked when a shape first comes.
    """

    def __init__(
        self, name: str, labels: Sequence[str], longest: int, make: Callable[[Size], Detector]
    ) -> None:
        self.name = name
        self.labels = labels
        self._longest = longest
        self._sized = lru_cache(_MAX_SIZES)(make)

    def detect(self, image: U8) -> Detections:
        """Objects in an (H, W, 3) uint8 BGR image, best first."""
        return self._sized(fitted_size(image.shape, self._longest)).detect(image)


def _select(
    boxes: F32, scores: F32, labels: I64, shape: tuple[int, ...], thresholds: Thresholds
) -> Detections:
    """Clips candidates to a picture of ``shape`` (height, width, ...) and suppresses duplicates."""
    height, width = shape[:2]
    boxes = np.clip(boxes, 0, np.array([width, height, width, height], np.float32))
    usable = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(1))  # some lie wholly outside
    if len(usable) > _MAX_CANDIDATES:
        usable = usable[np.argpartition(-scores[usable], _MAX_CANDIDATES)[:_MAX_CANDIDATES]]
    boxes, scores, labels = boxes[usable], scores[usable], labels[usable]
    kept = nms(boxes, scores, labels, thresholds.nms_iou, thresholds.limit)
    if thresholds.vote_iou is None:
        best = boxes[kept]
    else:
        best = vote(boxes, scores, labels, kept, thresholds.vote_iou)
    return Detections(best, scores[kept], labels[kept].astype(np.int64, copy=False))


def _sigmoid(x: F32) -> F32:
    return _ONE / (_ONE + np.exp(-np.maximum(x, _LOWEST)))


def _logit(p: float) -> float:
    return math.log(p / (1 - p))
