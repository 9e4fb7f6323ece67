"""What sinks share whose results are a folder of files."""

from pathlib import Path

from ...models.errors import SepcamError
from ..files.folder import Folder
from ..types import RunSummary
from .base import Sink


class FolderSink(Sink):
    """A folder of files, which appear when all are there; a subclass writes them to ``_folder``."""

    def __init__(self, folder: Path, *, overwrite: bool = False) -> None:
        """Create the hidden folder that holds the files until ``close``.

        Args:
            folder: where they go; exists only after ``close``.
            overwrite: whether files in it may be replaced; its other files are kept.

        Raises:
            SepcamError: If the folder exists, or cannot be created.
        """
        self._folder = Folder(folder, overwrite=overwrite)
        self._seen = ImageNames()

    def prepare(self, summary: RunSummary) -> None:
        """Flush the files to the disk, and make their folder.

        Raises:
            SepcamError: If that fails; nothing is left then.
        """
        self._folder.prepare()

    def close(self, summary: RunSummary) -> None:
        """Move the files to their folder.

        Raises:
            SepcamError: If they cannot be moved.
        """
        self._folder.publish()

    def abort(self) -> None:
        """Delete the files that are still hidden."""
        self._folder.abort()


class ImageNames:
    """The names of the images of a run: files that are called by them must not replace each other."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def add(self, name: str) -> None:
        """Note the next image's name; frames of a video have none.

        Raises:
            SepcamError: If another image has the same one, in another folder.
        """
        if name in self._seen:
            raise SepcamError(f"two images are called {name}: process their folders one at a time")
        if name:
            self._seen.add(name)
