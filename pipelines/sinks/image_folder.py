"""Annotated images as a folder of JPEGs, for sources that are no video."""

from pathlib import Path

import numpy as np

from ...models.errors import SepcamError
from ...models.files import fit_name
from ...models.types import U8
from ..files.folder import Folder
from ..types import FrameResult, RunSummary
from .base import Sink

_JPEG_QUALITY = 95
_JPEG_SIDE = 65_500  # pixels; the format holds no more


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
        self._folder = Folder(folder, overwrite=overwrite)
        self._names = ImageNames()

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Add the annotated image, or the frame's own where there is none.

        Raises:
            SepcamError: If it cannot be written (a full disk), or another image has the same name.
        """
        self._names.add(result.frame.name)
        name = Path(result.frame.name or f"{result.frame.index:06d}")
        hidden = self._folder.hidden
        file = fit_name(hidden, name.stem, ".jpg")
        if (hidden / file).exists():  # a.png beside a.jpg
            file = fit_name(hidden, name.name, ".jpg")
        self._folder.write(file, encoded_jpeg(result.frame.image if image is None else image))

    def prepare(self, summary: RunSummary) -> None:
        """Flush the images to the disk, and make their folder.

        Raises:
            SepcamError: If that fails; nothing is left then.
        """
        self._folder.prepare()

    def close(self, summary: RunSummary) -> None:
        """Move the images to their folder.

        Raises:
            SepcamError: If they cannot be moved.
        """
        self._folder.publish()

    def abort(self) -> None:
        """Delete the images that are still hidden."""
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


def encoded_jpeg(image: U8) -> bytes:
    """An (H, W, 3) uint8 BGR image as a JPEG file; one that is too large for the format is made smaller."""
    import cv2  # here, because the registry imports every sink for the help

    height, width = image.shape[:2]
    if max(height, width) > _JPEG_SIDE:
        scale = _JPEG_SIDE / max(height, width)
        size = max(1, round(scale * width)), max(1, round(scale * height))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return data.tobytes()
