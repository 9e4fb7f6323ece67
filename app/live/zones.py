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
    return options.file or own_zone_file(out, stem_of(name, images=False))


def own_zone_file(out: Path, stem: str) -> Path:
    """The file of one source's zones in the output folder, by what its files' names begin with."""
    return out / fit_name(out, stem, ".zones.json")


def with_drawn(options: WatchOptions, path: Path) -> tuple[Zone, ...]:
    """The zones of the command line, and those of a file that was written in an earlier run.

    Raises:
        SepcamError: If the file cannot be read.
    """
    if options.file == path or not path.is_file():
        return options.zones
    # What was typed is newer than what was drawn; a file that several sources share is not.
    newer, older = options.zones, read_zones(path)
    if options.file is not None:
        newer, older = older, newer
    names = {zone.name for zone in newer}
    return (*newer, *(zone for zone in older if zone.name not in names))


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
