"""The lines and zones of a session over HTTP: drawn on the page, watched at once, and saved."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from ....models.errors import SepcamError
from ....pipelines.analytics.options import WatchOptions
from ....pipelines.analytics.zone_file import as_json, fractions_of, read_zones, write_zones
from ....pipelines.analytics.zones import Zone
from ....pipelines.live.session import LiveSession
from ....pipelines.watching.rules import Rule

NAME: Final = "zones.json"
"""The file in the output folder where zones are saved, where ``--zones`` names no other."""

_MOST: Final = 50


class Shape(BaseModel):
    """A line or a zone."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=40)
    points: list[tuple[float, float]] = Field(
        min_length=2, max_length=100, description="x and y as fractions of the frame; a line has two."
    )


class Shapes(BaseModel):
    """All lines and zones."""

    model_config = ConfigDict(extra="forbid")

    lines: list[Shape] = Field(default_factory=list, max_length=_MOST)
    zones: list[Shape] = Field(default_factory=list, max_length=_MOST)


def zone_file(options: WatchOptions, out: Path, stem: str | None = None) -> Path:
    """Where the zones of a session are saved.

    Args:
        options: name the file with ``--zones``; otherwise it is in the output folder.
        out: the output folder.
        stem: what the files of a source are called where there are several: each has a file of its own there.
    """
    if stem is not None:
        return out / f"zones-{stem}.json"
    return out / NAME if options.file is None else options.file


def with_saved(options: WatchOptions, path: Path) -> tuple[Zone, ...]:
    """The zones of the command line, and those that were drawn on the page in an earlier run.

    Args:
        options: those of the command line.
        path: see ``zone_file``.

    Raises:
        SepcamError: If the file of the earlier run cannot be read.
    """
    if options.file == path or not path.is_file():
        return options.zones
    # What was typed just now is newer than what was drawn; a file that several sources share is not.
    newer, older = options.zones, read_zones(path)
    if options.file is not None:
        newer, older = older, newer
    names = {zone.name for zone in newer}
    return (*newer, *(zone for zone in older if zone.name not in names))


class ZoneEditor:
    """Changes the lines and zones of a session. Any thread may use it."""

    def __init__(self, session: Callable[[], LiveSession], rules: Sequence[Rule], path: Path) -> None:
        """Edit a session's zones.

        Args:
            session: returns the session.
            rules: whose lines and zones have to stay.
            path: the file to save to.
        """
        self._session, self._rules, self._path = session, rules, path
        self._lock = threading.Lock()

    def to_json(self) -> dict[str, Any]:
        """The zones as a file of zones has them, in fractions, and the name of the file."""
        session = self._session()
        size = session.info.width, session.info.height
        zones = [fractions_of(zone, size) for zone in session.watch.zones]
        return {**as_json(zones), "file": self._path.name}

    def change(self, shapes: Shapes) -> None:
        """Watches other lines and zones, and saves them.

        Raises:
            SepcamError: If one is not valid, a rule needs one that is missing, or the file cannot be written.
        """
        zones = [_zone(shape, line=True) for shape in shapes.lines]
        zones += [_zone(shape, line=False) for shape in shapes.zones]
        lines = {zone.name: zone.is_line for zone in zones}
        for rule in self._rules:
            if rule.place and lines.get(rule.place) != (rule.kind == "line"):
                raise SepcamError(f"the rule {rule.text!r} needs {rule.place!r}: keep it, and its name")
        session = self._session()
        with self._lock:
            before = session.watch.zones
            session.watch.change(zones)
            try:
                write_zones(self._path, zones, (session.info.width, session.info.height))
            except SepcamError:
                session.watch.change(before)
                raise


def router(editor: ZoneEditor, prefix: str) -> APIRouter:
    """The routes, below an address."""
    routes = APIRouter(prefix=f"{prefix}/live", tags=["live"])

    @routes.get("/zones", summary="The lines and zones, as a file for --zones has them")
    def zones() -> dict[str, Any]:
        return editor.to_json()

    @routes.put("/zones", summary="Watch these lines and zones from now on, and save them")
    def change(shapes: Shapes) -> dict[str, Any]:
        try:
            editor.change(shapes)
        except SepcamError as error:
            raise HTTPException(422, str(error)) from error
        return editor.to_json()

    return routes


def _zone(shape: Shape, *, line: bool) -> Zone:
    zone = Zone(shape.name, tuple(shape.points))
    if not zone.in_fractions:
        raise SepcamError(f"{zone.kind} {zone.name!r} lies outside the frame: fractions lie between 0 and 1")
    if zone.is_line != line:
        raise SepcamError(
            f"{zone.name!r} has {len(zone.points)} points; a line has two, a zone three or more"
        )
    return zone
