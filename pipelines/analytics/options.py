"""What is watched in a run, stated once and used by every command."""

from dataclasses import dataclass
from pathlib import Path

from .zones import Zone, check_names


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """Lines and zones.

    Attributes:
        zones: lines and zones, each with a name of its own.
        file: that ``--zones`` named, or None; an editor writes there.

    Raises:
        SepcamError: If two have the same name.
    """

    zones: tuple[Zone, ...] = ()
    file: Path | None = None

    def __post_init__(self) -> None:
        check_names(self.zones)
