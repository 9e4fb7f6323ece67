"""Images of every format come out as they are meant to be seen."""

import sys

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


@pytest.mark.parametrize(
    ("kind", "white"), [(np.float32, 1), (np.float32, 255), (np.int32, 255), (np.int32, 65535)]
)
def test_gray_of_32_bits_is_scaled_by_its_brightest_pixel(kind, white, tmp_path):
    gray = np.full(SIZE, 120 / 255 * white).round(4).astype(kind)
    gray[12:52, 8:24] = white
    Image.fromarray(gray).save(tmp_path / "gray.tiff")
    image = read_image(tmp_path / "gray.tiff")
    assert np.abs(image[0, 0].astype(int) - 120).max() <= 1
    assert (image[30, 16] == 255).all()


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
        (b"\xff\x0a" + bytes(90), "cannot be read as an image"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(90), "cannot be read as an image"),
    ],
)
def test_what_cannot_be_read_says_why(content, message, tmp_path):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(UnreadableImageError, match=f"^{message}$"):
        read_image(tmp_path / "a.jpg")


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".jpg"])
def test_a_cut_image_is_told_by_the_error_alone(suffix, tmp_path, capfd):
    pillow(np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)).save(tmp_path / f"a{suffix}")
    data = (tmp_path / f"a{suffix}").read_bytes()
    (tmp_path / f"a{suffix}").write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableImageError, match="cannot be read as an image"):
        read_image(tmp_path / f"a{suffix}")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.avif"])
def test_an_animation_among_images_gives_its_first_frame_and_a_line_says_so(name, tmp_path):
    later = [pillow(picture(box=[40, 12, 56, 52])), pillow(picture(box=[60, 12, 76, 52]))]
    pillow().save(tmp_path / name, save_all=True, append_images=later, duration=100)
    with open_source(tmp_path) as source:
        frames = [frame.image for frame in source]
        assert source.warnings[0].startswith(f"{name} is an animation: only its first frame is read")
    assert len(frames) == 1
    np.testing.assert_allclose(red(frames[0]), BOX, atol=1)


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.apng", "a.avif", "a.gif"])
def test_an_animation_is_a_video_with_its_own_times(name, tmp_path):
    boxes = [[20 * i, 12, 20 * i + 16, 52] for i in range(4)]
    images = [pillow(picture(box=box)) for box in boxes]
    lengths = [100, 250, 100, 40]
    options = {"lossless": True} if name == "a.webp" else {}
    images[0].save(tmp_path / name, save_all=True, append_images=images[1:], duration=lengths, **options)
    with open_source(tmp_path / name) as source:
        frames = list(source)
        assert (source.info.independent, source.warnings) == (False, [])
        assert source.info.frame_count in (None, 4)
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.1, 0.35, 0.45], abs=0.002)
    for frame, box in zip(frames, boxes, strict=True):
        np.testing.assert_allclose(red(frame.image), box, atol=1)
    with open_source(tmp_path / name, start_s=0.1, limit=2) as source:
        assert [frame.time_s for frame in source] == pytest.approx([0.1, 0.35], abs=0.002)


def test_an_animation_is_known_behind_a_large_color_profile(tmp_path):
    images = [pillow(picture(box=[20 * i, 12, 20 * i + 16, 52])) for i in range(4)]
    profile = np.random.default_rng(0).bytes(9000)
    images[0].save(tmp_path / "a.png", save_all=True, append_images=images[1:], icc_profile=profile)
    with open_source(tmp_path / "a.png") as source:
        assert len(list(source)) == 4


def test_a_cut_animation_gives_what_is_left(tmp_path):
    images = [pillow(np.random.default_rng(i).integers(0, 255, (64, 96, 3), np.uint8)) for i in range(4)]
    images[0].save(tmp_path / "a.png", save_all=True, append_images=images[1:], duration=100)
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[: len(data) * 5 // 8])
    with open_source(tmp_path / "a.png") as source:
        assert 1 <= len(list(source)) < 4
        assert source.warnings[0].startswith("cut after")


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, "gray", "alpha"])
def test_jpeg_xl(kind, tmp_path):
    imagecodecs = pytest.importorskip("imagecodecs")
    image = np.ascontiguousarray(picture()[..., ::-1])
    if kind is np.uint16:
        image = image.astype(np.uint16) * 257
    elif kind == "gray":
        image = np.ascontiguousarray(image[..., 0])
    elif kind == "alpha":
        image = np.dstack([image, np.full(image.shape[:2], 90, np.uint8)])
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(image, lossless=True))
    expected = picture()[..., 2:].repeat(3, axis=2) if kind == "gray" else picture()
    np.testing.assert_array_equal(read_image(tmp_path / "a.jxl"), expected)


def test_jpeg_xl_without_its_library_names_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    (tmp_path / "a.jxl").write_bytes(b"\xff\x0a" + bytes(90))
    with pytest.raises(UnreadableImageError, match=r"^is JPEG XL, which needs imagecodecs: pip install"):
        read_image(tmp_path / "a.jxl")
