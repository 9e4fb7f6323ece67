"""Lines and zones: where in the frame people are counted, and how they are written."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from ...models.errors import SepcamError

ZoneKind = Literal["line", "zone"]
Point = tuple[float, float]

_MOST_NAME: Final = 40
_COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_FORMS: Final = {"line": "x1,y1,x2,y2", "zone": "x1,y1,x2,y2,x3,y3,... (three points or more)"}


@dataclass(frozen=True, slots=True)
class Zone:
    """A line (two points) or a polygon (three or more), with a name.

    Attributes:
        name: for events and drawings.
        points: (x, y), from the left and from the top: fractions of the frame if all lie between 0 and 1,
            else pixels.
        color: that it is drawn in, ``#rrggbb``, or "" for the usual one; zones that differ in nothing else
            are equal.

    Raises:
        SepcamError: If the points are too few, negative, on one line, or mix fractions and pixels, or there
            is no such color.
    """

    name: str
    points: tuple[Point, ...]
    color: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        name = self.name.strip()
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "points", tuple((float(x), float(y)) for x, y in self.points))
        if not name or len(name) > _MOST_NAME or not name.isprintable():
            raise SepcamError(f"{name!r} is not a name for a {self.kind}: use 1 to {_MOST_NAME} characters")
        if self.color and not _COLOR.fullmatch(self.color):
            raise SepcamError(f"{self.kind} {name!r}: {self.color!r} is not a color such as #ffc83c")
        if len(self.points) < 2:
            raise SepcamError(f"{name!r} needs two points for a line, three or more for a zone")
        values = [value for point in self.points for value in point]
        if not all(math.isfinite(value) and value >= 0 for value in values):
            raise SepcamError(f"{self.kind} {name!r}: coordinates are numbers from 0")
        if max(values) > 1 and any(0 < value < 1 for value in values):
            raise SepcamError(
                f"{self.kind} {name!r} mixes fractions of the frame (0 to 1) and pixels: use one of them"
            )
        if self.is_line and self.points[0] == self.points[1]:
            raise SepcamError(f"line {name!r} has no length: its two points are the same")
        if not self.is_line and _area(self.points) == 0:
            raise SepcamError(f"zone {name!r} has no area: its points lie on one line")

    @property
    def is_line(self) -> bool:
        """Whether it is a line."""
        return len(self.points) == 2

    @property
    def kind(self) -> ZoneKind:
        """What it is."""
        return "line" if self.is_line else "zone"

    @property
    def in_fractions(self) -> bool:
        """Whether the points are fractions of the frame."""
        return all(value <= 1 for point in self.points for value in point)

    def pixels(self, size: tuple[int, int]) -> tuple[Point, ...]:
        """The points in pixels of a frame.

        Args:
            size: (width, height) of the frame.

        Raises:
            SepcamError: If a point lies outside the frame.
        """
        width, height = size
        if self.in_fractions:
            return tuple((x * width, y * height) for x, y in self.points)
        if any(x > width or y > height for x, y in self.points):
            raise SepcamError(
                f"{self.kind} {self.name!r} ({_coordinates(self)}) lies outside the frame, which has "
                f"{width}x{height} pixels; fractions from 0 to 1 fit every frame"
            )
        return self.points

    def __str__(self) -> str:
        """As ``zone_of`` takes it: ``line door: 0.1,0.5,0.9,0.5``, and a color where there is one."""
        color = f" {self.color}" if self.color else ""
        return f"{self.kind} {self.name}: {_coordinates(self)}{color}"


def parse_zone(text: str, kind: ZoneKind, number: int = 1) -> Zone:
    """Reads ``x1,y1,x2,y2,...`` or ``name: x1,y1,x2,y2,...``.

    Args:
        text: what was typed.
        kind: whether a line or a polygon is wanted.
        number: from 1, for the name of one that has none.

    Raises:
        SepcamError: If it is no such line or polygon.
    """
    name, colon, numbers = text.rpartition(":")
    try:
        values = [float(part) for part in numbers.replace(" ", ",").split(",") if part]
    except ValueError:
        values = []
    points = tuple(zip(values[::2], values[1::2], strict=False))
    enough = len(values) == 4 if kind == "line" else len(values) >= 6 and len(values) % 2 == 0
    if not enough or len(set(points)) < (2 if kind == "line" else 3):
        raise SepcamError(
            f"{text!r} is not a valid {kind}: write {_FORMS[kind]} as fractions of the frame (0 to 1) or in "
            f"pixels, with or without a name and a colon before it"
        )
    return Zone(name if colon else f"{kind} {number}", points)


def zone_of(text: str) -> Zone:
    """The line or zone that ``str`` made this text of.

    Raises:
        SepcamError: If it is no such text.
    """
    kind, _, rest = text.partition(" ")
    color = _COLOR.search(rest, rest.rfind(" ") + 1)
    zone = parse_zone(rest if color is None else rest[: color.start()], "line" if kind == "line" else "zone")
    return zone if color is None else replace(zone, color=color[0])


def check_names(zones: Sequence[Zone]) -> None:
    """Makes sure that every name says which line or zone is meant.

    Raises:
        SepcamError: If two have the same name.
    """
    seen: set[str] = set()
    for zone in zones:
        if zone.name in seen:
            raise SepcamError(f"two lines or zones have the name {zone.name!r}: give each its own")
        seen.add(zone.name)


def _coordinates(zone: Zone) -> str:
    return ",".join(f"{value:.10g}" for point in zone.points for value in point)


def _area(points: Sequence[Point]) -> float:
    """Twice the area of a convex hull is not needed: only whether all points lie on one line."""
    (x0, y0), *others = points
    x1, y1 = max(others, key=lambda point: math.dist(point, (x0, y0)))
    return max(abs((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) for x, y in others)
