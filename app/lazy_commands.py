"""A group of commands whose modules are imported when they are needed: one for a command, none for a list."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_from_info, get_group_from_info
from typer.models import CommandInfo, TyperInfo


@dataclass(frozen=True, slots=True)
class Declared:
    """A command that is known without its module.

    Attributes:
        where: its module below ``sepcam.app.commands``, and there a function or a ``typer.Typer``.
        help: the first line of its own help.
        epilog: the end of its help.
    """

    where: tuple[str, str]
    help: str
    epilog: str | None = None


class LazyGroup(TyperGroup):
    """Shows what is ``declared``, and imports what is called."""

    declared: ClassVar[Mapping[str, Declared]]

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - Typer's own, in each version elsewhere
        """The names, in the order of the table."""
        return list(self.declared)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        """What lists and completion show of a command."""
        if cmd_name in self.commands or cmd_name not in self.declared:
            return self.commands.get(cmd_name)
        return TyperCommand(cmd_name, help=self.declared[cmd_name].help)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401
        """The command that is called."""
        if args and args[0] in self.declared:
            self.load(args[0])
        return super().resolve_command(ctx, args)

    def load(self, name: str) -> None:
        """Imports a command."""
        declared = self.declared[name]
        module, made = declared.where
        command = getattr(import_module(f"sepcam.app.commands.{module}"), made)
        shared: dict[str, Any] = {
            "pretty_exceptions_short": True,
            "rich_markup_mode": self.rich_markup_mode,
        }
        if isinstance(command, typer.Typer):
            info = TyperInfo(command, name=name)
            loaded = get_group_from_info(info, suggest_commands=self.suggest_commands, **shared)
        else:
            info = CommandInfo(name, callback=command, epilog=declared.epilog)
            loaded = get_command_from_info(info, **shared)
        self.commands[name] = loaded
