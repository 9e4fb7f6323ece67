"""The lines and zones of a session over HTTP: drawn on the page, watched at once, and saved."""

from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from ....models.errors import SepcamError
from ....pipelines.analytics.zone_file import as_json
from ....pipelines.analytics.zones import Zone
from ...live.zones import ZoneEditor

_MOST: Final = 50


class Shape(BaseModel):
    """A line or a zone."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=40)
    points: list[tuple[float, float]] = Field(
        min_length=2, max_length=100, description="x and y as fractions of the frame; a line has two."
    )
    color: str = Field("", max_length=7, description="#rrggbb, or empty for the usual color.")


class Shapes(BaseModel):
    """All lines and zones: those that are left out are deleted, so both lists must be there."""

    model_config = ConfigDict(extra="forbid")

    lines: list[Shape] = Field(
        max_length=_MOST, examples=[[{"name": "Door", "points": [[0.1, 0.5], [0.9, 0.5]]}]]
    )
    zones: list[Shape] = Field(
        max_length=_MOST, examples=[[{"name": "Yard", "points": [[0.1, 0.6], [0.5, 0.6], [0.5, 0.95]]}]]
    )


def router(editor: Callable[[], ZoneEditor], prefix: str) -> APIRouter:
    """The routes, below an address.

    Args:
        editor: returns the source's.
        prefix: the beginning of the address.
    """
    routes = APIRouter(prefix=f"{prefix}/live", tags=["live"])

    @routes.get("/zones", summary="The lines and zones, as a file for --zones has them")
    def zones() -> dict[str, Any]:
        return _listed(editor())

    @routes.put("/zones", summary="Watch these lines and zones from now on, and save them")
    def change(shapes: Shapes) -> dict[str, Any]:
        try:
            editor().change(_zones(shapes))
        except SepcamError as error:
            raise HTTPException(422, str(error)) from error
        return _listed(editor())

    return routes


def _listed(editor: ZoneEditor) -> dict[str, Any]:
    return {**as_json(editor.zones), "file": editor.path.name}


def _zones(shapes: Shapes) -> list[Zone]:
    """Lines and zones.

    Raises:
        SepcamError: If one is not valid.
    """
    lines = [_zone(shape, line=True) for shape in shapes.lines]
    return lines + [_zone(shape, line=False) for shape in shapes.zones]


def _zone(shape: Shape, *, line: bool) -> Zone:
    zone = Zone(shape.name, tuple(shape.points), shape.color)
    if not zone.in_fractions:
        raise SepcamError(f"{zone.kind} {zone.name!r} lies outside the frame: fractions lie between 0 and 1")
    if zone.is_line != line:
        raise SepcamError(
            f"{zone.name!r} has {len(zone.points)} points; a line has two, a zone three or more"
        )
    return zone
