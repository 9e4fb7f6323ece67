"""The options of recording events by rules, which live and serve share."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ...models.errors import SepcamError
from ..terminal import console
from . import shared

if TYPE_CHECKING:
    from ...pipelines.watching.options import EventOptions

SECRET: Final = "SEPCAM_HOOK_SECRET"
"""Environment variable with the secret that web hooks are signed with."""

RuleOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rule",
        metavar="RULE",
        help="Record an event when e.g. 'person in Yard for 3 s', 'line Door crossed in' or "
        "'more than 5 people'; may be repeated.",
        rich_help_panel=shared.EVENTS,
    ),
]
EventsDirOption = Annotated[
    Path | None,
    typer.Option(
        "--events-dir",
        metavar="FOLDER",
        help="Folder for events: clip, thumbnail and JSON of each.",
        show_default="events in --out",
        rich_help_panel=shared.EVENTS,
    ),
]
KeepOption = Annotated[
    str | None,
    typer.Option(
        "--keep",
        metavar="AGE",
        help="Delete events that are older, such as 7d or 12h.",
        show_default="never",
        rich_help_panel=shared.EVENTS,
    ),
]
KeepSizeOption = Annotated[
    str | None,
    typer.Option(
        "--keep-size",
        metavar="SIZE",
        help="Delete the oldest events above this size of all, such as 5GB.",
        show_default="never",
        rich_help_panel=shared.EVENTS,
    ),
]
OnEventOption = Annotated[
    list[str] | None,
    typer.Option(
        "--on-event",
        metavar="URL",
        help=f"POST each event there as JSON, signed with ${SECRET}; may be repeated.",
        rich_help_panel=shared.EVENTS,
    ),
]
MqttOption = Annotated[
    str | None,
    typer.Option(
        "--mqtt",
        metavar="ADDRESS",
        help="Publish each event there: mqtt://HOST/TOPIC.",
        show_default="none",
        rich_help_panel=shared.EVENTS,
    ),
]


@dataclass(frozen=True, slots=True)
class EventArguments:
    """What was typed."""

    rule: RuleOption = None
    events_dir: EventsDirOption = None
    keep: KeepOption = None
    keep_size: KeepSizeOption = None
    on_event: OnEventOption = None
    mqtt: MqttOption = None

    def options(self) -> "EventOptions":
        """What it means; checked before anything heavy is imported.

        Raises:
            SepcamError: If a rule, an age, a size or an address is not valid, or there is no rule for them.
        """
        from ...pipelines.notify.mqtt import paho_client, parts_of
        from ...pipelines.notify.webhook import check_address
        from ...pipelines.watching.keeping import Keeping, parse_age, parse_size
        from ...pipelines.watching.options import EventOptions
        from ...pipelines.watching.rules import parse_rule

        rules = tuple(map(parse_rule, self.rule or ()))
        for address in self.on_event or ():
            check_address(address)
        if self.mqtt is not None:
            parts_of(self.mqtt)
            paho_client()
        if not rules and (self.on_event or self.mqtt):
            asked = "--on-event" if self.on_event else "--mqtt"
            raise SepcamError(f"{asked} needs a rule: add --rule 'person in ZONE for 3 s'")
        if self.on_event and not os.environ.get(SECRET):
            console.note(f"web hooks are not signed: set {SECRET} to sign them")
        age = None if self.keep is None else parse_age(self.keep)
        size = None if self.keep_size is None else parse_size(self.keep_size)
        return EventOptions(rules, self.events_dir, Keeping(age, size), tuple(self.on_event or ()), self.mqtt)
