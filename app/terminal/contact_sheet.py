"""A contact sheet: one image that shows a whole video."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ...models.files import atomic_write
from ...models.types import U8
from ...pipelines.media.frame_conversion import fitted
from ...pipelines.sources.open import open_source

_GAP = 8
_GROUND = 24


def contact_sheet(video: Path, *, columns: int = 3, rows: int = 3, width: int = 480) -> U8:
    """Images of a video at even intervals, in reading order.

    Args:
        video: the file.
        columns: images in a row.
        rows: rows of images.
        width: of each image, in pixels.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        SepcamError: If the video cannot be read.
    """
    with open_source(video) as source:
        info = source.info
        wanted = columns * rows
        every = max(1, (info.frame_count or wanted) // wanted)
        size = width, round(width * info.height / info.width)
        pictures = [
            np.asarray(cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA), np.uint8)
            for frame in source
            if frame.index % every == every // 2
        ]
    return _grid(pictures[:wanted], columns)


def save_picture(picture: U8, path: Path) -> None:
    """Writes an (H, W, 3) uint8 BGR image as PNG, whole or not at all.

    Raises:
        SepcamError: If it cannot be written.
    """
    _, data = cv2.imencode(".png", picture)
    with atomic_write(path, overwrite=True) as hidden:
        hidden.write_bytes(data.tobytes())


def picture_grid(pictures: Sequence[U8], columns: int, width: int) -> U8:
    """Images of any shapes in reading order, in cells of this width in pixels: (H, W, 3) uint8 BGR."""
    columns = min(columns, len(pictures))
    shape = np.median([picture.shape[0] / picture.shape[1] for picture in pictures])
    cell = width, round(width * float(shape))
    return _grid([fitted(picture, cell) for picture in pictures], columns)


def _grid(pictures: Sequence[U8], columns: int) -> U8:
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, 3), _GROUND, np.uint8)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        y, x = _GAP + row * (height + _GAP), _GAP + column * (width + _GAP)
        sheet[y : y + height, x : x + width] = picture
    return sheet
