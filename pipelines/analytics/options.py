"""What is watched in a run, stated once and used by every command."""

from dataclasses import dataclass

from .zones import Zone, check_names


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """Lines and zones.

    Attributes:
        zones: lines and zones, each with a name of its own.

    Raises:
        SepcamError: If two have the same name.
    """

    zones: tuple[Zone, ...] = ()

    def __post_init__(self) -> None:
        check_names(self.zones)
