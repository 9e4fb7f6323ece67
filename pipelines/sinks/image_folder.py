"""Annotated images as a folder of JPEGs, for sources that are no video."""

import shutil
from contextlib import suppress
from pathlib import Path

from ...models.errors import SepcamError
from ...models.files import (
    Claim,
    fit_name,
    flush_folder,
    hidden_path,
    make_folder,
    publish_folder,
    write_failure,
)
from ...models.types import U8
from ..types import FrameResult, RunSummary
from .base import Sink

_JPEG_QUALITY = 95


class ImageFolderSink(Sink):
    """A folder with a JPEG for each annotated image, ``<name>.jpg``; they appear when all are there."""

    def __init__(self, folder: Path, *, overwrite: bool = False) -> None:
        """Create the hidden folder that holds the images until ``close``.

        Args:
            folder: where they go; exists only after ``close``.
            overwrite: whether images in it may be replaced; its other files are kept.

        Raises:
            SepcamError: If the folder exists, or cannot be created.
        """
        if folder.exists() and not overwrite:
            raise SepcamError(f"{folder} exists already: choose another folder, or use --overwrite")
        self._folder = folder
        self._names: set[Path] = set()
        self._waiting = hidden_path(folder)
        try:
            self._waiting.mkdir(parents=True)
            self._claim = Claim(self._waiting)
        except OSError as error:
            raise self._failure(error) from error

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Add the annotated image, or the frame's own where there is none.

        Raises:
            SepcamError: If it cannot be written (a full disk), or another image has the same name.
        """
        name = Path(result.frame.name or f"{result.frame.index:06d}")
        if name in self._names:
            raise SepcamError(f"two images are called {name}: process their folders one at a time")
        self._names.add(name)
        path = self._waiting / fit_name(self._waiting, name.stem, ".jpg")
        if path.exists():  # a.png beside a.jpg
            path = self._waiting / fit_name(self._waiting, name.name, ".jpg")
        import cv2  # here, because the registry imports every sink for the help

        image = result.frame.image if image is None else image
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        try:
            path.write_bytes(data.tobytes())
        except OSError as error:
            raise self._failure(error) from error

    def prepare(self, summary: RunSummary) -> None:
        """Flush the images to the disk, and make their folder.

        Raises:
            SepcamError: If that fails; nothing is left then.
        """
        try:
            flush_folder(self._waiting)
            make_folder(self._folder)
        except OSError as error:
            self.abort()
            raise self._failure(error) from error

    def close(self, summary: RunSummary) -> None:
        """Move the images to their folder.

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
        """Delete the images that are still hidden."""
        with suppress(OSError):
            shutil.rmtree(self._waiting)
        self._claim.release()

    def _failure(self, error: OSError) -> SepcamError:
        return write_failure(self._folder, error)
