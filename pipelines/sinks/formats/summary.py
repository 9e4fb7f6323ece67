"""What was counted in a file, as an HTML page with plots."""

from pathlib import Path

from ...files.addresses import shown
from ...types import RunSummary
from ..base import SinkContext, SinkKind
from ..text_sink import TextSink


class SummarySink(TextSink):
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
        super().__init__(path, overwrite=context.overwrite)

    def _ending(self, summary: RunSummary) -> str:
        from ...statistics import Statistics
        from ...summary.page import FileSummary, page

        found = FileSummary(self._name, summary.frames, summary.statistics or Statistics())
        return page(self._name, [found])


KIND = SinkKind(
    "summary",
    frozenset(("video", "live")),
    lambda name: name.path(".summary.html"),
    SummarySink,
)
