"""Annotated images as images, where a video would make no sense."""

import shutil
from contextlib import suppress
from pathlib import Path

import cv2

from ...models.errors import SepcamError
from ...models.files import hidden_path, publish_folder, write_failure
from ...models.types import U8
from ..types import FrameResult, RunSummary

_JPEG_QUALITY = 95


class ImageFolderSink:
    """A folder with a JPEG for each annotated image, ``<name>.jpg``; they appear when all are there."""

    def __init__(self, folder: Path, *, overwrite: bool = False) -> None:
        """Make the hidden folder that the pictures wait in.

        Args:
            folder: where they go; exists only after ``close``.
            overwrite: whether pictures in it may be replaced; others in it stay.

        Raises:
            SepcamError: If the folder exists, or cannot be made.
        """
        if folder.exists() and not overwrite:
            raise SepcamError(f"{folder} exists already: choose another folder, or use --overwrite")
        self._folder = folder
        self._names: set[Path] = set()
        self._waiting = hidden_path(folder)
        try:
            self._waiting.mkdir(parents=True)
        except OSError as error:
            raise self._failure(error) from error

    def write(self, result: FrameResult, picture: U8 | None = None) -> None:
        """Add the picture, or the frame as it is where there is none.

        Raises:
            SepcamError: If it cannot be written (a full disk), or another image has the same name.
        """
        name = Path(result.frame.name or f"{result.frame.index:06d}")
        if name in self._names:
            raise SepcamError(f"two images are called {name}: process their folders one at a time")
        self._names.add(name)
        path = self._waiting / f"{name.stem}.jpg"
        if path.exists():  # a.png beside a.jpg
            path = self._waiting / f"{name.name}.jpg"
        image = result.frame.image if picture is None else picture
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        try:
            path.write_bytes(data.tobytes())
        except OSError as error:
            raise self._failure(error) from error

    def close(self, summary: RunSummary) -> None:
        """Move the pictures to where they belong.

        Raises:
            SepcamError: If they cannot be moved.
        """
        try:
            publish_folder(self._waiting, self._folder)
        except OSError as error:
            raise self._failure(error) from error
        finally:
            self.abort()

    def abort(self) -> None:
        """Throw away the pictures that are still waiting."""
        with suppress(OSError):
            shutil.rmtree(self._waiting)

    def _failure(self, error: OSError) -> SepcamError:
        return write_failure(self._folder, error)
