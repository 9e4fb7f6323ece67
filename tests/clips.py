"""Real clips for tests: small files made with real codecs, every picture stamped with its index."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from sepcam.pipelines.sources.synthetic import stamp_index

_AUDIO_RATE = 48_000


def picture(index: int, size: tuple[int, int] = (96, 64)) -> np.ndarray:
    """A (height, width, 3) uint8 BGR picture, soft enough for any codec; ``read_index`` gives ``index``."""
    width, height = size
    image = np.empty((height, width, 3), np.uint8)
    image[..., 0] = np.linspace(40, 200, width, dtype=np.uint8)
    image[..., 1] = np.linspace(60, 180, height, dtype=np.uint8)[:, None]
    image[..., 2] = 90 + index * 7 % 80
    stamp_index(image, index)
    return image


def write_clip(
    path: Path,
    *,
    frames: int = 12,
    size: tuple[int, int] = (96, 64),
    fps: Fraction = Fraction(10),
    ticks: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    pixel_aspect: Fraction = Fraction(1),
    audio: str | None = None,
    audio_rate: int = _AUDIO_RATE,
    images: Sequence[np.ndarray] | None = None,
    format: str | None = None,
) -> Path:
    """Write a clip whose frames bear their index, and give its path back.

    ``ticks`` are the frames' timestamps in ``time_base``; one frame after the other at ``fps`` without them.
    ``audio`` names an encoder for a beep as long as the pictures.
    """
    time_base = time_base or 1 / fps
    pictures = images if images is not None else [picture(i, size) for i in range(frames)]
    stamps = ticks if ticks is not None else range(len(pictures))
    options_of_container = container_options or {}
    with (
        usual_priority(),
        av.open(str(path), "w", format=format, container_options=options_of_container) as output,
    ):
        video = output.add_stream(codec, rate=fps, options=options or {})
        video.width, video.height, video.pix_fmt = *size, pix_fmt
        video.codec_context.time_base = time_base
        video.codec_context.sample_aspect_ratio = pixel_aspect
        sound = output.add_stream(audio, rate=audio_rate) if audio else None
        for image, stamp in zip(pictures, stamps, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = stamp, time_base
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        if sound is not None:
            seconds = float((stamps[-1] - stamps[0]) * time_base + 1 / fps)
            output.mux(_beep(sound, seconds, audio_rate))
    return path


@contextmanager
def usual_priority() -> Iterator[None]:
    """SVT-AV1 gives the whole process real-time priority where root runs it.

    Every program that later tests start would inherit it, and starve all others.
    """
    try:
        yield
    finally:
        if sys.platform == "linux":
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _beep(sound, seconds: float, rate: int):
    wave = np.sin(np.arange(round(seconds * rate)) * (2 * np.pi * 440 / rate)) * 0.3
    packets = []
    for start in range(0, len(wave), 1024):
        samples = np.ascontiguousarray(wave[None, start : start + 1024], np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        packets += sound.encode(frame)
    return packets + sound.encode(None)


def turn(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Write the display matrix ``a b c d`` (x' = a x + c y, y' = b x + d y) into an MP4's first track."""
    a, b, c, d = matrix
    values = np.array([a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30], ">i4").tobytes()
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 44
    data[start : start + len(values)] = values
    path.write_bytes(data)
    return path


def cut(path: Path, share: float) -> Path:
    """Leave only the first part of a file, as an interrupted copy does."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def audio_samples(path: Path) -> tuple[str, int, float]:
    """Codec, number of decoded samples and start in seconds of a file's sound."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        frames = list(container.decode(stream))
        return stream.codec_context.name, sum(f.samples for f in frames), float(frames[0].time)
