"""Annotated images as a folder of JPEGs, for sources that are no video."""

from pathlib import Path

import numpy as np

from ...models.files import fit_name
from ...models.types import U8
from ..types import FrameResult
from .folder_sink import FolderSink

_JPEG_QUALITY = 95
_JPEG_SIDE = 65_500  # pixels; the format holds no more


class ImageFolderSink(FolderSink):
    """A folder with a JPEG for each annotated image, ``<name>.jpg``; they appear when all are there."""

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Add the annotated image, or the frame's own where there is none.

        Raises:
            SepcamError: If it cannot be written (a full disk), or another image has the same name.
        """
        self._seen.add(result.frame.name)
        name = Path(result.frame.name or f"{result.frame.index:06d}")
        hidden = self._folder.hidden
        file = fit_name(hidden, name.stem, ".jpg")
        if (hidden / file).exists():  # a.png beside a.jpg
            file = fit_name(hidden, name.name, ".jpg")
        self._folder.write(file, encoded_jpeg(result.frame.image if image is None else image))


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
