"""Results as text: JSON lines, and the MOTChallenge format."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..models.types import U8
from .files.text import TextFile
from .frames import FrameResult, Instances, RunSummary, StreamInfo

PIXEL_DECIMALS = 2
SCORE_DECIMALS = 4


class JsonlSink:
    """One JSON object a line: a header, every frame, a summary."""

    def __init__(
        self, path: Path, info: StreamInfo, header: Mapping[str, Any], *, overwrite: bool = False
    ) -> None:
        """Make the file and write the header line.

        Args:
            path: where it goes; has its name only after ``close``.
            info: of the source.
            header: what else the first line says: version, models, backbone, tasks, keypoint names, skeleton.
            overwrite: whether a file of that name may be replaced.

        Raises:
            SepcamError: If the target exists, or its folder cannot be written to.
        """
        self._file = TextFile(path, overwrite=overwrite)
        self._file.write(_line({"type": "header", **source_facts(info), **header}))

    def write(self, result: FrameResult, picture: U8 | None = None) -> None:
        """Add a frame's line; the picture is not used.

        Raises:
            SepcamError: If it cannot be written (a full disk).
        """
        frame = result.frame
        line: dict[str, Any] = {"type": "frame", "frame": frame.index, "time_s": round(frame.time_s, 6)}
        if frame.name:
            line["name"] = frame.name
        line["objects"] = objects(result.instances)
        self._file.write(_line(line))

    def close(self, summary: RunSummary) -> None:
        """Write the summary line, finish the file and give it its name.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        self._file.close(_line({"type": "summary", **summary_facts(summary)}))

    def abort(self) -> None:
        """Throw the unfinished file away."""
        self._file.abort()


class MotSink:
    """MOTChallenge text: ``frame,id,x,y,w,h,conf,-1,-1,-1``, frames, ids and pixels counted from 1.

    Every object is written, whatever its class, for which the format has no column; its id is -1 where
    tracking was not asked for.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        """Make the file.

        Args:
            path: where it goes; has its name only after ``close``.
            overwrite: whether a file of that name may be replaced.

        Raises:
            SepcamError: If the target exists, or its folder cannot be written to.
        """
        self._file = TextFile(path, overwrite=overwrite)

    def write(self, result: FrameResult, picture: U8 | None = None) -> None:
        """Add a frame's lines; the picture is not used.

        Raises:
            SepcamError: If it cannot be written (a full disk).
        """
        found = result.instances
        ids = [-1] * len(found) if found.track_ids is None else found.track_ids.tolist()
        for track_id, (x, y, w, h), score in zip(ids, xywh(found), found.scores.tolist(), strict=True):
            place = f"{x + 1:.2f},{y + 1:.2f},{w:.2f},{h:.2f}"
            self._file.write(f"{result.frame.index + 1},{track_id},{place},{score:.4f},-1,-1,-1\n")

    def close(self, summary: RunSummary) -> None:
        """Finish the file and give it its name.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        self._file.close()

    def abort(self) -> None:
        """Throw the unfinished file away."""
        self._file.abort()


def source_facts(info: StreamInfo) -> dict[str, Any]:
    """What records say of their source, as JSON."""
    return {
        "source": info.name,
        "width": info.width,
        "height": info.height,
        "fps": info.fps,
        "frame_count": info.frame_count,
        "rotation": info.rotation,
    }


def summary_facts(summary: RunSummary) -> dict[str, Any]:
    """What records say of a whole run, as JSON."""
    return {
        "frames": summary.frames,
        "people": summary.people,
        "seconds": round(summary.seconds, 3),
        "fps": round(summary.fps, 2),
        "stage_ms": {stage: round(ms, 3) for stage, ms in summary.stage_ms.items()},
        "warnings": list(summary.warnings),
        "complete": summary.complete,
    }


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps(values, allow_nan=False, separators=(",", ":"), ensure_ascii=False) + "\n"


def objects(found: Instances) -> list[dict[str, Any]]:
    """The objects of a frame as JSON; what was not asked for, or what an object lacks, is left out."""
    boxes, scores = rounded(found.boxes, PIXEL_DECIMALS), rounded(found.scores, SCORE_DECIMALS)
    people = found.people
    listed = []
    for i, label in enumerate(found.labels.tolist()):
        item: dict[str, Any] = {} if found.track_ids is None else {"track_id": int(found.track_ids[i])}
        item |= {"label": found.names[label], "score": scores[i], "box": boxes[i]}
        if found.carried is not None and found.carried[i]:
            item["detected"] = False
        if found.keypoints is not None and people[i]:
            item["keypoints"] = keypoint_triples(found.keypoints[i])
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
