"""Images that visitors upload: which files are images, and how they are read."""

import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from ....models.errors import SepcamError
from ....pipelines.files.file_types import IMAGE_SUFFIXES
from ....pipelines.sources.images import ImageSource
from ....pipelines.types import Frame

MAX_PIXELS: Final = 50_000_000
"""Of an uploaded image: more than the cameras of phones have by default."""

_FORMATS: Final = frozenset(
    {"AVIF", "BMP", "DIB", "HEIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TIFF", "WEBP"}
)
"""Pillow's names of the formats that are read; some others run programs or open files that they name."""


def is_image_name(name: str) -> bool:
    """Whether a file of this name is taken for an image."""
    return Path(name).suffix.lower() in IMAGE_SUFFIXES


class UploadedImage(ImageSource):
    """An image from an untrusted sender, called as the sender calls it.

    Args:
        path: of the file; its name is the server's.
        name: the sender's.

    Raises:
        SepcamError: If it is too large, or cannot be read as an image.
    """

    def __init__(self, path: Path, name: str) -> None:
        _check(path, name)
        try:
            super().__init__(name, [path])
        except SepcamError as error:
            raise SepcamError(str(error).replace(path.name, name, 1)) from error
        self.warnings = [line.replace(path.name, name, 1) for line in self.warnings]

    def __iter__(self) -> Iterator[Frame]:
        """The frame, under the sender's name."""
        for frame in super().__iter__():
            yield replace(frame, name=self.info.name)


def _check(path: Path, name: str) -> None:
    """Refuse by the header what must not be decoded."""
    from PIL import Image

    with suppress(ImportError):
        from pi_heif import register_heif_opener

        register_heif_opener()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as opened:
                kind, (width, height) = opened.format, opened.size
    except Exception as error:  # damaged files raise almost anything
        raise SepcamError(f"{name} is not an image that can be read") from error
    if kind not in _FORMATS:
        raise SepcamError(f"{name} is {kind}, which is not accepted: convert it to JPEG or PNG")
    if width * height > MAX_PIXELS:
        raise SepcamError(
            f"{name} has {width}x{height} pixels: at most {MAX_PIXELS // 1_000_000} million are accepted"
        )
