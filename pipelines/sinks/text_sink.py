"""What sinks share that write one text file."""

from pathlib import Path

from ...models.types import U8
from ..files.text import TextFile
from ..types import FrameResult, RunSummary
from .base import Sink


class TextSink(Sink):
    """A sink with one text file; a kind says in ``write`` what frames add, in ``_ending`` what comes last."""

    def __init__(self, path: Path, *, overwrite: bool = False, beginning: str = "") -> None:
        """Open the file.

        Args:
            path: of the finished file; it appears on ``close``.
            overwrite: whether a file of that name may be replaced.
            beginning: the first text.

        Raises:
            SepcamError: If the target exists, or its folder cannot be written to.
        """
        self._file = TextFile(path, overwrite=overwrite)
        try:
            self._file.write(beginning)
        except BaseException:
            self._file.abort()
            raise

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Nothing of a single frame is written."""

    def _ending(self, summary: RunSummary) -> str:
        """The last text."""
        return ""

    def prepare(self, summary: RunSummary) -> None:
        """Write what is left.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        self._file.finish(self._ending(summary))

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
