"""What is watched for, stated once and used by every command."""

from dataclasses import dataclass, field
from pathlib import Path

from .keeping import Keeping
from .rules import Rule


@dataclass(frozen=True, slots=True)
class EventOptions:
    """Rules, and what becomes of the events that they make.

    Attributes:
        rules: what starts an event; without any nothing is recorded.
        folder: for the events, or None for ``events`` in the output folder.
        keeping: when old events are deleted.
        hooks: addresses that each event is posted to; may hold secrets.
        mqtt: where each event is published; may hold secrets; or None.
    """

    rules: tuple[Rule, ...] = ()
    folder: Path | None = None
    keeping: Keeping = field(default_factory=Keeping)
    hooks: tuple[str, ...] = ()
    mqtt: str | None = None

    def folder_in(self, out: Path) -> Path:
        """The folder for the events, of a command whose output folder is ``out``."""
        return out / "events" if self.folder is None else self.folder
