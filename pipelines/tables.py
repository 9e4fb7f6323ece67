"""Results as tables, CSV and Parquet, read back in the form that JSON Lines has."""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from ..models.errors import SepcamError

_BOX: Final = ("x1", "y1", "x2", "y2")

Content = tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]
"""Header, frames and summary, as `Results` has them."""

_COLUMNS: Final = {*("frame", "time_s", "image", "track_id", "label", "score", "detected", "presence"), *_BOX}
"""Of every CSV file of results."""


def read_csv(path: Path) -> Content:
    """Reads a file that ``--save csv`` wrote.

    Raises:
        SepcamError: If it cannot be read or holds something else.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = list(reader.fieldnames or ())
            if not _COLUMNS.issubset(columns):
                raise SepcamError(f"{path} does not hold results of sepcam: its first line is not a header")
            names = [name.removesuffix("_score") for name in columns if name.endswith("_score")]
            rows = [_from_cells(row, names) for row in reader]
    except OSError as error:
        raise SepcamError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise SepcamError(f"{path} does not hold results of sepcam: {error}") from error
    return {"keypoint_names": names}, _frames(rows), {}


def read_parquet(path: Path) -> Content:
    """Reads a file, or the folder of one source, that ``--save parquet`` wrote.

    Raises:
        SepcamError: If pyarrow is missing, or it cannot be read or holds something else.
    """
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise SepcamError("Parquet needs pyarrow: pip install 'sepcam[parquet]'") from error
    file = path
    if path.is_dir():
        inside = sorted(path.rglob("*.parquet"))
        inside = [one for one in inside if one.is_file()]
        if len(inside) != 1:
            raise SepcamError(f"{path} holds the results of {len(inside)} sources: name the file of one")
        (file,) = inside
    try:
        with parquet.ParquetFile(file) as opened:
            about = json.loads((opened.metadata.metadata or {})[b"sepcam"])
            rows = [_from_record(row) for row in opened.read().to_pylist()]
        return about["header"], _frames(rows), about["summary"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SepcamError(f"{file} does not hold results of sepcam: {error}") from error


def _from_cells(cells: Mapping[str, str], names: Iterable[str]) -> dict[str, Any]:
    """A row of a CSV file with values in place of text."""
    row: dict[str, Any] = {
        "frame": int(cells["frame"]),
        "time_s": float(cells["time_s"]),
        "image": cells["image"],
        "label": cells["label"],
        "score": float(cells["score"]),
        "detected": cells["detected"] != "false",
        **{name: float(cells[name]) for name in _BOX},
        "track_id": int(cells["track_id"]) if cells["track_id"] else None,
        "presence": float(cells["presence"]) if cells["presence"] else None,
    }
    points = [[cells[f"{name}_{part}"] for part in ("x", "y", "score")] for name in names]
    if points and points[0][0]:
        row["keypoints"] = [[float(value) for value in point] for point in points]
    return row


def _from_record(record: dict[str, Any]) -> dict[str, Any]:
    """A row of a Parquet file with lists in place of structs."""
    row = dict(record)
    if row.get("keypoints") is not None:
        row["keypoints"] = [[point["x"], point["y"], point["score"]] for point in row["keypoints"]]
    if row.get("world") is not None:
        row["world"] = [[point["x"], point["y"], point["z"]] for point in row["world"]]
    return row


def _frames(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows as objects of frames, as in JSON Lines."""
    frames: dict[int, dict[str, Any]] = {}
    for row in rows:
        frame = frames.setdefault(
            row["frame"], {"type": "frame", "frame": row["frame"], "time_s": row["time_s"], "objects": []}
        )
        if row.get("image"):
            frame["name"] = row["image"]
        found = {"label": row["label"], "score": row["score"]}
        found["box"] = [row[name] for name in _BOX]
        if not row["detected"]:
            found["detected"] = False
        for name in ("track_id", "presence", "keypoints", "depths", "world", "mask"):
            if row.get(name) is not None:
                found[name] = row[name]
        frame["objects"].append(found)
    return list(frames.values())
