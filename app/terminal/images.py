"""Images for people to look at: a contact sheet, a grid, a PNG file, an address inside a page."""

import base64
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
_QUALITY = 85  # of a JPEG


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
        images = [
            np.asarray(cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA), np.uint8)
            for frame in source
            if frame.index % every == every // 2
        ]
    return _grid(images[:wanted], columns)


def save_image(image: U8, path: Path) -> None:
    """Writes an (H, W, 3) uint8 BGR image as PNG, whole or not at all.

    Raises:
        SepcamError: If it cannot be written.
    """
    _, data = cv2.imencode(".png", image)
    with atomic_write(path, overwrite=True) as hidden:
        hidden.write_bytes(data.tobytes())


def image_url(image: U8) -> str:
    """An (H, W, 3) uint8 BGR image as a ``data:`` address of a JPEG."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")


def image_grid(images: Sequence[U8], columns: int, width: int) -> U8:
    """Images of any shapes in reading order, in cells of this width in pixels: (H, W, 3) uint8 BGR."""
    columns = min(columns, len(images))
    shape = np.median([image.shape[0] / image.shape[1] for image in images])
    cell = width, round(width * float(shape))
    return _grid([fitted(image, cell) for image in images], columns)


def _grid(images: Sequence[U8], columns: int) -> U8:
    height, width = images[0].shape[:2]
    rows = -(-len(images) // columns)
    sheet = np.full((rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, 3), _GROUND, np.uint8)
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        y, x = _GAP + row * (height + _GAP), _GAP + column * (width + _GAP)
        sheet[y : y + height, x : x + width] = image
    return sheet
