"""Text of any script as images of coverage, by FreeType and HarfBuzz in Pillow.

A font is chosen by the characters that it has: DejaVu Sans (Latin, Greek, Cyrillic, Arabic, Hebrew and more)
comes with matplotlib, Droid Sans Fallback (Chinese, Japanese, Korean) with Sepcam; whatever both lack is
looked for in the fonts of the system.
"""

import functools
import importlib.util
import os
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from ...models.types import U8
from ..files.text import as_unicode
from .bidi import visual

REGULAR, BOLD = 450, 650
"""Weights of letters."""

_EM: Final = 0.92  # size of the font for a line of text that is one pixel high
_PROBE_PX: Final = 24
_MISSING: Final = "\U0010fffd"  # no font has a letter for it
_SUFFIXES: Final = frozenset((".ttf", ".otf", ".ttc", ".otc"))


@dataclass(frozen=True, slots=True)
class Strip:
    """A line of text.

    Attributes:
        mask: (h, w) uint8, how much of each pixel the letters cover.
        x: column of its left edge, from where the text begins, in pixels.
        y: row of its upper edge, from the baseline downwards, in pixels.
        width: pixels from the beginning to the end of the text, spaces included.
    """

    mask: U8
    x: int
    y: int
    width: int


@functools.lru_cache(maxsize=4096)
def strip(text: str, height: int, weight: int = REGULAR) -> Strip:
    """A line of text, of a height in pixels; control characters become spaces."""
    # Figures and short words come again and again, in ever new combinations.
    if text.isascii() and " " in text.strip(" "):
        space = strip(" ", height, weight).width
        return _joined([strip(word, height, weight) for word in text.split(" ")], space)
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    text = as_unicode(text)
    if not features.check_feature("raqm"):  # it orders and joins letters, with the FriBiDi of the system
        text = visual(text)
    size = max(1, round(height * _EM))
    return _joined([_drawn(part, _font(path, size)) for path, part in _runs(text, weight)], 0)


def _drawn(text: str, font: ImageFont.FreeTypeFont) -> Strip:
    left, top, right, bottom = (round(edge) for edge in font.getbbox(text, anchor="ls"))
    canvas = Image.new("L", (max(0, right - left), max(0, bottom - top)))
    if canvas.width and canvas.height:
        ImageDraw.Draw(canvas).text((-left, -top), text, font=font, fill=255, anchor="ls")
    return Strip(np.asarray(canvas, np.uint8), left, top, round(font.getlength(text)))


def _joined(strips: list[Strip], space: int) -> Strip:
    """Lines of text one after the other, with a space in between."""
    if len(strips) == 1:
        return strips[0]
    starts = np.cumsum([0, *(one.width + space for one in strips)]).tolist()
    inked = [(start, one) for start, one in zip(starts, strips, strict=False) if one.mask.size]
    width = starts[-1] - space if strips else 0
    if not inked:
        return Strip(np.zeros((0, 0), np.uint8), 0, 0, width)
    left = min(start + one.x for start, one in inked)
    top = min(one.y for _, one in inked)
    right = max(start + one.x + one.mask.shape[1] for start, one in inked)
    bottom = max(one.y + one.mask.shape[0] for _, one in inked)
    mask = np.zeros((bottom - top, right - left), np.uint8)
    for start, one in inked:
        high, wide = one.mask.shape
        x, y = start + one.x - left, one.y - top
        area = mask[y : y + high, x : x + wide]
        np.maximum(area, one.mask, out=area)
    return Strip(mask, left, top, width)


def _runs(text: str, weight: int) -> Iterator[tuple[str, str]]:
    """The parts of a text that one font each can write, with the paths of the fonts."""
    chain = [_latin(weight), str(resources.files("sepcam.assets") / "DroidSansFallback.ttf")]
    chain += [font for char in text if not _neutral(char) for font in _system_font(char, *chain)]
    # One font for all of it shapes and orders right-to-left text as a whole.
    for font in chain:
        if all(_neutral(char) or _has(font, char) for char in text):
            yield font, text
            return
    run, current = "", chain[0]
    for char in text:
        font = current if _neutral(char) else next((f for f in chain if _has(f, char)), chain[0])
        if font != current and run:
            yield current, run
            run = ""
        run, current = run + char, font
    if run:
        yield current, run


def _neutral(char: str) -> bool:
    """Whether a character takes the font of those before it: spaces, marks on letters, invisible ones."""
    return unicodedata.category(char)[0] in "MZC"


@functools.cache
def _latin(weight: int) -> str:
    """DejaVu Sans; without matplotlib "", which stands for Pillow's own font."""
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        return ""
    name = "DejaVuSans-Bold.ttf" if weight >= BOLD else "DejaVuSans.ttf"
    path = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / name
    return str(path) if path.is_file() else ""


@functools.lru_cache(maxsize=64)
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    if path:
        return ImageFont.truetype(path, size)
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # Pillow's wheels have FreeType
    return font


@functools.lru_cache(maxsize=4096)
def _has(path: str, char: str) -> bool:
    """Whether a font has a letter for a character: it looks unlike the one for a missing letter."""
    font = _font(path, _PROBE_PX)
    return _letter(font, char) != _blank(path)


def _letter(font: ImageFont.FreeTypeFont, char: str) -> bytes:
    """What a character looks like."""
    left, top, right, bottom = (round(edge) for edge in font.getbbox(char))
    canvas = Image.new("L", (max(1, right - left), max(1, bottom - top)))
    ImageDraw.Draw(canvas).text((-left, -top), char, font=font, fill=255)
    return canvas.tobytes()


@functools.lru_cache(maxsize=512)
def _blank(path: str) -> bytes:
    return _letter(_font(path, _PROBE_PX), _MISSING)


def _system_font(char: str, *known: str) -> list[str]:
    """A font of the system that has a character, if there is one and the known ones lack it."""
    if any(_has(font, char) for font in known):
        return []
    return _found(ord(char) >> 7)


@functools.lru_cache(maxsize=256)
def _found(block: int) -> list[str]:
    """The best font of the system for a block of 128 characters, as a list of at most one."""
    chars = [chr(block << 7 | low) for low in range(128)]
    letters = [char for char in chars if unicodedata.category(char)[0] in "LNSP"][:4]
    for path in _system_fonts():
        try:
            font = ImageFont.truetype(path, _PROBE_PX)
            blank = _letter(font, _MISSING)
            if letters and all(_letter(font, char) != blank for char in letters):
                return [path]
        except OSError:  # damaged, or with bitmaps alone
            continue
    return []


@functools.cache
def _system_fonts() -> tuple[str, ...]:
    """The font files of the system, upright sans-serif ones first."""
    home, env = Path.home(), os.environ
    folders = {
        "darwin": ["/System/Library/Fonts", "/Library/Fonts", home / "Library/Fonts"],
        "win32": [
            Path(env.get("WINDIR", "C:/Windows"), "Fonts"),
            Path(env.get("LOCALAPPDATA", home), "Microsoft/Windows/Fonts"),
        ],
    }.get(
        sys.platform,
        ["/usr/share/fonts", "/usr/local/share/fonts", home / ".local/share/fonts", home / ".fonts"],
    )
    paths = [
        path for folder in folders for path in Path(folder).rglob("*") if path.suffix.lower() in _SUFFIXES
    ]

    def order(path: Path) -> tuple[bool, bool, str]:
        name = path.name.lower()
        plain = not any(word in name for word in ("bold", "italic", "oblique", "light", "black", "mono"))
        return not plain, "sans" not in name, name

    return tuple(str(path) for path in sorted(paths, key=order))
