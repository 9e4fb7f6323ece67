"""Results as CSV, one row per object and frame, for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from ....models.types import U8
from ...files.text import as_unicode
from ...types import FrameResult
from ..base import Sink, SinkContext, SinkKind
from ..serialize import PIXEL_DECIMALS, SCORE_DECIMALS, rounded
from ..text_sink import TextSink

COLUMNS: Final = (
    *("frame", "time_s", "image", "track_id", "label", "score", "x1", "y1", "x2", "y2", "detected"),
    "presence",
)
"""The columns before those of the keypoints."""


class CsvSink(TextSink):
    """CSV (RFC 4180, UTF-8) with a header row; what an object lacks is empty. Masks are left out.

    The columns are those of Parquet; each keypoint has three: ``nose_x``, ``nose_y``, ``nose_score``.
    """

    def __init__(self, path: Path, keypoint_names: Sequence[str] = (), *, overwrite: bool = False) -> None:
        """Open the file and write the header row.

        Args:
            path: of the finished file; it appears on ``close``.
            keypoint_names: of the keypoints that get columns.
            overwrite: whether a file of that name may be replaced.

        Raises:
            SepcamError: If the target exists, or its folder cannot be written to.
        """
        self._names = tuple(keypoint_names)
        columns = [f"{name}_{part}" for name in self._names for part in ("x", "y", "score")]
        super().__init__(path, overwrite=overwrite, beginning=_text([[*COLUMNS, *columns]]))

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Add a frame's rows; the image is not used.

        Raises:
            SepcamError: If it cannot be written (a full disk).
        """
        found, frame = result.instances, result.frame
        count = len(found)
        nothing: list[Any] = [""] * count
        people = found.people.tolist()
        ids = nothing if found.track_ids is None else found.track_ids.tolist()
        scores, boxes = rounded(found.scores, SCORE_DECIMALS), rounded(found.boxes, PIXEL_DECIMALS)
        coasted = [False] * count if found.coasted is None else found.coasted.tolist()
        presence = nothing if found.presence is None else rounded(found.presence, SCORE_DECIMALS)
        points = self._points(result)
        rows = (
            [
                frame.index,
                round(frame.time_s, 6),
                frame.name,
                ids[i],
                found.names[label],
                scores[i],
                *boxes[i],
                str(not coasted[i]).lower(),
                presence[i] if people[i] else "",
                *(points[i] if people[i] else [""] * (3 * len(self._names))),
            ]
            for i, label in enumerate(found.labels.tolist())
        )
        self._file.write(_text(rows))

    def _points(self, result: FrameResult) -> list[list[Any]]:
        """The cells of the keypoints of each object; empty ones where they are other keypoints."""
        found = result.instances
        if found.keypoints is None or found.keypoints.shape[1] != len(self._names):
            return [[""] * (3 * len(self._names))] * len(found)
        places, scores = rounded(found.keypoints[..., :2], PIXEL_DECIMALS), found.keypoints[..., 2]
        pairs = zip(places, rounded(scores, SCORE_DECIMALS), strict=True)
        return [
            [value for place, score in zip(place_list, score_list, strict=True) for value in (*place, score)]
            for place_list, score_list in pairs
        ]


def _text(rows: Iterable[list[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return as_unicode(text.getvalue())


def _open(path: Path, context: SinkContext) -> Sink:
    return CsvSink(path, context.header["keypoint_names"], overwrite=context.overwrite)


KIND = SinkKind(
    "csv",
    frozenset(("video", "images", "live")),
    lambda name: name.path(".csv"),
    _open,
)
