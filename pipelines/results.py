"""Results read back from JSON Lines, as numpy arrays or a pandas table."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..models.errors import SepcamError

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
    """Read results that ``sepcam process --save jsonl`` wrote.

    Raises:
        SepcamError: If the file cannot be read or holds something else.
    """
    try:
        lines = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
    except OSError as error:
        raise SepcamError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise SepcamError(f"{path} is not JSON Lines: {error}") from error
    if not lines or not isinstance(lines[0], dict) or lines[0].get("type") != "header":
        raise SepcamError(f"{path} does not hold results of sepcam")
    frames = [line for line in lines if line["type"] == "frame"]
    return Results(lines[0], frames, lines[-1] if lines[-1]["type"] == "summary" else {})


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
            ``score`` float32, ``box`` (M, 4) float32 x1 y1 x2 y2 in pixels.
        """
        rows = [(frame, found) for frame in self.frames for found in frame["objects"]]
        boxes = np.array([found["box"] for _, found in rows], np.float32).reshape(-1, 4)
        return {
            "frame": np.array([frame["frame"] for frame, _ in rows], np.int64),
            "time_s": np.array([frame["time_s"] for frame, _ in rows], np.float64),
            "track_id": np.array([found.get("track_id", -1) for _, found in rows], np.int64),
            "label": np.array([found["label"] for _, found in rows], dtype=str),
            "score": np.array([found["score"] for _, found in rows], np.float32),
            "box": boxes,
        }

    def to_pandas(self) -> "pandas.DataFrame":
        """The same as a table; the box in the columns x1, y1, x2, y2.

        Raises:
            SepcamError: If pandas is not installed.
        """
        columns = self.to_numpy()
        x1, y1, x2, y2 = columns.pop("box").T
        return pandas_module().DataFrame({**columns, "x1": x1, "y1": y1, "x2": x2, "y2": y2})
