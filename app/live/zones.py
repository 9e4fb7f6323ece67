"""The lines and zones of a live session, changed while it runs, and saved for the next one."""

import threading
from collections.abc import Sequence
from pathlib import Path

from ...models.errors import SepcamError
from ...models.files import fit_name
from ...pipelines.analytics.options import WatchOptions
from ...pipelines.analytics.zone_file import fractions_of, read_zones, write_zones
from ...pipelines.analytics.zones import Zone
from ...pipelines.live.session import LiveSession
from ...pipelines.sinks.outputs import stem_of
from ...pipelines.watching.rules import Rule


def zone_file(options: WatchOptions, out: Path, name: str) -> Path:
    """Where zones are saved: what ``--zones`` named, or a file in the output folder for the source."""
    if options.file is not None:
        return options.file
    return out / fit_name(out, stem_of(name, images=False), ".zones.json")


def with_saved(options: WatchOptions, out: Path, name: str) -> tuple[Zone, ...]:
    """The zones of the command line, and those that were drawn in an earlier run with the source.

    Raises:
        SepcamError: If the file of the earlier run cannot be read.
    """
    path = zone_file(options, out, name)
    if options.file is not None or not path.is_file():
        return options.zones
    typed = {zone.name for zone in options.zones}
    return (*options.zones, *(zone for zone in read_zones(path) if zone.name not in typed))


class ZoneEditor:
    """Changes the lines and zones of a session. Any thread may use it.

    Attributes:
        path: the file to save to.
    """

    path: Path

    def __init__(self, session: LiveSession, rules: Sequence[Rule], path: Path) -> None:
        """Edit a session's zones.

        Args:
            session: the session.
            rules: whose lines and zones have to stay.
            path: the file to save to.
        """
        self._session, self._rules, self.path = session, rules, path
        self._lock = threading.Lock()

    @property
    def zones(self) -> list[Zone]:
        """The lines and zones in fractions of the frame."""
        return [fractions_of(zone, self._size) for zone in self._session.watch.zones]

    def change(self, zones: Sequence[Zone]) -> None:
        """Watches other lines and zones from the next frame on, and saves them.

        Raises:
            SepcamError: If a rule needs one that is missing, two have the same name, or the file cannot be
                written; nothing changes then.
        """
        lines = {zone.name: zone.is_line for zone in zones}
        for rule in self._rules:
            if rule.place and lines.get(rule.place) != (rule.kind == "line"):
                raise SepcamError(f"the rule {rule.text!r} needs {rule.place!r}: keep it, and its name")
        with self._lock:
            before = self._session.watch.zones
            self._session.watch.change(zones)
            try:
                write_zones(self.path, zones, self._size)
            except SepcamError:
                self._session.watch.change(before)
                raise

    @property
    def _size(self) -> tuple[int, int]:
        return self._session.info.width, self._session.info.height
