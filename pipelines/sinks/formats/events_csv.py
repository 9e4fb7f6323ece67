"""Events as CSV."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from ....models.types import U8
from ...files.text import TextFile
from ...types import FrameResult, RunSummary
from ..base import Sink, SinkContext, SinkKind
from .events import in_order

if TYPE_CHECKING:
    from ...events import Event


class EventsCsvSink(Sink):
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
        self._file = TextFile(path, overwrite=context.overwrite)

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Add what happened in a frame; the image is not used."""
        self._events += result.events

    def prepare(self, summary: RunSummary) -> None:
        """Write everything.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        from ...events import COLUMNS

        text = io.StringIO()
        rows = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        rows.writeheader()
        rows.writerows(event.to_json() for event in in_order(self._events, summary.events))
        self._file.finish(text.getvalue())

    def close(self, summary: RunSummary) -> None:
        """Finish the file and give it its name.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        self.prepare(summary)
        self._file.publish()

    def abort(self) -> None:
        """Delete the unfinished file."""
        self._file.abort()


KIND = SinkKind(
    "events-csv",
    "the same events as CSV; written with events",
    frozenset(("video", "live")),
    lambda name: name.path(".events.csv"),
    EventsCsvSink,
)
