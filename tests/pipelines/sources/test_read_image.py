"""Images of every format come out as they are meant to be seen."""

import cv2
import numpy as np
import pytest
from PIL import Image
from sepcam.pipelines.sources.open import open_source
from sepcam.pipelines.sources.read_image import UnreadableImageError, read_image

from tests.heic import heic

SIZE = (64, 96)
BOX = [8, 12, 24, 52]


def picture(size=SIZE, box=BOX):
    """A red rectangle on gray."""
    image = np.full((*size, 3), 120, np.uint8)
    image[box[1] : box[3], box[0] : box[2]] = (0, 0, 255)
    return image


def red(image):
    """Where the red rectangle is."""
    b, g, r = (image[..., i].astype(int) for i in range(3))
    ys, xs = np.nonzero((r > 150) & (g < 100) & (b < 100))
    return [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]


def pillow(image=None):
    return Image.fromarray((picture() if image is None else image)[..., ::-1])


WRITERS = {
    "a.png": lambda path: cv2.imwrite(str(path), picture()),
    "a.bmp": lambda path: cv2.imwrite(str(path), picture()),
    "a.jp2": lambda path: cv2.imwrite(str(path), picture()),
    "a.webp": lambda path: pillow().save(path, lossless=True),
    "a.avif": lambda path: pillow().save(path),
    "a.ppm": lambda path: cv2.imwrite(str(path), picture()),
    "16-bit.png": lambda path: cv2.imwrite(str(path), picture().astype(np.uint16) * 257),
    "16-bit.tiff": lambda path: cv2.imwrite(str(path), picture().astype(np.uint16) * 257),
    "cmyk.jpg": lambda path: pillow().convert("CMYK").save(path, quality=98, subsampling=0),
    "cmyk.tiff": lambda path: pillow().convert("CMYK").save(path),
    "palette.png": lambda path: pillow().quantize(8).save(path),
    "alpha.png": lambda path: pillow().convert("RGBA").save(path),
    "tga without its suffix.png": lambda path: pillow().save(path, format="TGA"),
    "phone.heic": lambda path: path.write_bytes(heic(picture((128, 192), [16, 24, 48, 104]))),
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_whole_image_is_read_at_its_size(name, tmp_path):
    WRITERS[name](tmp_path / name)
    image = read_image(tmp_path / name)
    scale = 2 if name == "phone.heic" else 1
    assert image.dtype == np.uint8 and image.shape == (SIZE[0] * scale, SIZE[1] * scale, 3)
    np.testing.assert_allclose(red(image), np.array(BOX) * scale, atol=1)
    assert np.abs(image[0, 0].astype(int) - 120).max() <= 3


def test_gray_of_16_bits_is_scaled(tmp_path):
    Image.fromarray(np.full(SIZE, 120 * 257, np.uint16)).save(tmp_path / "gray.tiff")
    assert (read_image(tmp_path / "gray.tiff") == 120).all()


@pytest.mark.parametrize("suffix", [".avif", ".jpg", ".png", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_rotated_and_mirrored_as_it_asks(suffix, orientation, tmp_path):
    exif = Image.Exif()
    exif[0x112] = orientation
    pillow().save(tmp_path / f"a{suffix}", exif=exif)
    upright = picture()
    if orientation in (5, 6, 7, 8):
        upright = upright.transpose(1, 0, 2)
    across = orientation in (2, 3, 6, 7)
    down = orientation in (3, 4, 7, 8)
    upright = upright[:: -1 if down else 1, :: -1 if across else 1]
    image = read_image(tmp_path / f"a{suffix}")
    assert image.shape == upright.shape
    np.testing.assert_allclose(red(image), red(upright), atol=1)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1)])
def test_extreme_shapes(size, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((*size, 3), 7, np.uint8))
    assert read_image(tmp_path / "a.png").shape == (*size, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"not an image", "cannot be read as an image"),
        (b"\xff\x0a" + bytes(90), "is JPEG XL, which is not supported: convert it to PNG or JPEG"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(90), "cannot be read as an image"),
    ],
)
def test_what_cannot_be_read_says_why(content, message, tmp_path):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(UnreadableImageError, match=f"^{message}$"):
        read_image(tmp_path / "a.jpg")


@pytest.mark.parametrize(("name", "options"), [("a.webp", {}), ("a.png", {}), ("a.avif", {})])
def test_of_an_animation_the_first_frame_is_taken_and_a_line_says_so(name, options, tmp_path):
    later = [pillow(picture(box=[40, 12, 56, 52])), pillow(picture(box=[60, 12, 76, 52]))]
    pillow().save(tmp_path / name, save_all=True, append_images=later, duration=100, **options)
    with open_source(tmp_path / name) as source:
        frames = [frame.image for frame in source]
        assert source.warnings == [f"{name} is an animation: only its first frame is read"]
    assert len(frames) == 1
    np.testing.assert_allclose(red(frames[0]), BOX, atol=1)
