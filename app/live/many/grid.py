"""The grid view: a card for each source with its name, its rate and the age of its frame."""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from ....models.types import U8
from ....pipelines.drawing.colors import FAINT, WHITE
from ....pipelines.drawing.text import BOLD, REGULAR, put_text, text_width
from ....pipelines.live.hud import draw_banner, draw_recording

_SIZE: Final = 1280, 720  # of the whole grid, at most
_HEAD: Final = 26  # rows of a card's text
_TEXT: Final = 14
_GAP: Final = 4
_GROUND: Final = (24, 20, 16)


@dataclass(frozen=True, slots=True)
class Caption:
    """What is written on a card.

    Attributes:
        name: of the source.
        figures: its rate and the age of its frame.
        notice: what to show across the frame, or None.
        recording: whether it is being recorded.
    """

    name: str
    figures: str = ""
    notice: str | None = None
    recording: bool = False


class Grid:
    """The image of all cards, in as many columns as rows where possible.

    Args:
        count: of the cards.
        aspect: width of the frames by their height.

    Attributes:
        image: (H, W, 3) uint8 BGR; drawn on in place.
    """

    image: U8

    def __init__(self, count: int, aspect: float) -> None:
        self._count = count
        self._columns = columns = math.ceil(math.sqrt(count))
        rows = math.ceil(count / columns)
        room_x = (_SIZE[0] - _GAP) // columns - _GAP
        room_y = (_SIZE[1] - _GAP) // rows - _GAP - _HEAD
        self._width = max(1, min(room_x, round(room_y * aspect)))
        self._height = max(1, round(self._width / aspect))
        high, wide = _HEAD + self._height + _GAP, self._width + _GAP
        self.image = np.empty((rows * high + _GAP, columns * wide + _GAP, 3), np.uint8)
        self.image[:] = _GROUND

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the image."""
        return self.image.shape[1], self.image.shape[0]

    def at(self, x: float, y: float) -> int | None:
        """The 0-based place of the card at a pixel of the image, or None where there is none."""
        column, row = int(x // (self._width + _GAP)), int(y // (_HEAD + self._height + _GAP))
        place = row * self._columns + column
        return place if 0 <= column < self._columns and 0 <= place < self._count else None

    def draw(self, place: int, frame: U8 | None, caption: Caption) -> None:
        """Draws a card.

        Args:
            place: of the card, 0-based.
            frame: (h, w, 3) uint8 BGR of any size; None is black.
            caption: its text.
        """
        card = self._card(place)
        self._write(card[:_HEAD], place, caption)
        area = card[_HEAD:]
        if frame is None:
            area[:] = 0
        else:
            _fit(area, frame)
        if caption.recording:
            draw_recording(area)
        if caption.notice:
            draw_banner(area, caption.notice)

    def _card(self, place: int) -> U8:
        x = _GAP + place % self._columns * (self._width + _GAP)
        y = _GAP + place // self._columns * (_HEAD + self._height + _GAP)
        return self.image[y : y + _HEAD + self._height, x : x + self._width]

    def _write(self, head: U8, place: int, caption: Caption) -> None:
        head[:] = _GROUND
        base = round(_HEAD / 2 + 0.36 * _TEXT)
        right = text_width(caption.figures, _TEXT)
        room = self._width - right - 3 * _GAP
        put_text(head, _shortened(f"{place + 1}  {caption.name}", room), _GAP, base, WHITE, _TEXT, BOLD)
        put_text(head, caption.figures, self._width - right - _GAP, base, FAINT, _TEXT, REGULAR)


def _fit(area: U8, frame: U8) -> None:
    """Scales a frame into an area, with black beside it where its shape is another."""
    high, wide = area.shape[:2]
    scale = min(wide / frame.shape[1], high / frame.shape[0])
    width, height = max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale))
    x, y = (wide - width) // 2, (high - height) // 2
    area[:] = 0
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    area[y : y + height, x : x + width] = cv2.resize(frame, (width, height), interpolation=how)


def _shortened(text: str, room: int) -> str:
    """The text, or its beginning and an ellipsis where there is not enough room."""
    whole = text
    while text and (wide := text_width(text if text == whole else f"{text}…", _TEXT, BOLD)) > room:
        text = text[: min(len(text) - 1, max(0, len(text) * room // wide))]
    return text if text == whole else f"{text}…"
