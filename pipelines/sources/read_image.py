"""Reading one image file, whatever its format, by what is in it and not by its suffix."""

import os
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import cv2
import numpy as np

from ...models.errors import SepcamError
from ...models.types import U8

if TYPE_CHECKING:
    from PIL import Image

_HEIF_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1", b"miaf"}
)
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_EXIF_ORIENTATION: Final = 0x0112
_JXL: Final = (b"\xff\x0a", b"\x00\x00\x00\x0cJXL ")


class UnreadableImageError(SepcamError):
    """Why an image cannot be read, and what to do: the end of a sentence that begins with its name."""


def read_image(path: Path) -> U8:
    """An image file as it is meant to be seen: rotated and mirrored as its EXIF data or its container asks.

    HEIC is read where the package ``pi-heif`` is installed, JPEG XL where ``imagecodecs`` is. Of an animation
    this is the first frame. Values of 16 bits are scaled to 8, transparency is dropped.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        UnreadableImageError: If it cannot be read.
    """
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise UnreadableImageError(f"cannot be read: {error.strerror or error}") from error
    head = data[:64].tobytes()
    if not head:
        raise UnreadableImageError("is empty")
    if head.startswith(_JXL):
        return _jpeg_xl(data)
    brands = _brands(head)
    if brands & _AVIF_BRANDS:  # OpenCV ignores how the container turns it
        return _with_pillow(path)
    if brands & _HEIF_BRANDS:
        _register_heif()
        return _with_pillow(path)
    set_log_level = cv2.utils.logging.setLogLevel
    log_level = set_log_level(cv2.utils.logging.LOG_LEVEL_SILENT)  # else it prints lines of its own
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    finally:
        set_log_level(log_level)
    return _with_pillow(path) if image is None else np.asarray(image, np.uint8)


def image_size(path: Path) -> tuple[int, int]:
    """Width and height of an image file in pixels as `read_image` gives it, mostly without decoding it.

    Raises:
        UnreadableImageError: If it cannot be read.
    """
    from PIL import Image

    with suppress(Exception), warnings.catch_warnings():  # then it is decoded, which tells what is wrong
        warnings.simplefilter("ignore")
        with Image.open(path) as opened:
            if opened.format not in ("AVIF", "HEIF"):  # their containers may rotate them too
                width, height = opened.size
                rotated = opened.getexif().get(_EXIF_ORIENTATION, 1) in (5, 6, 7, 8)
                return (height, width) if rotated else (width, height)
    height, width = read_image(path).shape[:2]
    return width, height


def _brands(head: bytes) -> set[bytes]:
    """The brands of an ISO base media file; none for other files."""
    if head[4:8] != b"ftyp":
        return set()
    size = min(int.from_bytes(head[:4], "big"), len(head))
    return {head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))}


def _register_heif() -> None:
    try:
        from pi_heif import register_heif_opener
    except ImportError as error:
        raise UnreadableImageError(
            "is HEIC, which needs pi-heif: pip install 'sepcam[heic]', or convert it to JPEG"
        ) from error
    register_heif_opener()


def _jpeg_xl(data: U8) -> U8:
    try:
        import imagecodecs
    except ImportError as error:
        raise UnreadableImageError(
            "is JPEG XL, which needs imagecodecs: pip install 'sepcam[jxl]', or convert it to PNG or JPEG"
        ) from error
    try:
        image = np.asarray(imagecodecs.jpegxl_decode(data.tobytes()))
    except Exception as error:  # damaged files raise several kinds
        raise UnreadableImageError("cannot be read as an image") from error
    if image.ndim == 4:  # an animation
        image = image[0]
    if image.dtype == np.uint16:
        image = image >> 8
    elif image.dtype != np.uint8:
        image = (image.astype(np.float32) * 255).clip(0, 255)
    if image.ndim == 2 or image.shape[2] < 3:  # gray, perhaps with transparency
        image = np.repeat(image.reshape(*image.shape[:2], -1)[..., :1], 3, axis=2)
    return np.ascontiguousarray(image[..., 2::-1].astype(np.uint8))


def pixels_of(image: "Image.Image") -> U8:
    """An image of Pillow as `read_image` gives it: rotated as its EXIF data ask, without transparency.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    from PIL import ImageOps

    upright = _eight_bits(ImageOps.exif_transpose(image))
    return np.ascontiguousarray(np.asarray(upright.convert("RGB"))[..., ::-1])


def _with_pillow(path: Path) -> U8:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes that other programs do not expect
            with Image.open(path) as opened:
                return pixels_of(opened)
    except Image.DecompressionBombError as error:
        raise UnreadableImageError("is too large to be read: make it smaller") from error
    except Exception as error:  # damaged files raise almost anything, from struct.error to SyntaxError
        raise UnreadableImageError("cannot be read as an image") from error


def _eight_bits(image: "Image.Image") -> "Image.Image":
    """Gray images of 16 bits scaled to 8; Pillow would cut off what is above 255.

    Those of 32 bits (modes I and F) do not say what white is: 1, 255 or 65535, the least that is enough.
    """
    if not image.mode.startswith(("I", "F")):
        return image
    from PIL import Image

    values = np.nan_to_num(np.asarray(image).astype(np.float64))
    scales = {"F": ((1, 255), (255, 1)), "I": ((255, 1),)}.get(image.mode, ())
    scale = next((scale for white, scale in scales if values.max(initial=0) <= white), 1 / 256)
    return Image.fromarray((values * scale).clip(0, 255).astype(np.uint8))


def is_animation(path: Path) -> bool:
    """Whether an image file that can be read holds more than one frame (APNG, animated WebP and AVIF)."""
    with path.open("rb") as file:
        head = file.read(64)
        if head.startswith(b"\x89PNG"):
            return _announces_animation(file)
    if head.startswith(b"RIFF") and head[8:16] == b"WEBPVP8X":
        return bool(head[20:] and head[20] & 2)
    return b"avis" in _brands(head)


def _announces_animation(png: BinaryIO) -> bool:
    """Whether a PNG has the chunk that makes it an APNG, in front of its image; profiles may come before."""
    png.seek(len(b"\x89PNG\r\n\x1a\n"))
    while len(head := png.read(8)) == 8 and head[4:] != b"IDAT":
        if head[4:] == b"acTL":
            return True
        png.seek(int.from_bytes(head[:4], "big") + len(b"CRC1"), os.SEEK_CUR)
    return False
