"""The state of a job and its outcome: a table of its files, totals, the slowest, the failed."""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...pipelines.batch.state.job_folder import JobFolder
from ...pipelines.batch.state.journal import STATES, Entry
from ..terminal import console
from ..terminal.words import counted

if TYPE_CHECKING:
    from rich.table import Table

_LISTED = 40
"""Files in a table; of more, only those that are not simply done are listed."""

_SLOWEST = 3

_NAME = 32
"""Most characters of a file's name in a table."""


def show_status(out: Path) -> None:
    """Prints how far the job in an output folder is, also while somebody works on it.

    Raises:
        SepcamError: If there is no job, or its journal cannot be read.
    """
    folder = JobFolder(out)
    info = folder.info()
    with folder.journal(read_only=True) as journal:
        entries = journal.entries()
    console.show(table(entries))
    for line in [*notes(entries), *closing_lines(entries, out)]:
        console.say(line)
    busy = folder.driver() if folder.busy() else None
    console.say(f"at work: {busy}" if busy else "nobody is at work on it")
    settings = info.settings
    networks = f"{settings.analysis.detector}, {settings.analysis.pose}"
    console.say(f"settings: {networks}, {','.join(settings.saves)}")


def totals(entries: Sequence[Entry], begun: float | None = None) -> dict[str, Any]:
    """The sums over all files, as JSON; and those of a run that began at ``begun``, in seconds since 1970."""
    states = Counter(entry.state for entry in entries)
    frames = sum(entry.frames for entry in entries if entry.state in ("done", "stopped"))
    sums: dict[str, Any] = {
        "files": len(entries),
        **{state: states[state] for state in STATES},
        "frames": frames,
        "failures": [
            {"file": entry.input.title, "error": entry.error} for entry in entries if entry.state == "failed"
        ],
    }
    if begun is not None:
        seconds = time.time() - begun
        now = [one for one in entries if one.state in ("done", "stopped") and (one.finished or 0) >= begun]
        frames = sum(one.frames for one in now)
        sums["run"] = {"files": len(now), "frames": frames, "seconds": seconds, "fps": frames / seconds}
    return sums


def table(entries: Sequence[Entry]) -> "Table":
    """A row for each file; of very many, for each that is not simply done."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("file", "state"):
        made.add_column(name)
    for name in ("frames", "people", "seconds", "FPS", "attempts"):
        made.add_column(name, justify="right", no_wrap=True)
    shown = entries if len(entries) <= _LISTED else [one for one in entries if one.state != "done"]
    for entry in shown:
        did = entry.state in ("done", "stopped")
        made.add_row(
            Text(_short(entry.input.title)),
            Text(entry.state, _COLORS.get(entry.state, "")),
            str(entry.frames) if did else "",
            str(entry.people) if did else "",
            f"{entry.seconds:.1f}" if did else "",
            f"{entry.frames / entry.seconds:.1f}" if did and entry.seconds else "",
            str(entry.attempts) if entry.attempts else "",
        )
    return made


def notes(entries: Sequence[Entry]) -> list[str]:
    """A line for each file that there is something to say of, below the table."""
    notes = [(entry.input.title, _note(entry)) for entry in entries]
    return [f"{name}: {note.removeprefix(f'{name} ')}" for name, note in notes if note]


def _short(name: str) -> str:
    """The end of a name that leaves room for the other columns in 80 characters."""
    return name if len(name) <= _NAME else f"...{name[3 - _NAME :]}"


def closing_lines(entries: Sequence[Entry], out: Path | str, begun: float | None = None) -> list[str]:
    """The sums, the slowest files, and the failed ones with their reasons."""
    sums = totals(entries, begun)
    states = ", ".join(f"{sums[state]} {state}" for state in STATES if sums[state])
    lines = [
        f"{counted(sums['files'], 'file')}: {states or 'nothing'}; "
        f"{counted(sums['frames'], 'frame')} -> {out}"
    ]
    if run := sums.get("run"):
        files, frames = counted(run["files"], "file"), counted(run["frames"], "frame")
        lines.append(f"this run: {files}, {frames} in {_duration(run['seconds'])} ({run['fps']:.1f} FPS)")
    done = sorted((one for one in entries if one.state == "done"), key=lambda one: -one.seconds)
    if len(done) > _SLOWEST:
        slowest = ", ".join(f"{one.input.title} {one.seconds:.1f} s" for one in done[:_SLOWEST])
        lines.append(f"slowest: {slowest}")
    return lines


_COLORS = {"done": "green", "failed": "red", "stopped": "yellow", "running": "cyan"}


def _note(entry: Entry) -> str:
    if entry.state == "running" and entry.started:
        return f"since {_duration(time.time() - entry.started)}"
    if entry.error:
        return entry.error
    return entry.warnings[0] if entry.warnings else ""


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02} h" if hours else f"{minutes}:{left:02} min"
