"""Tracks as a MOTChallenge text file."""

from ....models.types import U8
from ...types import FrameResult
from ..base import SinkKind
from ..serialize import xywh
from ..text_sink import TextSink


class MotSink(TextSink):
    """MOTChallenge text: ``frame,id,x,y,w,h,conf,-1,-1,-1``, frames, ids and pixels counted from 1.

    Every object is written, whatever its class, for which the format has no column; its id is -1 where
    tracking was not asked for.
    """

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Add a frame's lines; the image is not used.

        Raises:
            SepcamError: If it cannot be written (a full disk).
        """
        found = result.instances
        ids = [-1] * len(found) if found.track_ids is None else found.track_ids.tolist()
        for track_id, (x, y, w, h), score in zip(ids, xywh(found), found.scores.tolist(), strict=True):
            place = f"{x + 1:.2f},{y + 1:.2f},{w:.2f},{h:.2f}"
            self._file.write(f"{result.frame.index + 1},{track_id},{place},{score:.4f},-1,-1,-1\n")


KIND = SinkKind(
    "mot",
    frozenset(("video", "live")),
    lambda name: name.path(".mot.txt"),
    lambda path, context: MotSink(path, overwrite=context.overwrite),
)
