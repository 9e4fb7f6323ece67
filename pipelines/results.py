"""Results read back from JSON Lines, CSV or Parquet, as numpy arrays or a pandas table."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..models.errors import SepcamError
from .files.addresses import expanded
from .tables import read_csv, read_parquet

if TYPE_CHECKING:
    import pandas


def pandas_module() -> Any:  # noqa: ANN401 - a module
    """The library pandas.

    Raises:
        SepcamError: If it is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise SepcamError("tables need pandas: pip install 'sepcam[pandas]'") from error
    return pandas


def read_results(path: str | Path) -> "Results":
    """Read results that ``sepcam process`` wrote, with ``--save`` ``jsonl``, ``csv`` or ``parquet``.

        results = sepcam.read_results("sepcam-out/clip.jsonl")
        boxes = results.to_numpy()["box"]

    Args:
        path: of the file, or of the folder of one source's Parquet table. CSV says nothing of the run and has
            no masks; neither CSV nor Parquet has the frames without objects.

    Raises:
        SepcamError: If the file cannot be read or holds something else.
    """
    path = Path(expanded(str(path)))
    if path.suffix.lower() == ".csv":
        return Results(*read_csv(path))
    if path.suffix.lower() == ".parquet" or path.is_dir():
        return Results(*read_parquet(path))
    return _read_jsonl(path)


def _read_jsonl(path: Path) -> "Results":
    try:
        with path.open(encoding="utf-8-sig") as file:  # str.splitlines would cut names at U+2028
            lines = [_parsed(line, number, path) for number, line in enumerate(file, 1) if line.strip()]
    except OSError as error:
        raise SepcamError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise SepcamError(f"{path} is not JSON Lines: it is not UTF-8 text") from error
    if not lines or lines[0]["type"] != "header":
        raise SepcamError(f"{path} does not hold results of sepcam: its first line is not a header")
    if "format" in lines[0]:
        raise SepcamError(f"{path} holds {lines[0]['format']}, not results: read the .jsonl file beside it")
    frames = [line for line in lines if line["type"] == "frame"]
    return Results(lines[0], frames, lines[-1] if lines[-1]["type"] == "summary" else {})


def _parsed(line: str, number: int, path: Path) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        kinds = "give a .jsonl, .csv or .parquet file of sepcam process"
        why = "is the file cut off?" if number > 1 else kinds
        raise SepcamError(f"line {number} of {path} is not JSON: {why}") from error
    if not isinstance(values, dict) or "type" not in values:
        raise SepcamError(f"line {number} of {path} is not a result of sepcam")
    if values["type"] == "frame" and not _is_frame(values):
        raise SepcamError(f"line {number} of {path} is not a frame: it needs frame, time_s and objects")
    return values


def _is_frame(values: dict[str, Any]) -> bool:
    found = values.get("objects")
    if not {"frame", "time_s"} <= values.keys() or not isinstance(found, list):
        return False
    return all(isinstance(item, dict) and {"label", "score", "box"} <= item.keys() for item in found)


class Results:
    """Results of one source.

    Attributes:
        header: of the file: ``source``, ``width``, ``height``, ``models`` ...
        frames: for each frame a dict with ``frame`` (0-based), ``time_s`` and ``objects``.
        summary: of the run; empty where the file was cut off.
    """

    def __init__(
        self, header: dict[str, Any], frames: Sequence[dict[str, Any]], summary: dict[str, Any]
    ) -> None:
        """Wrap what was read."""
        self.header, self.frames, self.summary = header, frames, summary

    def __len__(self) -> int:
        return len(self.frames)

    def to_numpy(self) -> dict[str, npt.NDArray[Any]]:
        """An array of M rows for each column, a row for each object in a frame.

        Returns:
            ``frame`` int64, ``time_s`` float64, ``track_id`` int64 (-1 without identity), ``label`` str,
            ``score`` float32, ``box`` (M, 4) float32 x1 y1 x2 y2 in pixels, ``image`` str, the file's name
            in a folder of images, else empty; and where poses were asked for ``keypoints`` (M, K, 3)
            float32 x, y in pixels and score, zeros for who has none; and where the pose network gives them
            ``depths`` (M, K) float32 in pixels and ``world`` (M, K, 3) float32 in meters.

        Raises:
            SepcamError: If a value is not of the kind that sepcam writes.
        """
        try:
            return self._columns()
        except (ValueError, TypeError) as error:
            raise SepcamError(f"the results hold a value that sepcam does not write: {error}") from error

    def _columns(self) -> dict[str, npt.NDArray[Any]]:
        rows = [(frame, found) for frame in self.frames for found in frame["objects"]]
        boxes = np.array([found["box"] for _, found in rows], np.float32).reshape(-1, 4)
        columns = {
            "frame": np.array([frame["frame"] for frame, _ in rows], np.int64),
            "time_s": np.array([frame["time_s"] for frame, _ in rows], np.float64),
            "track_id": np.array([found.get("track_id", -1) for _, found in rows], np.int64),
            "label": np.array([found["label"] for _, found in rows], dtype=str),
            "score": np.array([found["score"] for _, found in rows], np.float32),
            "box": boxes,
            "image": np.array([frame.get("name", "") for frame, _ in rows], dtype=str),
        }
        most = len(self.header.get("keypoint_names", ()))
        most = max([most, *(len(found.get("keypoints", ())) for _, found in rows)])
        for name, shape in (("keypoints", (most, 3)), ("depths", (most,)), ("world", (most, 3))):
            if most and (name == "keypoints" or any(name in found for _, found in rows)):
                columns[name] = np.zeros((len(rows), *shape), np.float32)
                for row, (_, found) in zip(columns[name], rows, strict=True):
                    values = found.get(name, ())
                    row[: len(values)] = np.reshape(values, (-1, *shape[1:]))
        return columns

    def to_pandas(self) -> "pandas.DataFrame":
        """The same as a table; the box in the columns x1, y1, x2, y2, each cell of keypoints (K, 3).

        Raises:
            SepcamError: If pandas is not installed, or a value is not of the kind that sepcam writes.
        """
        columns: dict[str, Any] = self.to_numpy()
        for name in {"keypoints", "depths", "world"} & columns.keys():
            columns[name] = list(columns[name])
        x1, y1, x2, y2 = columns.pop("box").T
        return pandas_module().DataFrame({**columns, "x1": x1, "y1": y1, "x2": x2, "y2": y2})
