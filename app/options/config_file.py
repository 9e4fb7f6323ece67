"""Settings from a TOML file and from presets, for what the command line leaves open."""

import difflib
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import tomli_w
import typer

from ...models.errors import SepcamError
from ...pipelines.files.addresses import local_path
from ...pipelines.files.text import read_text
from .shared import LISTS, SETTINGS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_NOT_IN_FILES = frozenset({"help", "config", "print_config", "status", "resume", "fresh"})
_FILE, _PRESET = "sepcam.app.options.config_file.file", "sepcam.app.options.config_file.preset"


def presets() -> dict[str, dict[str, Any]]:
    """The built-in presets: name, then settings by the names of their options."""
    return tomllib.loads((resources.files("sepcam.app.options") / "presets.toml").read_text(encoding="utf-8"))


def as_toml(ctx: typer.Context) -> str:
    """All settings of a command as they came to be, as a file that ``--config`` takes."""
    settings: dict[str, Any] = {}
    for key, param in _settings(ctx).items():
        value = ctx.params.get(param.name)
        several = isinstance(value, list | tuple)
        if key == "preset" or value is None or (several and not value):
            continue
        if several:
            value = [str(item) for item in value]
        elif param.name in LISTS:
            value = [word.strip() for word in value.split(",")]
        settings[key] = str(value) if isinstance(value, Path) else value
    return tomli_w.dumps(settings)


def _use_file(ctx: typer.Context, path: Path | None) -> Path | None:
    if path is not None and not ctx.resilient_parsing:
        ctx.meta[_FILE] = _read(ctx, path)
        _lay_under(ctx)
    return path


def _use_preset(ctx: typer.Context, name: str | None) -> str | None:
    if name is not None and not ctx.resilient_parsing:
        _known(name, presets(), "there is no preset {!r}")
        ctx.meta[_PRESET] = name
        _lay_under(ctx)
    return name


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        is_eager=True,
        callback=_use_file,
        help="TOML file with settings by the names of these options; what is typed overrides it.",
        show_default=False,
        rich_help_panel=SETTINGS,
    ),
]
PresetOption = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="NAME",
        is_eager=True,
        callback=_use_preset,
        help=f"Settings for a purpose: {', '.join(presets())}. A file and what is typed override it.",
        show_default=False,
        rich_help_panel=SETTINGS,
    ),
]
PrintConfigOption = Annotated[
    bool,
    typer.Option(
        "--print-config",
        help="Print all settings as a file for --config, and do nothing.",
        rich_help_panel=SETTINGS,
    ),
]


def _lay_under(ctx: typer.Context) -> None:
    """Makes the file, and under it the preset, the defaults of what the user did not type."""
    file: Mapping[str, Any] = ctx.meta.get(_FILE, {})
    name = ctx.meta.get(_PRESET) or file.get("preset")
    preset = _checked(ctx, presets()[name], f"preset {name}") if name else {}
    ctx.default_map = {**preset, **file}


def _read(ctx: typer.Context, path: Path) -> dict[str, Any]:
    try:
        entries = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise SepcamError(f"{path} is not a TOML file: {error}") from error
    if "preset" in entries:
        _known(entries["preset"], presets(), f"{path}: there is no preset {{!r}}")
    return _checked(ctx, entries, str(path))


def _checked(ctx: typer.Context, entries: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Settings by the names of their parameters, as if they had been typed.

    Raises:
        SepcamError: If there is no such setting, or not with such a value; in one line.
    """
    settings = _settings(ctx)
    given: dict[str, Any] = {}
    for name, value in entries.items():
        key = name.replace("_", "-")
        _known(key, settings, f"{where}: there is no setting {{!r}}")
        param = settings[key]
        typed = _as_typed(param, value, f"{where}: {key}")
        try:
            if key != "preset":
                param.process_value(ctx, typed)
        except Exception as error:
            # What the command line says of a value that does not fit, whichever class of Typer's says it.
            if not callable(getattr(error, "format_message", None)):
                raise
            why = str(getattr(error, "message", error)).rstrip(".")
            raise SepcamError(f"{where}: {key}: {why}") from error
        given[param.name] = typed
    return given


def _as_typed(param: Any, value: Any, what: str) -> Any:  # noqa: ANN401 - TOML's values, Typer's parameters
    """A value from a file as the command line would have it."""
    if getattr(param, "is_flag", False):
        if not isinstance(value, bool):
            raise SepcamError(f"{what} is true or false, not {value!r}")
        return value
    several = param.nargs != 1 or getattr(param, "multiple", False)
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str | int | float) and not isinstance(item, bool) for item in items):
        raise SepcamError(f"{what} cannot be {value!r}")
    # No shell has replaced the home folder's sign in a file.
    words = [local_path(text) if text.startswith("~") else text for text in map(str, items)]
    if several:
        return words
    if isinstance(value, list) and param.name not in LISTS:
        raise SepcamError(f"{what} takes one value, not a list")
    return ",".join(words)


def _settings(ctx: typer.Context) -> dict[str, Any]:
    """The parameters that files may set, by their names in files."""
    return {
        max(param.opts, key=len).lstrip("-").replace("_", "-"): param
        for param in ctx.command.params
        if param.name not in _NOT_IN_FILES
    }


def _known(name: object, known: Mapping[str, Any], complaint: str) -> None:
    if isinstance(name, str) and name in known:
        return
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f" (there are {', '.join(known)})"
    raise SepcamError(complaint.format(name) + hint)
