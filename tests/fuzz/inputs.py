"""Twelve valid files, and damaged ones made of them."""

import random
from fractions import Fraction
from pathlib import Path

import cv2

from tests.clips import write_clip
from tests.walkers import square_picture

_FRAMES = 12


def make_valid(folder: Path) -> list[Path]:
    """Twelve small files of the kinds that people have: videos with and without sound, and images."""
    folder.mkdir(parents=True, exist_ok=True)
    images = [square_picture(i) for i in range(_FRAMES)]

    def clip(name: str, codec: str = "libx264", **settings) -> Path:
        return write_clip(folder / name, images=images, codec=codec, **settings)

    made = [
        clip("a.mp4", audio="aac"),
        clip("fragments.mp4", container_options={"movflags": "frag_keyframe+empty_moov"}),
        clip("b.mkv", audio="libopus"),
        clip("c.webm", "libvpx"),
        clip("d.avi", "mpeg4", audio="libmp3lame"),
        clip("e.ts", "mpeg2video", fps=Fraction(25), audio="mp2"),
        clip("f.flv", "flv1", audio="aac"),
        clip("g.mov", "mjpeg", pix_fmt="yuvj420p"),
        clip("h.gif", "gif", pix_fmt="rgb8"),
    ]
    for name in ("i.jpg", "j.png", "k.webp"):
        cv2.imwrite(str(folder / name), images[3])
        made.append(folder / name)
    return made


def damaged(valid: list[Path], number: int, seed: int) -> tuple[str, bytes]:
    """The damaged file of a number: its suffix and content; the same for the same seed."""
    chance = random.Random(f"{seed}-{number}")
    source = valid[number % len(valid)]
    data = bytearray(source.read_bytes())
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        chance.choice((_flip, _cut, _splice, _fill))(data, valid, chance)
    return source.suffix, bytes(data)


def _place(data: bytearray, chance: random.Random) -> int:
    """A place in the file, as often as not in its head, where what steers a reader is."""
    return chance.randrange(min(len(data), 512) if chance.random() < 0.5 else len(data)) if data else 0


def _flip(data: bytearray, valid: list[Path], chance: random.Random) -> None:
    for _ in range(min(len(data), chance.choice((1, 2, 8, 64)))):
        data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _cut(data: bytearray, valid: list[Path], chance: random.Random) -> None:
    begin = _place(data, chance)
    end = len(data) if chance.random() < 0.5 else begin + chance.randrange(1, 4096)
    del data[begin:end]


def _splice(data: bytearray, valid: list[Path], chance: random.Random) -> None:
    other = chance.choice(valid).read_bytes()
    begin = chance.randrange(len(other))
    piece = other[begin : begin + chance.randrange(1, 4096)]
    at = _place(data, chance)
    data[at : at + (len(piece) if chance.random() < 0.5 else 0)] = piece


def _fill(data: bytearray, valid: list[Path], chance: random.Random) -> None:
    at, length = _place(data, chance), chance.choice((1, 4, 8, 512))
    data[at : at + length] = bytes([chance.choice((0x00, 0xFF, 0x7F))]) * len(data[at : at + length])
