"""Results as plain JSON values."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..files.addresses import redacted
from ..types import Instances, ModelInfo, RunSummary, StreamInfo

PIXEL_DECIMALS = 2
SCORE_DECIMALS = 4
METER_DECIMALS = 4

SCHEMA = 2
"""Version of JSON Lines, CSV and Parquet. It grows with every change that readers may notice:

2. ``schema`` in the header; ``depths`` and ``world`` of people whose pose network gives them.
"""


def source_facts(info: StreamInfo) -> dict[str, Any]:
    """What records say of their source, as JSON.

    All coordinates are pixels of a frame of ``width`` x ``height``, upright and with square pixels;
    ``pixel_aspect`` and ``rotation`` are what the file asked for.
    """
    return {
        "source": info.name,
        "width": info.width,
        "height": info.height,
        "fps": info.fps,
        "frame_count": info.frame_count,
        "rotation": info.rotation,
        "pixel_aspect": round(float(info.pixel_aspect), 6),
    }


def network_facts(model: ModelInfo) -> dict[str, Any]:
    """What records say of the networks, as JSON."""
    return {
        "models": {"detector": model.detector, "pose": model.pose},
        "backbone": model.backbone,
        "labels": list(model.labels),
        "keypoint_names": list(model.keypoint_names),
        "skeleton": [list(pair) for pair in model.skeleton],
    }


def summary_facts(summary: RunSummary) -> dict[str, Any]:
    """What records say of a whole run, as JSON."""
    return {
        "frames": summary.frames,
        "people": summary.people,
        "seconds": round(summary.seconds, 3),
        "fps": round(summary.fps, 2),
        "stage_ms": {stage: round(ms, 3) for stage, ms in summary.stage_ms.items()},
        "warnings": [redacted(line) for line in summary.warnings],
        "complete": summary.complete,
    }


def objects(found: Instances) -> list[dict[str, Any]]:
    """The objects of a frame as JSON; what was not asked for, or what an object lacks, is left out."""
    boxes, scores = rounded(found.boxes, PIXEL_DECIMALS), rounded(found.scores, SCORE_DECIMALS)
    people = found.people
    listed = []
    for i, label in enumerate(found.labels.tolist()):
        item: dict[str, Any] = {} if found.track_ids is None else {"track_id": int(found.track_ids[i])}
        item |= {"label": found.names[label], "score": scores[i], "box": boxes[i]}
        if found.coasted is not None and found.coasted[i]:
            item["detected"] = False
        if found.keypoints is not None and people[i]:
            item["keypoints"] = keypoint_triples(found.keypoints[i])
        if found.space is not None and people[i]:
            item["depths"] = rounded(found.space[i, :, 0], PIXEL_DECIMALS)
            item["world"] = rounded(found.space[i, :, 1:], METER_DECIMALS)
        if found.presence is not None and people[i]:
            item["presence"] = round(float(found.presence[i]), SCORE_DECIMALS)
        mask = None if found.masks is None else found.masks[i]
        if mask is not None:
            item["mask"] = mask.to_rle(*found.size)
        listed.append(item)
    return listed


def keypoint_triples(keypoints: npt.NDArray[np.float32]) -> list[list[float]]:
    """(K, 3) float32 x, y, score as rounded lists."""
    places, scores = rounded(keypoints[:, :2], PIXEL_DECIMALS), rounded(keypoints[:, 2], SCORE_DECIMALS)
    return [[*place, score] for place, score in zip(places, scores, strict=True)]


def xywh(found: Instances) -> list[list[float]]:
    """The boxes as left, top, width, height in pixels, rounded."""
    boxes = found.boxes.astype(np.float64)
    return rounded(np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]), PIXEL_DECIMALS)


def rounded(values: npt.NDArray[np.floating], decimals: int) -> list[Any]:
    """An array as nested lists of floats; rounding in float32 would bring the digits back."""
    return values.astype(np.float64).round(decimals).tolist()
