"""What the command line says, and where: results on stdout, everything else on stderr."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from ...pipelines.process_file import Advance


def say(line: str) -> None:
    """Prints a line of results on stdout."""
    print(line, flush=True)


def note(line: str) -> None:
    """Prints a line that is not a result on stderr."""
    print(line, file=sys.stderr, flush=True)


def warn(line: str) -> None:
    """Prints a warning on stderr."""
    note(f"warning: {line}")


def fail(line: str) -> None:
    """Prints an error on stderr, as one line whatever it holds."""
    note(f"error: {' '.join(line.split())}")


@contextmanager
def progress(title: str, total: int | None) -> "Iterator[Advance]":
    """A progress bar on stderr while the block runs, or nothing at all where stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, note="": None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[note]}"),
        console=Console(stderr=True),
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
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

    tasks: dict[str, TaskID] = {}
    columns = (TextColumn("fetching {task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:

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
