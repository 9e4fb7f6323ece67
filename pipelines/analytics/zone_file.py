"""Files of lines and zones, which the options read and an editor writes.

    {"format": "sepcam-zones", "version": 1, "units": "fractions",
     "lines": [{"name": "door", "points": [[0.1, 0.5], [0.9, 0.5]]}],
     "zones": [{"name": "yard", "points": [[0, 0.6], [1, 0.6], [1, 1], [0, 1]]}]}

``units`` is ``fractions`` (of the frame, from its top left corner) or ``pixels``. ``size`` (width, height) of
the frame that pixels were taken from is optional: with it they fit frames of every size. A line or zone may
have a ``color``, ``#rrggbb``. Other keys are ignored, so that an editor may keep its own.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ...models.errors import SepcamError
from ...models.files import atomic_write
from ..files.text import read_text
from .zones import Zone, ZoneKind, check_names

FORMAT: Final = "sepcam-zones"
VERSION: Final = 1

_MOST: Final = 10**9  # pixels


def read_zones(path: Path) -> tuple[Zone, ...]:
    """The lines and zones of a file.

    Raises:
        SepcamError: If it cannot be read, or is no such file.
    """
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise SepcamError(f"{path} is not a JSON file: {error}") from error
    try:
        return zones_of(content)
    except SepcamError as error:
        raise SepcamError(f"{path}: {error}") from error


def zones_of(content: Any) -> tuple[Zone, ...]:  # noqa: ANN401 - any JSON
    """The lines and zones of a file's JSON.

    Raises:
        SepcamError: If it is no such JSON.
    """
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise SepcamError(f'no file of lines and zones: it says "format": "{FORMAT}"')
    if content.get("version") != VERSION:
        raise SepcamError(f"version {content.get('version')!r} is not known; this is version {VERSION}")
    units = content.get("units", "fractions")
    if units not in ("fractions", "pixels"):
        raise SepcamError(f"units are fractions or pixels, not {units!r}")
    scale = _scale(content.get("size")) if units == "pixels" else None
    kinds: tuple[tuple[ZoneKind, str], ...] = (("line", "lines"), ("zone", "zones"))
    found = [
        _zone(item, kind, number, units, scale)
        for kind, key in kinds
        for number, item in enumerate(_listed(content, key), 1)
    ]
    if not found and not {"lines", "zones"} <= content.keys():
        raise SepcamError("there is no line and no zone in it")
    check_names(found)
    return tuple(found)


def write_zones(path: Path, zones: Sequence[Zone], size: tuple[int, int]) -> None:
    """Writes lines and zones as fractions of the frame; the file is replaced as a whole.

    Args:
        path: of the file; its folder is created.
        zones: lines and zones in fractions or pixels; none is a file that `read_zones` takes too.
        size: (width, height) of the frame that pixels refer to.

    Raises:
        SepcamError: If it cannot be written.
    """
    text = json.dumps(as_json([fractions_of(zone, size) for zone in zones]), ensure_ascii=False)
    with atomic_write(path, overwrite=True) as hidden:
        hidden.write_text(text + "\n", encoding="utf-8")


def fractions_of(zone: Zone, size: tuple[int, int]) -> Zone:
    """The same line or zone in fractions of a frame of (width, height) pixels."""
    if zone.in_fractions:
        return zone
    width, height = size
    return Zone(
        zone.name, tuple((round(x / width, 5), round(y / height, 5)) for x, y in zone.points), zone.color
    )


def as_json(zones: Sequence[Zone]) -> dict[str, Any]:
    """A file's JSON for lines and zones, all in fractions or all in pixels.

    Raises:
        SepcamError: If some are in fractions and some in pixels.
    """
    units = {zone.in_fractions for zone in zones}
    if len(units) > 1:
        raise SepcamError("a file has all lines and zones in fractions or all in pixels")
    listed = [
        {"name": zone.name, "points": [list(point) for point in zone.points]}
        | ({"color": zone.color} if zone.color else {})
        for zone in zones
    ]
    return {
        "format": FORMAT,
        "version": VERSION,
        "units": "pixels" if units == {False} else "fractions",
        "lines": [item for item in listed if len(item["points"]) == 2],
        "zones": [item for item in listed if len(item["points"]) > 2],
    }


def _scale(size: Any) -> tuple[float, float] | None:  # noqa: ANN401 - any JSON
    if size is None:
        return None
    if not isinstance(size, list) or len(size) != 2 or not all(_number(one) and one > 0 for one in size):
        raise SepcamError(f"size is [width, height] in pixels, not {size!r}")
    return float(size[0]), float(size[1])


def _listed(content: dict[str, Any], key: str) -> list[Any]:
    items = content.get(key, [])
    if not isinstance(items, list):
        raise SepcamError(f"{key} is a list")
    return items


def _zone(item: Any, kind: ZoneKind, number: int, units: str, scale: tuple[float, float] | None) -> Zone:  # noqa: ANN401 - any JSON
    which = f"{kind} {number}"
    if not isinstance(item, dict):
        raise SepcamError(f"{which} has a name and points")
    points = item.get("points")
    if not isinstance(points, list) or not all(_is_point(point) for point in points):
        raise SepcamError(f"{which}: points are a list of [x, y]")
    if len(points) != 2 if kind == "line" else len(points) < 3:
        raise SepcamError(f"{which} has {len(points)} points; a line has two, a zone three or more")
    if units == "fractions" and any(value > 1 for point in points for value in point):
        raise SepcamError(f'{which}: fractions lie between 0 and 1; for pixels say "units": "pixels"')
    if scale is not None:
        points = [(x / scale[0], y / scale[1]) for x, y in points]
        if any(value > 1 for point in points for value in point):
            raise SepcamError(f"{which} lies outside the size of {scale[0]:g}x{scale[1]:g} pixels")
    color = item.get("color", "")
    if not isinstance(color, str):
        raise SepcamError(f"{which}: {color!r} is not a color such as #ffc83c")
    return Zone(str(item.get("name") or which), tuple((x, y) for x, y in points), color)


def _is_point(point: Any) -> bool:  # noqa: ANN401 - any JSON
    return isinstance(point, list) and len(point) == 2 and all(map(_number, point))


def _number(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return isinstance(value, int | float) and not isinstance(value, bool) and not abs(value) > _MOST
