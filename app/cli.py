"""The ``sepcam`` command: finds the command that the user typed, and says what went wrong."""

import os
import sys
import sysconfig
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Annotated, ClassVar, Final, NoReturn

import typer

from ..models.errors import SepcamError
from ..pipelines.execution.background import BACKGROUND
from ..pipelines.execution.memory import return_freed_memory
from ..pipelines.files.addresses import local_path
from .lazy_commands import Declared, LazyGroup
from .terminal import console
from .terminal.streams import prepare_streams

INTERRUPTED = 130

PROCESS_EXAMPLES = (
    "sepcam process street.mp4 -o results",
    "sepcam process videos/ --save jsonl,mot --tasks track --workers auto",
)
LIVE_EXAMPLES = (
    "sepcam live 0 rtsp://camera.local/stream --blur faces",
    "sepcam live rtsp://camera.local/stream --headless --record out.mp4 --events",
)
SERVE_EXAMPLES = (
    "sepcam serve street.mp4 --loop",
    "sepcam serve none --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem",
)

TRAIN_EXAMPLES = (
    "sepcam train --images photos --annotations people.json --check",
    "sepcam train --images photos --annotations people.json -o runs/door",
)


def examples(lines: Sequence[str]) -> str:
    """The end of a command's help."""
    return "Examples:" + "".join(f"\n\n  {line}" for line in lines)


COMMANDS: Final[Mapping[str, Declared]] = MappingProxyType(
    {
        "demo": Declared(
            ("demo", "demo"),
            "Process the bundled clip, and compare both backbones on it. Needs no camera and no display.",
        ),
        "process": Declared(
            ("process", "process"),
            "Find, track and outline the people in videos or images, and write what was found.",
            examples(PROCESS_EXAMPLES),
        ),
        "compare": Declared(
            ("compare", "compare"),
            "Measure separable against standard convolutions: same frames, same predictions, "
            "honest intervals.",
        ),
        "live": Declared(
            ("live", "live"),
            "Watch cameras, streams or files: tracks, skeletons, masks, live. The key h shows all keys.",
            examples(LIVE_EXAMPLES),
        ),
        "serve": Declared(
            ("serve", "serve"),
            "Watch, switch and measure in a browser; analyze visitors' cameras and files there.",
            examples(SERVE_EXAMPLES),
        ),
        "export": Declared(
            ("export_site", "export_site"),
            "Write a web page that finds people on the visitor's own device: a folder for any web host.",
        ),
        "train": Declared(
            ("train", "train"),
            "Fine-tune the network on your own labeled images; the result is kept only if it measures "
            "better.",
            examples(TRAIN_EXAMPLES),
        ),
        "models": Declared(("models", "models"), "The networks and their weights on this machine."),
        "evaluate": Declared(
            ("evaluate", "evaluate"), "Measure accuracy against ground truth, and what it costs."
        ),
    }
)
"""All commands. Their help stands here too, so that ``sepcam --help`` imports none of them."""


class Commands(LazyGroup):
    """Those of ``sepcam``."""

    declared: ClassVar[Mapping[str, Declared]] = COMMANDS


app = typer.Typer(
    name="sepcam",
    cls=Commands,
    help="Tracks, skeletons and masks of people in video, on depthwise-separable networks.",
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(args: Sequence[str] | None = None) -> None:
    """Runs the command line and exits.

    The exit code is 0 when all is done, 1 when only some inputs could be processed, 2 when nothing useful was
    done, and 130 when the user stopped it.
    """
    words = [_at_home(word) for word in (sys.argv[1:] if args is None else args)]
    debug = "--debug" in words
    prepare_streams()
    return_freed_memory()
    try:
        # Taken out here so that it may stand before the command or after it.
        code = app([w for w in words if w != "--debug"], prog_name="sepcam", standalone_mode=False)
    except KeyboardInterrupt:
        console.note("stopped")
        code = INTERRUPTED
    except Exception as error:
        if debug:
            traceback.print_exc()
        code = _explain(error)
    _leave(code or 0)


def _at_home(word: str) -> str:
    """A word with ``~`` as the home folder where the shell left it, as in ``--out=~/results``."""
    option, equals, value = word.partition("=")
    if option.startswith("--") and equals:
        return f"{option}={local_path(value)}" if value.startswith("~") else word
    return local_path(word) if word.startswith("~") else word


def _leave(code: int) -> NoReturn:
    if BACKGROUND.running():
        # Native code that loads a network, or waits for a dead stream, would crash if the interpreter ended
        # under it. All files are closed by now.
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):  # a closed terminal, a full disk
                stream.flush()
        os._exit(code)
    sys.exit(code)


def _explain(error: Exception) -> int:
    """Says in one line what went wrong, and returns the exit code."""
    if isinstance(error, BrokenPipeError):
        # Nobody reads stdout any more (`sepcam ... | head`); Python must not try to flush it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    if isinstance(error, SepcamError):
        console.fail(str(error))
    elif callable(usage := getattr(error, "format_message", None)):
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "sepcam"
        console.fail(f"{str(usage()).rstrip('.')}; see {command} --help")
    else:
        console.fail(f"{type(error).__name__}: {error} ({_culprit(error)}; --debug shows where)")
    return 2


def _culprit(error: Exception) -> str:
    """Whose mistake an unexpected error is: Sepcam's, or that of a network of the user's own."""
    libraries = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "purelib", "platlib"))
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        file = frame.f_code.co_filename
        ours = str(frame.f_globals.get("__name__")).startswith("sepcam.")
        if not ours and os.path.isfile(file) and not file.startswith(libraries):
            return f"in {file}, line {line}"
    return "a bug in Sepcam"


@app.callback(invoke_without_command=True)
def _sepcam(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
) -> None:
    if version:
        from importlib import metadata

        console.say(f"sepcam {metadata.version('sepcam')}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        console.say_in_full(ctx.get_help())
