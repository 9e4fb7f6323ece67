"""Lines and zones drawn by mouse in the window."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import cv2
import numpy as np

from ...models.errors import SepcamError
from ...models.types import U8
from ...pipelines.analytics.zones import Point, Zone, ZoneKind
from ...pipelines.drawing.text import BOLD, REGULAR, put_text, text_width
from .window import ESCAPE
from .zones import ZoneEditor

Mouse = Literal["down", "move", "up"]

ENTER: Final = "\r\n"
DELETE: Final = "\x08\x7f"  # what the keys Backspace and Delete give
_REACH: Final = 0.025  # of the longer side: how near to a corner or a line a click has to be
_CHOSEN, _OTHER, _DARK = (255, 255, 255), (60, 200, 255), (30, 24, 20)
_MOST_NAME: Final = 40
_HELP: Final = "z add zone   l add line   drag corners   n name   c color   x delete   Esc done"
_COLORS: Final = ("", "#ff5a4f", "#5ad45a", "#4f9dff", "#e06bff", "#ffffff")
_DRAW: Final = {"zone": "click the corners, the first one again to close", "line": "click both ends"}


@dataclass(slots=True)
class _Drag:
    """What follows the mouse: a corner of the chosen zone, or with None all of it."""

    corner: int | None
    begun: Point
    points: tuple[Point, ...]


class ZoneDrawing:
    """What mouse and keys do to the zones, while they are being edited. The main thread uses it.

    Attributes:
        message: what went wrong last, or "".
    """

    message: str

    def __init__(self, editor: ZoneEditor, size: tuple[int, int]) -> None:
        """Edit a session's zones.

        Args:
            editor: changes and saves them.
            size: (width, height) of the image in pixels.
        """
        self._editor = editor
        self._size = size
        self._zones = editor.zones
        self._chosen: int | None = None
        self._draft: list[Point] | None = None
        self._kind: ZoneKind = "zone"
        self._drag: _Drag | None = None
        self._name: str | None = None  # while it is being typed
        self.message = ""

    def mouse(self, what: Mouse, x: float, y: float) -> None:
        """The left button went down or up, or the mouse moved, at a pixel of the image."""
        width, height = self._size
        at = min(1.0, max(0.0, x / width)), min(1.0, max(0.0, y / height))
        if what == "down":
            self._press(at)
        elif self._drag is not None and what == "move":
            self._move(at)
        elif self._drag is not None:
            moved = self._zones[self._chosen or 0].points != self._drag.points
            self._drag = None
            if moved:
                self._save()

    def key(self, character: str) -> bool:
        """A key was pressed; False where editing is over."""
        self.message = ""
        if self._name is not None:
            self._type(character)
        elif character in "zZlL":
            self._kind, self._draft, self._chosen = ("zone" if character in "zZ" else "line"), [], None
        elif character == ESCAPE and self._draft is not None:
            self._draft = None
        elif character in (ESCAPE, "q"):
            return False
        elif character in ENTER:
            self._finish()
        elif character in "nN" and self._chosen is not None:
            self._name = ""
        elif character in "cC" and self._chosen is not None:
            self._recolor()
        elif character in f"xX{DELETE}" and self._chosen is not None:
            del self._zones[self._chosen]
            self._chosen = None
            self._save()
        return True

    def draw(self, image: U8) -> None:
        """Draws the zones with their corners, and what can be done, into an (H, W, 3) uint8 BGR image."""
        for place, zone in enumerate(self._zones):
            chosen = place == self._chosen
            self._outline(image, zone.points, not zone.is_line, _CHOSEN if chosen else _OTHER, corners=chosen)
            x, y = self._pixels(zone.points)[0]
            put_text(image, zone.name, x + 8, max(14, y - 8), _CHOSEN if chosen else _OTHER, 13, BOLD)
        if self._draft:
            self._outline(image, self._draft, False, _CHOSEN, corners=True)
        self._bar(image)

    def _bar(self, image: U8) -> None:
        text = self.message or _HELP
        if self._name is not None:
            text = f"name: {self._name}_   Enter takes it, Esc leaves it"
        elif self._draft is not None:
            text = f"{_DRAW[self._kind]}   Esc cancels"
        image[:24] //= 4
        size = 13
        while size > 8 and text_width(text, size) > image.shape[1] - 12:
            size -= 1
        put_text(image, text, 6, 17, _CHOSEN, size, REGULAR)

    def _outline(
        self, image: U8, points: Sequence[Point], closed: bool, color: tuple[int, int, int], *, corners: bool
    ) -> None:
        pixels = self._pixels(points)
        cv2.polylines(image, [np.array(pixels, np.int32)], closed, color, 2, cv2.LINE_AA)
        for pixel in pixels if corners else ():
            cv2.circle(image, pixel, 7, _DARK, -1, cv2.LINE_AA)
            cv2.circle(image, pixel, 5, color, -1, cv2.LINE_AA)

    def _press(self, at: Point) -> None:
        self._name = None
        if self._draft is not None:
            self._extend(at)
            return
        chosen = self._zones[self._chosen] if self._chosen is not None else None
        near = [] if chosen is None else [self._away(at, point) for point in chosen.points]
        if chosen is not None and min(near) < _REACH:
            self._drag = _Drag(int(np.argmin(near)), at, chosen.points)
            return
        self._chosen = next((i for i, zone in enumerate(self._zones) if self._hits(zone, at)), None)
        if self._chosen is not None:
            self._drag = _Drag(None, at, self._zones[self._chosen].points)

    def _move(self, at: Point) -> None:
        drag = self._drag
        if drag is None or self._chosen is None:
            return
        by = at[0] - drag.begun[0], at[1] - drag.begun[1]
        points = tuple(
            _within(x + by[0], y + by[1]) if drag.corner in (None, i) else (x, y)
            for i, (x, y) in enumerate(drag.points)
        )
        self._replace(points)

    def _extend(self, at: Point) -> None:
        draft = self._draft
        assert draft is not None
        closes = len(draft) > 2 and self._away(at, draft[0]) < _REACH
        if not closes:
            draft.append(_within(*at))
        if closes or (self._kind == "line" and len(draft) == 2):
            self._finish()

    def _finish(self) -> None:
        """Makes a zone of the draft."""
        draft, self._draft = self._draft, None
        if draft is None or len(draft) < (2 if self._kind == "line" else 3):
            return
        names = {zone.name for zone in self._zones}
        number = next(i for i in range(1, len(names) + 2) if f"{self._kind} {i}" not in names)
        try:
            self._zones.append(Zone(f"{self._kind} {number}", tuple(draft)))
        except SepcamError as error:
            self.message = str(error)
            return
        self._chosen = len(self._zones) - 1
        self._save()

    def _type(self, character: str) -> None:
        """A key while a name is being typed."""
        name = self._name or ""
        if character == ESCAPE:
            self._name = None
        elif character in DELETE:
            self._name = name[:-1]
        elif character not in ENTER:
            self._name = (name + character if character.isprintable() else name)[:_MOST_NAME]
        else:
            self._name = None
            if name.strip() and self._chosen is not None:
                self._zones[self._chosen] = replace(self._zones[self._chosen], name=name)
                self._save()

    def _replace(self, points: tuple[Point, ...]) -> None:
        assert self._chosen is not None
        try:
            self._zones[self._chosen] = replace(self._zones[self._chosen], points=points)
        except SepcamError as error:  # two corners at one place
            self.message = str(error)

    def _recolor(self) -> None:
        """Gives the chosen zone the next color."""
        assert self._chosen is not None
        zone = self._zones[self._chosen]
        place = _COLORS.index(zone.color) if zone.color in _COLORS else -1
        self._zones[self._chosen] = replace(zone, color=_COLORS[(place + 1) % len(_COLORS)])
        self._save()

    def _save(self) -> None:
        try:
            self._editor.change(self._zones)
        except SepcamError as error:
            self.message = str(error)
            self._zones, self._chosen = self._editor.zones, None

    def _hits(self, zone: Zone, at: Point) -> bool:
        points = np.array(self._pixels(zone.points), np.float32)
        x, y = self._pixels([at])[0]
        if not zone.is_line:
            return cv2.pointPolygonTest(points, (x, y), False) >= 0
        start, end = points.astype(np.float64)
        along = end - start
        share = np.clip(np.dot((x, y) - start, along) / np.dot(along, along), 0, 1)
        return bool(np.hypot(*((x, y) - start - share * along)) < _REACH * max(self._size))

    def _away(self, one: Point, other: Point) -> float:
        """The distance of two points by the longer side of the image."""
        width, height = self._size
        return float(np.hypot((one[0] - other[0]) * width, (one[1] - other[1]) * height)) / max(self._size)

    def _pixels(self, points: Sequence[Point]) -> list[tuple[int, int]]:
        width, height = self._size
        return [(round(x * (width - 1)), round(y * (height - 1))) for x, y in points]


def _within(x: float, y: float) -> Point:
    return round(min(1.0, max(0.0, x)), 4), round(min(1.0, max(0.0, y)), 4)
