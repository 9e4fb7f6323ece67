"""Images have the colors that their videos state, whatever the matrix, range, depth and subsampling."""

import shutil
import subprocess
from fractions import Fraction

import av
import numpy as np
import pytest
from sepcam.pipelines.sources.open import open_source

FFMPEG = shutil.which("ffmpeg")
WIDTH, HEIGHT, PATCH = 96, 64, 16

MATRICES = {
    "BT.709": (1, 0.2126, 0.0722),
    "FCC": (4, 0.30, 0.11),
    "BT.601 (625 lines)": (5, 0.299, 0.114),
    "BT.601 (525 lines)": (6, 0.299, 0.114),
    "SMPTE 240M": (7, 0.212, 0.087),
    "BT.2020": (9, 0.2627, 0.0593),
}
"""Number and weights of red and blue, by ITU-T H.273, table 4."""

FORMATS = {
    "yuv420p": (8, 2, 2),
    "yuv422p": (8, 2, 1),
    "yuv444p": (8, 1, 1),
    "yuv420p10le": (10, 2, 2),
    "yuv444p10le": (10, 1, 1),
    "yuv420p12le": (12, 2, 2),
    "yuv422p12le": (12, 2, 1),
}
"""Bits, and columns and rows for each sample of color."""


BT2020_PRIMARIES = 9
INNER = np.kron(np.ones((HEIGHT // PATCH, WIDTH // PATCH)), np.pad(np.ones((8, 8)), 4)) > 0
"""Where no two patches meet, whose colors mix in subsampled formats."""


def patches():
    """(64, 96, 3) float RGB in 0 to 1: squares of one color each."""
    colors = np.random.default_rng(5).random((HEIGHT // PATCH, WIDTH // PATCH, 3))
    colors[0, :4] = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]
    return colors.repeat(PATCH, axis=0).repeat(PATCH, axis=1)


def planes(rgb, red, blue, *, bits, full, columns, rows):
    """Y, Cb and Cr of an image by ITU-T H.273, equations 38 to 43, as integers."""
    luma = red * rgb[..., 0] + (1 - red - blue) * rgb[..., 1] + blue * rgb[..., 2]
    colors = [(rgb[..., 2] - luma) / (2 - 2 * blue), (rgb[..., 0] - luma) / (2 - 2 * red)]
    colors = [c.reshape(HEIGHT // rows, rows, WIDTH // columns, columns).mean(axis=(1, 3)) for c in colors]
    step = 1 << (bits - 8)
    most = (1 << bits) - 1
    y = luma * most if full else (16 + 219 * luma) * step
    scaled = [c * most + 128 * step if full else (128 + 224 * c) * step for c in colors]
    return [np.rint(plane).clip(0, most).astype(np.int64) for plane in (y, *scaled)]


def write(path, name, matrix, *, full=False, image=None, transfer=None):
    """A lossless clip of one frame."""
    bits, columns, rows = FORMATS[name]
    number, red, blue = MATRICES[matrix]
    rgb = patches() if image is None else image
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=25, options={"strict": "-2"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, name
        stream.codec_context.colorspace = number
        stream.codec_context.color_range = 2 if full else 1
        if transfer is not None:
            stream.codec_context.color_trc = transfer
            stream.codec_context.color_primaries = BT2020_PRIMARIES
        frame = av.VideoFrame(WIDTH, HEIGHT, name)
        values = planes(rgb, red, blue, bits=bits, full=full, columns=columns, rows=rows)
        for plane, samples in zip(frame.planes, values, strict=True):
            stored = samples.astype(np.uint8 if bits == 8 else "<u2")
            lines = np.zeros((plane.height, plane.line_size), np.uint8)
            data = stored.view(np.uint8).reshape(plane.height, -1)
            lines[:, : data.shape[1]] = data
            plane.update(lines.tobytes())
        frame.colorspace, frame.color_range = number, 2 if full else 1
        if transfer is not None:
            frame.color_trc, frame.color_primaries = transfer, BT2020_PRIMARIES
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def read(path):
    with open_source(path) as source:
        return next(iter(source)).image, source.warnings


@pytest.mark.parametrize("matrix", MATRICES)
def test_colors_are_those_of_the_standard(tmp_path, matrix):
    expected = np.rint(patches()[..., ::-1] * 255)
    for name in FORMATS:
        for full in (False, True):
            image, warnings = read(write(tmp_path / "a.mkv", name, matrix, full=full))
            off = np.abs(image.astype(int) - expected)[INNER]
            # FFmpeg's fast conversion of 8 bits is off by up to 4 itself.
            assert (off.max() <= 4, warnings) == (True, []), (name, full, off.max())


def _pq(nits):
    """ITU-R BT.2100, table 4."""
    y = (nits / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375


def _hlg(nits):
    """ITU-R BT.2100, table 5; 203 nits are reference white."""
    e = nits / 203 * 0.265
    return np.where(
        e <= 1 / 12, np.sqrt(3 * e), 0.17883277 * np.log(np.maximum(12 * e - 0.28466892, 1e-9)) + 0.55991073
    )


@pytest.mark.parametrize(("transfer", "encode"), [(16, _pq), (18, _hlg)], ids=["PQ", "HLG"])
def test_hdr_is_tone_mapped(tmp_path, transfer, encode):
    srgb = patches()
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    wide = linear @ np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]).T
    path = write(tmp_path / "a.mkv", "yuv420p10le", "BT.2020", image=encode(203 * wide), transfer=transfer)
    image, warnings = read(path)
    off = np.abs(image.astype(int) - srgb[..., ::-1] * 255)[INNER]
    assert (off.mean() < 30, warnings) == (True, [])


@pytest.mark.skipif(not FFMPEG, reason="needs the program ffmpeg")
@pytest.mark.parametrize("name", FORMATS)
def test_images_are_those_of_ffmpeg(tmp_path, name):
    """On an image with edges and gradients, where rounding and the interpolation of colors show."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] / HEIGHT
    image = np.stack([x / 2, y, 1 - (x + y) / 3], axis=-1).clip(0, 1)
    image[20:44, 30:60] = (0.9, 0.1, 0.1)
    path = write(tmp_path / "a.mkv", name, "BT.709", full=False, image=image)
    flags = "scale=flags=bicubic"
    command = [FFMPEG, "-v", "error", "-i", path, "-vf", flags, "-pix_fmt", "bgr24", "-f", "rawvideo", "-"]
    shown = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.uint8)
    off = np.abs(read(path)[0].astype(int) - shown.reshape(HEIGHT, WIDTH, 3))
    assert off.max() <= 2
