"""What the command line says, and where: results on stdout, everything else on stderr."""

import errno
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO, cast

from ...models.errors import SepcamError
from ...pipelines.files.addresses import redacted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ...pipelines.process_file import Advance

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tab and newline


def say(line: str) -> None:
    """Prints a line of results on stdout, with addresses as `redacted` leaves them, controls escaped.

    Raises:
        SepcamError: If stdout cannot be written to, except a pipe that nobody reads (BrokenPipeError).
    """
    say_in_full(_printable(redacted(line)))


def say_data(text: str) -> None:
    """Prints what programs read, JSON or TOML, on stdout, with addresses as `redacted` leaves them.

    Raises:
        SepcamError: See `say`.
    """
    say_in_full(redacted(text))


def say_in_full(line: str) -> None:
    """Prints a line on stdout that may hold an address with its secrets, for whoever started the command.

    Raises:
        SepcamError: See `say`.
    """
    try:
        print(f"{line}\n", end="", flush=True)  # in one piece, beside other threads' lines
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno == errno.EIO:  # its terminal is closed
            return
        raise SepcamError(f"stdout cannot be written to: {error.strerror}") from error


def note(line: str) -> None:
    """Prints a line that is not a result on stderr; without a reader (a closed terminal) it is lost."""
    with suppress(OSError):
        print(f"{_printable(redacted(line))}\n", end="", file=sys.stderr, flush=True)


def _printable(text: str) -> str:
    """With escapes for the control characters that a file's name may hold: a terminal would obey them."""
    return _CONTROLS.sub(lambda found: repr(found[0])[1:-1], text)


def warn(line: str) -> None:
    """Prints a warning on stderr."""
    note(f"warning: {line}")


def fail(line: str) -> None:
    """Prints an error on stderr, as one line whatever it holds."""
    note(f"error: {' '.join(line.split())}")


class _Forgiving:
    """A stream whose writing never fails; has what rich asks a file for."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = stream.encoding

    def write(self, text: str) -> int:
        """Write what can be written."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush what can be flushed."""
        with suppress(OSError):
            self._stream.flush()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The descriptor of the stream."""
        return self._stream.fileno()


def command_line() -> str:
    """The command as it was typed, for the record, without the secrets of addresses."""
    return redacted(shlex.join(["sepcam", *sys.argv[1:]]))


def stderr_console() -> "Console":
    """Where bars are drawn: stderr, and nowhere once the terminal is closed."""
    from rich.console import Console

    return Console(file=cast("TextIO", _Forgiving(sys.stderr)))


@contextmanager
def progress(title: str, total: int | None) -> "Iterator[Advance]":
    """A progress bar on stderr while the block runs, or nothing at all where stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, note="": None
        return
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[note]}"),
        console=stderr_console(),
        transient=True,
        refresh_per_second=5,
    )
    with bar:
        task = bar.add_task(escape(title), total=total, note="")
        yield lambda done, note="": bar.update(task, completed=done, note=note)


@contextmanager
def downloads() -> Iterator[Callable[[str, int, int | None], None]]:
    """Shows downloads on stderr while the block runs: bars on a terminal, else one line for each.

    Yields:
        What to tell: a name, the bytes that are there and, where known, how many there will be.
    """
    if not sys.stderr.isatty():
        seen: set[str] = set()

        def tell(name: str, done: int, total: int | None) -> None:
            if name not in seen:
                seen.add(name)
                note(f"fetching {name}" + (f" ({total / 1e6:.1f} MB)" if total else ""))

        yield tell
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

    tasks: dict[str, TaskID] = {}
    columns = (TextColumn("fetching {task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=stderr_console(), transient=True) as bars:

        def move(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total)

        yield move


def show(table: "Table") -> None:
    """Prints a table on stdout, as wide as it needs to be where stdout is not a terminal."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=240)
    console.print(table)
