"""How well a network finds the people of a data set, by COCO's measures."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...models.ops.boxes import iou
from ...models.runtime.compile import compile_network
from ...models.runtime.options import InputSize, Runner, RuntimeOptions, as_module
from ...models.types import U8, Detections, Detector
from ...models.weights.store import Progress, WeightStore
from ...models.zoo import load_detector
from ...pipelines.annotations.types import AnnotatedImage, Annotations
from ...pipelines.evaluation.metrics import evaluate_coco
from ...pipelines.types import MaskCrop

SCORE_FLOOR: Final = 0.05
"""Boxes down to this score count in average precision, which weighs every one by its score."""

KINDS: Final = {"box": "box AP", "keypoints": "OKS AP", "mask": "mask AP"}
"""The figures, by the kinds of `evaluate_coco`."""

_LABELED: Final = 0.5  # IoU from which somebody who is found may be one who is labeled

LEAST_GAIN: Final = 0.001
"""By how much the figures have to rise on average."""

MOST_LOSS: Final = 0.005
"""By how much one of them may fall."""

Figures = Mapping[str, float]
"""Average precisions in [0, 1] by the keys of `KINDS`, as far as the labels allow them."""


def score(detector: Detector, images: Iterable[tuple[int | str, U8]], truth: Annotations) -> Figures:
    """The figures of a detector.

    Args:
        detector: finds people, keypoints and masks.
        images: ids, as in ``truth``, and (H, W, 3) uint8 BGR images.
        truth: their annotations; masks are scored where all people have one, keypoints where somebody has.
            In partial ones, who is found where nobody is labeled is neither right nor wrong.
    """
    labeled = {image.id: image for image in truth.images}
    found = [
        one
        for key, image in images
        for one in _results(key, image.shape[:2], _judged(detector.detect(image), labeled[key]))
    ]
    posed = any(any(one.keypoints or ()) for image in truth.images for one in image.objects)
    measured = evaluate_coco(found, truth, keypoints=truth if posed else None)
    figures = {kind: measured[kind].ap for kind in KINDS if kind in measured}
    return {kind: value for kind, value in figures.items() if not math.isnan(value)}


def better(before: Figures, after: Figures) -> bool:
    """Whether a network measures better than another: on average, and not much worse in any figure."""
    gains = [after.get(kind, 0.0) - before[kind] for kind in before]
    return bool(gains) and sum(gains) / len(gains) >= LEAST_GAIN and min(gains) >= -MOST_LOSS


def in_words(figures: Figures) -> str:
    """The figures in a line, in percent."""
    return ", ".join(f"{name} {100 * figures[kind]:.1f}" for kind, name in KINDS.items() if kind in figures)


def load(network: str, device: str, progress: Progress) -> Detector:
    """A detector by its name or file, run by torch: it compiles nothing, whatever the images' shapes."""
    options = RuntimeOptions("torch", "cuda" if device == "cuda" else "cpu", "f32")
    store = WeightStore()
    return load_detector(
        network, options=options, score_floor=SCORE_FLOOR, store=store, progress=progress, compiler=Shared()
    )


class Shared:
    """A `Compiler` that builds each part of a network once for all sizes of its input."""

    def __init__(self) -> None:
        self._modules: dict[str | None, Any] = {}

    def __call__(
        self,
        network: Any,  # noqa: ANN401 - a module or what builds one, which only torch can name
        size: InputSize,
        options: RuntimeOptions | None = None,
        *,
        key: str | None = None,
        max_batch: int = 1,
        cache_dir: Path | None = None,
    ) -> Runner:
        """Prepares a network to run, see ``compile_network``."""
        if key not in self._modules:
            self._modules[key] = as_module(network)
        return compile_network(self._modules[key], size, options, max_batch=max_batch, cache_dir=cache_dir)


def _judged(found: Detections, truth: AnnotatedImage) -> Detections:
    """What of that which is found can be right or wrong."""
    if not truth.partial:
        return found
    labeled = np.array([one.box for one in truth.objects], np.float32).reshape(-1, 4)
    labeled[:, 2:] += labeled[:, :2]
    return found[np.flatnonzero(np.any(iou(found.boxes, labeled) >= _LABELED, axis=1))]


def _results(key: int | str, size: tuple[int, int], found: Detections) -> list[dict[str, Any]]:
    """COCO results of one image of (height, width) pixels."""
    results: list[dict[str, Any]] = []
    for index, (x1, y1, x2, y2) in enumerate(found.boxes.tolist()):
        one: dict[str, Any] = {
            "image_id": key,
            "category_id": 1,
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "score": float(found.scores[index]),
        }
        if found.masks is not None and found.masks[index][0].any():
            one["segmentation"] = MaskCrop(*found.masks[index]).to_rle(*size)
        if found.keypoints is not None:
            one["keypoints"] = found.keypoints[index].ravel().tolist()
        if found.pose_scores is not None:
            one["keypoints_score"] = float(found.pose_scores[index])
        results.append(one)
    return results
