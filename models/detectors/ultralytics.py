"""Ultralytics' YOLO as a detector: boxes, and from a pose or segmentation model keypoints or masks too.

Ultralytics is AGPL-3.0 and an optional extra: nothing else imports it, and this module does so only when a
model of it is asked for.
"""

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..errors import SepcamError
from ..ops import coco
from ..runtime.compile import resolve
from ..runtime.options import RuntimeOptions
from ..types import F32, U8, ConvKind, Crop, Detections, Part

PREFIX = "yolo:"
"""Of the names that mean a model of Ultralytics: ``yolo:FILE.pt``."""

_FLOOR, _IOU, _LIMIT = 0.1, 0.7, 100
_PARTS: dict[str, frozenset[Part]] = {
    "detect": frozenset(),
    "pose": frozenset(("pose",)),
    "segment": frozenset(("segment",)),
}


class UltralyticsDetector:
    """A YOLO model as a `types.OnePassNetwork`. One thread at a time may use it.

    Args:
        file: a ``.pt`` of Ultralytics. Such files hold pickled code: open only those that you trust.
        backbone: kind of the convolutions.
        options: what runs it: torch, on a CPU or a GPU.
        input_size: (height, width) in pixels, multiples of 32; by default what the model was trained with.
        notice: called once with a line about Ultralytics' license.

    Raises:
        SepcamError: If Ultralytics is not installed, the file holds no such model, or the options do not fit.
    """

    def __init__(
        self,
        file: Path,
        *,
        backbone: ConvKind = "separable",
        options: RuntimeOptions | None = None,
        input_size: tuple[int, int] | None = None,
        notice: Callable[[str], None],
    ) -> None:
        self.name = f"{PREFIX}{file.name}"
        self._settings = _settings(options or RuntimeOptions(), input_size)
        self._model = _load(file, backbone)
        _mention_license(notice)
        self.parts = _PARTS[self._model.task]
        names: dict[int, str] = self._model.names
        self.labels: Sequence[str] = tuple(names[i] for i in sorted(names))
        self.keypoint_names: Sequence[str] = ()
        self.skeleton: Sequence[tuple[int, int]] = ()
        if "pose" in self.parts:
            count = int(self._model.model.kpt_shape[0])
            known = count == len(coco.KEYPOINTS)
            self.keypoint_names = coco.KEYPOINTS if known else tuple(f"point_{i}" for i in range(count))
            self.skeleton = coco.SKELETON if known else ()

    def detect(self, image: U8) -> Detections:
        """Objects in an (H, W, 3) uint8 BGR image, best first."""
        (result,) = self._model.predict(image, **self._settings)
        result = result.cpu().numpy()
        found = result.boxes
        boxes = np.ascontiguousarray(found.xyxy, np.float32)
        return Detections(
            boxes,
            found.conf.astype(np.float32),
            found.cls.astype(np.int64),
            self._keypoints(result) if "pose" in self.parts else None,
            _crops(result.masks, boxes, image.shape) if "segment" in self.parts else None,
        )

    def _keypoints(self, result: Any) -> F32:  # noqa: ANN401 - Ultralytics has no types
        points = result.keypoints.data.astype(np.float32)
        if points.shape[-1] == 2:  # a model that does not say how sure it is of each
            points = np.concatenate([points, np.ones_like(points[..., :1])], -1)
        return points.reshape(len(result.boxes), len(self.keypoint_names), 3)


def _crops(masks: Any, boxes: F32, shape: tuple[int, ...]) -> list[Crop]:  # noqa: ANN401
    """Each object's mask, from the network's grid (a centered letterbox) to its box in the image."""
    height, width = shape[:2]
    crops: list[Crop] = []
    for row, box in enumerate(boxes):
        x1, y1 = np.floor(box[:2]).astype(int).clip(0, (width - 1, height - 1)).tolist()
        x2, y2 = np.ceil(box[2:]).astype(int).clip((x1 + 1, y1 + 1), (width, height)).tolist()
        plane = masks.data[row].astype(np.float32)
        scale = min(plane.shape[0] / height, plane.shape[1] / width)
        left, top = (plane.shape[1] - width * scale) / 2, (plane.shape[0] - height * scale) / 2
        # From the crop's pixels to the grid's, both with their centers at halves.
        shift_x, shift_y = (x1 + 0.5) * scale + left - 0.5, (y1 + 0.5) * scale + top - 0.5
        affine = np.array([[scale, 0, shift_x], [0, scale, shift_y]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        inside = cv2.warpAffine(plane, affine, (x2 - x1, y2 - y1), flags=flags)
        crops.append(((inside > 0.5).astype(np.uint8), x1, y1))
    return crops


def _settings(options: RuntimeOptions, input_size: tuple[int, int] | None) -> dict[str, Any]:
    """What `predict` is asked for each time."""
    if options.runtime == "openvino":
        raise SepcamError("models of Ultralytics run on torch: use --runtime torch or auto")
    if input_size is not None and any(side < 32 or side % 32 for side in input_size):
        raise SepcamError(f"input size {input_size[1]}x{input_size[0]} does not fit: use multiples of 32")
    resolved = resolve(RuntimeOptions("torch", options.device, options.precision, options.threads))
    if resolved.precision == "bf16":
        raise SepcamError("models of Ultralytics do not run in bf16: use --precision f32")
    if resolved.threads is not None:
        import torch

        torch.set_num_threads(resolved.threads)
    settings: dict[str, Any] = {
        "conf": _FLOOR,
        "iou": _IOU,
        "max_det": _LIMIT,
        "device": resolved.device,
        "half": resolved.precision == "f16",
        "verbose": False,
    }
    return settings if input_size is None else settings | {"imgsz": input_size}


def _load(file: Path, backbone: ConvKind) -> Any:  # noqa: ANN401
    if not file.is_file():
        raise SepcamError(f"{file} is not a file: {PREFIX} takes a .pt of Ultralytics")
    # Ultralytics asks the network whether it is there, and reports what it is used for.
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_VERBOSE", "false")
    try:
        from ultralytics import YOLO
    except ImportError as error:
        raise SepcamError(
            f"{PREFIX}{file.name} needs Ultralytics (AGPL-3.0): pip install 'sepcam[ultralytics]'"
        ) from error
    from ..layers.conversion import as_kind

    try:
        model = YOLO(file)
        network: Any = model.model
    except Exception as error:  # its reader meets other files with whatever comes up
        reason = " ".join(str(error).split())[:200]
        raise SepcamError(f"{file} is not a model of Ultralytics: {reason}") from error
    if model.task not in _PARTS:
        raise SepcamError(f"{file} is a model to {model.task}: use one to {', '.join(_PARTS)}")
    model.model = as_kind(network, backbone)
    return model


@functools.cache
def _mention_license(notice: Callable[[str], None]) -> None:
    notice("Ultralytics is AGPL-3.0: what you build with it must be under that license, or you need theirs")
