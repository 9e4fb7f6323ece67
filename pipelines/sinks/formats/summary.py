"""What was counted in a file, as an HTML page with plots."""

from pathlib import Path

from ....models.types import U8
from ...files.addresses import shown
from ...files.text import TextFile
from ...types import FrameResult, RunSummary
from ..base import Sink, SinkContext, SinkKind


class SummarySink(Sink):
    """One page that needs no network; all of it is written at the end."""

    def __init__(self, path: Path, context: SinkContext) -> None:
        """Open the file.

        Args:
            path: of the finished file; it appears on ``close``.
            context: the run.

        Raises:
            SepcamError: If the target exists, or its folder cannot be written to.
        """
        self._name = shown(context.info.name)
        self._file = TextFile(path, overwrite=context.overwrite)

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Nothing: the sums come with the summary."""

    def prepare(self, summary: RunSummary) -> None:
        """Write everything.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        from ...statistics import Statistics
        from ...summary.page import FileSummary, page

        found = FileSummary(self._name, summary.frames, summary.statistics or Statistics())
        self._file.finish(page(self._name, [found]))

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
    "summary",
    "what was counted, as an HTML page with plots; written with events",
    frozenset(("video", "live")),
    lambda name: name.path(".summary.html"),
    SummarySink,
)
