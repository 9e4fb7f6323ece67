"""Line plots as SVG."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_WIDTH, _HEIGHT = 720, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 130, 30, 44
_COLORS: Final = (
    *("#00838f", "#d0591b", "#7a5ab5", "#4b8b3b", "#b3261e"),
    *("#8a6d00", "#3b6fb5", "#777777", "#d6489f", "#a0673c"),
)
_TICKS: Final = 5


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a plot.

    Attributes:
        name: what it shows.
        points: (x, y) from left to right.
        dots: whether each point is marked.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    dots: bool = False


def plot(lines: Sequence[Line], across: str, title: str) -> str:
    """An SVG element with axes from 0, or from below it where a value is negative.

    Args:
        lines: to draw, at most ten; without any there is a sentence instead.
        across: what the x axis shows.
        title: what the y axis shows.
    """
    if not lines:
        return "<p>There is nothing to draw.</p>"
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    step = _round_step(max(*ys, 0.0) - min(*ys, 0.0))
    low, high = math.floor(min(*ys, 0.0) / step) * step, math.ceil(max(*ys, 1e-9) / step) * step
    last = max(*xs, 1.0)

    def px(x: float) -> float:
        return _LEFT + x / last * (_WIDTH - _LEFT - _RIGHT)

    def py(y: float) -> float:
        return _HEIGHT - _BOTTOM - (y - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    parts = [f'<text class="soft" x="8" y="18">{html.escape(title)}</text>']
    for number in range(round((high - low) / step) + 1):
        y = low + number * step
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{py(y):.1f}" y2="{py(y):.1f}"/>'
            f'<text class="soft" x="{_LEFT - 6}" y="{py(y) + 4:.1f}" text-anchor="end">{y:g}</text>'
        )
    for x in sorted({0, round(last / 2), round(last)}):
        middle = f'x="{px(x):.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle"'
        parts.append(f'<text class="soft" {middle}>{x}</text>')
    middle = f'x="{px(last / 2):.1f}" y="{_HEIGHT - 6}" text-anchor="middle"'
    parts.append(f'<text class="soft" {middle}>{html.escape(across)}</text>')
    for number, line in enumerate(lines):
        places = [(px(x), py(y)) for x, y in line.points]
        parts.append(_drawn(line, _COLORS[number], places, number))
    head = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{html.escape(title)}">'
    return f"{head}{''.join(parts)}</svg>"


def _drawn(line: Line, color: str, places: Sequence[tuple[float, float]], number: int) -> str:
    """A line in pixels, and its entry in the legend."""
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{color}"/>' for x, y in places)
    x, y = _WIDTH - _RIGHT + 14, _TOP + 10 + 20 * number
    return (
        f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>'
        f"{dots if line.dots else ''}"
        f'<circle cx="{x}" cy="{y - 4}" r="5" fill="{color}"/>'
        f'<text x="{x + 10}" y="{y}">{html.escape(line.name)}</text>'
    )


def _round_step(span: float) -> float:
    """1, 2 or 5 times a power of ten, of which about five make up a span."""
    raw = max(span, 1e-9) / _TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
