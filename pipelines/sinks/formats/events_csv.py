"""Events as CSV."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from ....models.types import U8
from ...types import FrameResult, RunSummary
from ..base import SinkContext, SinkKind
from ..text_sink import TextSink
from .events import in_order

if TYPE_CHECKING:
    from ...events import Event


class EventsCsvSink(TextSink):
    """A row for each event, in the order of time, below the names of the columns."""

    def __init__(self, path: Path, context: SinkContext) -> None:
        """Open the file.

        Args:
            path: of the finished file; it appears on ``close``.
            context: the run.

        Raises:
            SepcamError: If the target exists, or its folder cannot be written to.
        """
        self._events: list[Event] = []
        super().__init__(path, overwrite=context.overwrite)

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Add what happened in a frame; the image is not used."""
        self._events += result.events

    def _ending(self, summary: RunSummary) -> str:
        from ...events import COLUMNS

        text = io.StringIO()
        rows = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        rows.writeheader()
        rows.writerows(event.to_json() for event in in_order(self._events, summary.events))
        return text.getvalue()


KIND = SinkKind(
    "events-csv",
    frozenset(("video", "live")),
    lambda name: name.path(".events.csv"),
    EventsCsvSink,
)
