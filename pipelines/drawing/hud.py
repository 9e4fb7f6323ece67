"""The HUD of recordings: the frame rate alone, or with networks, people and time per stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from ...models.types import U8
from ..execution.meter import MeterSnapshot
from ..types import FrameResult
from .colors import FAINT, WHITE, Color, oklch
from .options import HudDetail
from .panel import MIN_TEXT_PX, Corner, Rect, fit_text_height, steady_width
from .text import BOLD, REGULAR, Style, put_text, text_width

_TRANSPARENCY = 0.3  # fraction of the image that shows through the panel
_MAX_HEIGHT = 0.33  # of the panel, as a fraction of the image's


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    color: Color = FAINT
    size: float = 1.0
    weight: int = REGULAR

    def width(self, unit: int) -> int:
        return text_width(self.text, round(self.size * unit), self.weight)


_Line = Sequence[_Text]


@dataclass(frozen=True, slots=True)
class Panel:
    """A rendered HUD.

    Attributes:
        rect: x1 y1 x2 y2 in pixels, end exclusive; inside the image.
        layer: (y2 - y1, x2 - x1, 3) uint8 BGR, its text on black.
    """

    rect: Rect
    layer: U8

    def draw(self, image: U8) -> None:
        """Darkens its area of an (H, W, 3) uint8 BGR image and adds its text, in place."""
        x1, y1, x2, y2 = self.rect
        area = image[y1:y2, x1:x2]
        cv2.addWeighted(area, _TRANSPARENCY, self.layer, 1, 0, area)


class Hud:
    """Lays out a small panel, in the corner of the frames of one run that is the emptiest.

    Args:
        caption: the networks, e.g. ``yolox-nano  separable``.
        detail: ``fps`` for one line with the frame rate, ``full`` for everything.
        scale: of its text, as a multiple of the size that suits the frame.
    """

    def __init__(self, caption: str, detail: HudDetail = "full", scale: float = 1.0) -> None:
        self._caption, self._detail, self._scale = caption, detail, scale
        self._corner = Corner()
        self._last: tuple[object, U8 | None] = (None, None)

    def panel(self, size: tuple[int, int], result: FrameResult) -> Panel | None:
        """The panel for a result.

        What is on it stays the same while its content is unchanged, until the meter's next update.

        Args:
            size: (height, width) of the image in pixels.
            result: its meter's rates and stage times (without a meter, its own stage times) are shown.

        Returns:
            None where there is nothing to show, the image is too small for readable text, or the frame rate
            would cover somebody's head in every corner.
        """
        layer = self._layer(size, result)
        if layer is None:
            return None
        pad = Style.of(*size, self._scale).pad
        rect, covers = self._corner.place(layer.shape[:2], size, result.instances, pad)
        return None if covers and self._detail == "fps" else Panel(rect, layer)

    def _layer(self, size: tuple[int, int], result: FrameResult) -> U8 | None:
        meter = result.meter
        stages: Mapping[str, float] = {}
        if self._detail == "full":
            lines = _lines(self._caption, meter, int(result.instances.people.sum()))
            stages = (meter.stage_ms if meter is not None else None) or result.stage_ms
        elif self._detail == "fps" and meter is not None:
            lines = [[_Text(f"{_rate(meter)} FPS", WHITE)]]
        else:
            return None
        key = size, lines, tuple(stages.items())
        if self._last[0] != key:
            self._last = key, _layout(size, lines, stages, Style.of(*size, self._scale))
        return self._last[1]


def _rate(meter: MeterSnapshot) -> str:
    return "..." if meter.processing_fps is None else f"{meter.processing_fps:.1f}"


def _lines(caption: str, meter: MeterSnapshot | None, people: int) -> list[_Line]:
    """All lines except the stages, the most important first."""
    lines: list[_Line] = []
    if meter is not None:
        lines.append([_Text(_rate(meter), WHITE, 1.7, BOLD), _Text("FPS")])
        if meter.source_fps is not None:
            lines[0] = [*lines[0], _Text(f"source {meter.source_fps:.4g}")]
    count = f"{people} person" if people == 1 else f"{people} people"
    lines.append([_Text(text) for text in (caption, count) if text])
    return lines


def _layout(
    size: tuple[int, int], lines: Sequence[_Line], stages: Mapping[str, float], style: Style
) -> U8 | None:
    """Lays out and fills the panel; text shrinks where the image is narrow."""
    height, width = size
    unit, room = style.text, width - 6 * style.pad
    unit = fit_text_height(unit, max(_width(line, unit) for line in lines), room)
    if unit < MIN_TEXT_PX or round(unit * 2.4) + 4 * style.pad > height:
        return None
    lines, legend = _arrange(lines, stages, unit, room, height * _MAX_HEIGHT - 2 * style.pad)
    inner = max(_width(line, unit) for line in [*lines, *legend])
    inner = steady_width(inner, unit, room)
    tall = min(_tall(lines, legend, unit) + 2 * style.pad, height - style.pad)
    layer = np.zeros((tall, inner + 4 * style.pad, 3), np.uint8)
    _fill(layer, lines, legend, stages, unit, style.pad)
    return layer


def _arrange(
    lines: Sequence[_Line], stages: Mapping[str, float], unit: int, room: int, free: float
) -> tuple[Sequence[_Line], Sequence[_Line]]:
    """The lines and the wrapped stages below them; in one line if too tall, else without the stages."""
    if not stages:
        return lines, []
    texts = [f"{name} {ms:.{0 if ms >= 100 else 1}f}" for name, ms in stages.items()]
    texts[-1] += " ms"
    pieces = [_Text(text, _stage_color(number)) for number, text in enumerate(texts)]
    flat = [[piece for line in lines for piece in line]]
    for head, least in ((lines, 18 * unit), (flat, room)):
        width = max(least, *(_width(line, unit) for line in head))
        legend = _wrap(pieces, unit, width)
        if width <= room and _tall(head, legend, unit) <= free:
            return head, legend
    return lines, []


def _fill(
    layer: U8,
    lines: Sequence[_Line],
    legend: Sequence[_Line],
    stages: Mapping[str, float],
    unit: int,
    pad: int,
) -> None:
    y = pad
    for line in lines:
        y += _height(line, unit)
        _write(layer, line, 2 * pad, y - round(unit * 0.4), unit)
    if legend:
        _bar(
            layer[y + unit // 4 : y + unit // 4 + max(2, unit // 5), 2 * pad : -2 * pad],
            list(stages.values()),
        )
        y += round(unit * 0.7)
    for line in legend:
        y += _height(line, unit)
        _write(layer, line, 2 * pad, y - round(unit * 0.4), unit)


def _write(layer: U8, line: _Line, x: int, base: int, unit: int) -> None:
    for piece in line:
        put_text(layer, piece.text, x, base, piece.color, round(piece.size * unit), piece.weight)
        x += piece.width(unit) + _space(unit)


def _bar(area: U8, values: Sequence[float]) -> None:
    """A bar of the stages' fractions of the time, side by side."""
    total = sum(values)
    if total <= 0:
        return
    edges = np.round(np.cumsum([0.0, *values]) / total * area.shape[1]).astype(int).tolist()
    for number, (left, right) in enumerate(pairwise(edges)):
        area[:, left : max(left, right - 1)] = _stage_color(number)


def _stage_color(number: int) -> Color:
    return oklch(0.83, 0.1, 4.2 - 0.75 * number)


def _wrap(pieces: Sequence[_Text], unit: int, width: int) -> list[_Line]:
    """Breaks a line into lines that are no wider than ``width``, where possible."""
    lines: list[list[_Text]] = []
    for piece in pieces:
        if lines and _width([*lines[-1], piece], unit) <= width:
            lines[-1].append(piece)
        else:
            lines.append([piece])
    return list(lines)


def _width(line: _Line, unit: int) -> int:
    return sum(piece.width(unit) for piece in line) + _space(unit) * (len(line) - 1)


def _tall(lines: Sequence[_Line], legend: Sequence[_Line], unit: int) -> int:
    return sum(_height(line, unit) for line in [*lines, *legend]) + (round(unit * 0.7) if legend else 0)


def _height(line: _Line, unit: int) -> int:
    return round(unit * 1.4 * max(1.0, max(piece.size for piece in line) * 0.85))


def _space(unit: int) -> int:
    return round(unit * 0.55)
