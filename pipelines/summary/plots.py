"""Plots as SVG, in the colors of the page that shows them."""

import math
from collections.abc import Sequence
from html import escape
from typing import Final

WIDTH: Final = 640
HEIGHT: Final = 150

_LEFT, _BELOW, _ABOVE, _RIGHT = 40, 22, 8, 8  # margins
_MOST_TICKS: Final = 5
_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


def clock(seconds: float) -> str:
    """A time as people write it: ``45 s``, ``3:05``, ``1:03:05``."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def over_time(values: Sequence[float], step_s: float, title: str) -> str:
    """An area of values, one for each step of time."""
    seconds, most = max(step_s * len(values), 1e-9), max(max(values, default=0), 1)
    points = [(0.0, 0.0)]
    for number, value in enumerate(values):
        points += [(number * step_s, value), ((number + 1) * step_s, value)]
    points.append((seconds, 0.0))
    drawn = " ".join(f"{_x(at, seconds):.1f},{_y(value, most):.1f}" for at, value in points)
    return _frame(f'<polygon class="area" points="{drawn}"/>', seconds, most, title)


def steps(lines: Sequence[tuple[str, Sequence[float]]], seconds: float, title: str) -> str:
    """Counts that grow by one at each time, a line for each name."""
    most = max((len(times) for _, times in lines), default=0) or 1
    seconds = max(seconds, 1e-9)
    drawn = []
    for number, (name, times) in enumerate(lines):
        points = [(0.0, 0)]
        for count, at in enumerate(times, 1):
            points += [(at, count - 1), (at, count)]
        points.append((seconds, len(times)))
        path = " ".join(f"{_x(min(at, seconds), seconds):.1f},{_y(value, most):.1f}" for at, value in points)
        drawn.append(
            f'<polyline class="line c{number % 6}" points="{path}"><title>{escape(name)}</title></polyline>'
        )
    return _frame("".join(drawn), seconds, most, title)


def histogram(values: Sequence[float], title: str) -> str:
    """How many values lie in each of some equal ranges from 0."""
    if not values:
        return _frame("", 1.0, 1, title)
    width = next((one for one in _STEPS if max(values) / one < 20), math.ceil(max(values) / 20))
    counts = [0] * (int(max(values) / width) + 1)
    for value in values:
        counts[int(value / width)] += 1
    most, seconds = max(counts), width * len(counts)
    bars = []
    for number, count in enumerate(counts):
        left, right = (_x(at * width, seconds) for at in (number, number + 1))
        top = _y(count, most)
        bars.append(
            f'<rect class="area" x="{left + 0.5:.1f}" y="{top:.1f}" width="{max(right - left - 1, 0.5):.1f}" '
            f'height="{_y(0, most) - top:.1f}"/>'
        )
    return _frame("".join(bars), seconds, most, title)


def _frame(content: str, seconds: float, most: float, title: str) -> str:
    """A plot with its axes: time from 0 below, counts from 0 at the left."""
    step = next((one for one in _STEPS if seconds / one <= _MOST_TICKS + 2), seconds / _MOST_TICKS)
    ticks = [f'<line class="axis" x1="{_LEFT}" y1="{_y(0, 1)}" x2="{WIDTH - _RIGHT}" y2="{_y(0, 1)}"/>']
    for number in range(int(seconds / step) + 1):
        x = _x(number * step, seconds)
        ticks.append(f'<text x="{x:.1f}" y="{HEIGHT - 6}" class="below">{clock(number * step)}</text>')
    for value in sorted({0, most // 2, most} if most >= 2 else {0, most}):
        y = _y(value, most)
        ticks.append(
            f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - _RIGHT}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" class="left">{value:g}</text>'
        )
    label = escape(title, quote=True)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(ticks)}{content}</svg>'
    )


def _x(seconds: float, whole_s: float) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * seconds / whole_s


def _y(value: float, most: float) -> float:
    return HEIGHT - _BELOW - (HEIGHT - _BELOW - _ABOVE) * value / most
