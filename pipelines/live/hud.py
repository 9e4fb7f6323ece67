"""The HUD of live frames: rates, latency, status, and a graph of the last seconds."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from ...models.types import U8
from ..drawing.colors import FAINT, WHITE, Color
from ..drawing.panel import MIN_TEXT_PX, Corner, fit_text_height, steady_width
from ..drawing.text import BOLD, REGULAR, Style, put_text, text_width
from ..types import FrameResult
from .meter import HISTORY_S, LiveFigures
from .status import LiveStatus

Line = tuple[str, int]
"""Text and weight."""

_MAX_HEIGHT = 0.5  # of the panel, as a fraction of the image's
_TRANSPARENCY = 0.32  # fraction of the image that shows through
_LINES: dict[str, Color] = {"separable": (233, 180, 86), "standard": (0, 159, 230)}
_GRID: Color = (120, 120, 120)
_RED: Color = (40, 40, 230)
_SHIFT = 4


class LiveHud:
    """Draws the panel of the frames of one session, in the emptiest corner, and a graph where asked for.

    Args:
        scale: of its text, as a multiple of the size that suits the frame.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale
        self._corner = Corner()

    def draw(self, image: U8, result: FrameResult, status: LiveStatus) -> None:
        """Draws what the settings ask for into an (H, W, 3) uint8 BGR image, in place."""
        detail = status.settings.hud
        if detail == "off":
            return
        lines = _brief(result, status)
        if detail == "full":
            lines += _full(result, status)
        height, width = image.shape[:2]
        style = Style.of(height, width, self._scale)
        panel = _panel(lines, (height, width), style)
        if panel is None:
            return
        high, wide = panel.shape[:2]
        graph = draw_graph(status.figures, style) if detail == "full" else None
        if graph is not None and not _fits(graph, (height - high - style.pad, width), style):
            graph = None
        if graph is not None:
            high += style.pad + graph.shape[0]
            wide = max(wide, graph.shape[1])
        (x1, y1, _, y2), _ = self._corner.place((high, wide), (height, width), result.instances, style.pad)
        _lay(image, panel, x1, y1)
        if graph is not None:
            _lay(image, graph, x1, y2 - graph.shape[0])


def _fits(layer: U8, room: tuple[int, int], style: Style) -> bool:
    """Whether a layer fits into a height and width in pixels, with a distance from the edges."""
    return layer.shape[0] + 2 * style.pad <= room[0] and layer.shape[1] + 2 * style.pad <= room[1]


def _lay(image: U8, layer: U8, x: int, y: int) -> None:
    """Darkens an area and adds a layer with text on black."""
    area = image[y : y + layer.shape[0], x : x + layer.shape[1]]
    cv2.addWeighted(area, _TRANSPARENCY, layer[: area.shape[0], : area.shape[1]], 1, 0, area)


def _panel(lines: Sequence[Line], size: tuple[int, int], style: Style) -> U8 | None:
    """Lines of text on black; None where there is no room for them.

    Lines without room are left out, the last ones first; text shrinks to fit the width.
    """
    height, width = size
    pad, unit = style.pad, style.text
    room = width - 6 * pad
    unit = fit_text_height(unit, max(text_width(text, unit, weight) for text, weight in lines), room)
    step = round(unit * 1.5)
    lines = lines[: max(1, int((height * _MAX_HEIGHT - 2 * pad) // max(step, 1)))]
    if unit < MIN_TEXT_PX or step + 4 * pad > height:
        return None
    widest = max(text_width(line, unit, weight) for line, weight in lines)
    layer = np.zeros((len(lines) * step + 2 * pad, 4 * pad + steady_width(widest, unit, room), 3), np.uint8)
    for number, (line, weight) in enumerate(lines):
        base = pad + number * step + round(unit * 1.1)
        put_text(layer, line, 2 * pad, base, FAINT if number else WHITE, unit, weight)
    return layer


def draw_graph(figures: LiveFigures, style: Style) -> U8 | None:
    """Draws the frames shown per second over the last ten seconds.

    The line's color shows the backbone, so that a switch appears as a step in another color.

    Returns:
        (h, w, 3) uint8 BGR on black; None without enough figures.
    """
    high, wide = 5 * style.text, 16 * style.text
    samples = [s for s in figures.history if s.shown_fps is not None]
    if len(samples) < 2:
        return None
    area = np.zeros((high, wide, 3), np.uint8)
    top_fps = max(10.0, 1.4 * max(s.shown_fps or 0.0 for s in samples))
    for share in (0.0, 0.5):
        level = round((high - 1) * share)
        area[level, ::3] = _GRID
    label, small = f"{top_fps:.0f} FPS", style.text * 3 // 4
    put_text(area, label, wide - text_width(label, small) - style.pad, style.text, WHITE, small)
    points = np.array([[1 - s.age_s / HISTORY_S, 1 - (s.shown_fps or 0.0) / top_fps] for s in samples])
    pixels = np.round(points * (wide - 1, high - 1) * (1 << _SHIFT)).astype(np.int32)
    for (begin, end), sample in zip(pairwise(pixels.tolist()), samples[1:], strict=True):
        cv2.line(area, begin, end, _LINES[sample.backbone], style.line + 1, cv2.LINE_AA, _SHIFT)
    return area


def draw_banner(image: U8, text: str) -> None:
    """Writes a line across the middle of an (H, W, 3) uint8 BGR image, in place: paused, reconnecting."""
    height, width = image.shape[:2]
    size = max(12, round(height * 0.045))
    size = min(size, int(size * 0.9 * width / max(1, text_width(text, size, BOLD))))
    top, bottom = height // 2 - size, height // 2 + size
    _shade(image[max(0, top) : bottom])
    x = (width - text_width(text, size, BOLD)) // 2
    put_text(image, text, x, height // 2 + round(size * 0.35), WHITE, size, BOLD)


def draw_recording(image: U8) -> None:
    """Draws the red dot into the upper right corner of an (H, W, 3) uint8 BGR image, in place."""
    height, width = image.shape[:2]
    radius = max(5, round(min(height, width) * 0.016))
    center = width - 2 * radius, 2 * radius
    cv2.circle(image, center, radius + 2, WHITE, cv2.FILLED, cv2.LINE_AA)
    cv2.circle(image, center, radius, _RED, cv2.FILLED, cv2.LINE_AA)


def draw_help(image: U8, keys: Sequence[tuple[str, str]]) -> None:
    """Draws a table of keys and what they do into the middle of an (H, W, 3) uint8 BGR image, in place."""
    height, width = image.shape[:2]
    unit = min(Style.of(height, width).text * 5 // 4, int(height / (1.7 * len(keys) + 2)))
    if unit < MIN_TEXT_PX:
        return
    first = max(text_width(label, unit, BOLD) for label, _ in keys) + 2 * unit
    wide = first + max(text_width(does, unit) for _, does in keys) + 2 * unit
    high = round((len(keys) + 0.6) * 1.6 * unit)
    x, y = max(0, (width - wide) // 2), max(0, (height - high) // 2)
    _shade(image[y : y + high, x : x + wide], _TRANSPARENCY / 3)
    for number, (label, does) in enumerate(keys):
        base = y + round((number + 1.1) * 1.6 * unit)
        put_text(image, label, x + unit, base, WHITE, unit, BOLD)
        put_text(image, does, x + first, base, FAINT, unit)


def _brief(result: FrameResult, status: LiveStatus) -> list[Line]:
    meter = status.figures.meter
    model = status.figures.model_fps.get(status.active.backbone)
    rates = f"{_number(meter.processing_fps)} FPS  camera {_number(meter.source_fps)}"
    lines = [(f"{rates}  model {_number(model)}", BOLD)]
    if status.message:
        lines.append((status.message, REGULAR))
    if status.duel.state == "preparing":
        lines.append(("duel: preparing both backbones ...", REGULAR))
    elif status.preparing:
        lines.append((f"preparing {', '.join(status.preparing)} ...", REGULAR))
    if status.settings.follow is not None:
        ids = result.instances.track_ids
        here = ids is not None and bool((ids == status.settings.follow).any())
        lines.append((f"following #{status.settings.follow}" + ("" if here else " (not in view)"), REGULAR))
    return lines


def _full(result: FrameResult, status: LiveStatus) -> list[Line]:
    meter = status.figures.meter
    count = int(result.instances.people.sum())
    people = f"{count} person" if count == 1 else f"{count} people"
    latency = f"latency {_number(meter.latency_ms_p50, 0)} ms, p95 {_number(meter.latency_ms_p95, 0)} ms"
    lines = [f"{people}  {status.active.detector}  {status.active.backbone}"]
    lines += [f"{latency}  dropped {meter.dropped}"]
    if meter.stage_ms:
        lines.append("  ".join(f"{name} {ms:.1f}" for name, ms in meter.stage_ms.items()) + " ms")
    lines += [line for line in (status.figures.comparison(), status.quality) if line]
    return [(line, REGULAR) for line in lines]


def _number(value: float | None, decimals: int = 1) -> str:
    return "..." if value is None else f"{value:.{decimals}f}"


def _shade(area: U8, through: float = _TRANSPARENCY) -> None:
    cv2.convertScaleAbs(area, area, alpha=through)
