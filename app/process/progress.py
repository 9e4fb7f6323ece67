"""What a job says while it runs: a line per file, bars on a terminal, or JSON for machines."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...pipelines.batch.state.journal import Entry
from ...pipelines.batch.tasks.types import TaskResult
from ..terminal import console
from ..terminal.words import counted
from .counts import people_text


class Lines:
    """A line for every file that is finished, on stdout; what went wrong on stderr."""

    def __init__(self, out: Path | str) -> None:
        self._out = out

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def began(self, entry: Entry) -> None:
        """Says nothing."""

    def advanced(self, entry: Entry, worker: int, frames: int, total: int | None) -> None:
        """Says nothing."""

    def retried(self, entry: Entry, reason: str) -> None:
        """Says why."""
        console.warn(f"{about(entry, reason)}: trying again")

    def ended(self, entry: Entry, result: TaskResult) -> None:
        """Prints the outcome."""
        name = entry.input.title
        if entry.state == "failed":
            console.fail(about(entry, entry.error or "failed"))
        elif entry.state == "skipped":
            console.note(f"{name}: skipped, {entry.error}")
        elif entry.state in ("done", "stopped"):
            for line in result.warnings:
                console.warn(f"{name}: {line}")
            if entry.state == "stopped":
                console.note(f"{name}: stopped after {counted(entry.frames, 'frame')}, which its files hold")
            files = ", ".join(f"{self._out}/{path}" for path in entry.planned.values())
            people = people_text(entry.people, entry.statistics)
            rate = entry.frames / entry.seconds if entry.seconds else 0.0
            console.say(f"{name}: {counted(entry.frames, 'frame')}, {people}, {rate:.1f} FPS -> {files}")


class JsonLines:
    """A JSON object on stdout for everything that happens."""

    def __enter__(self) -> "JsonLines":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def began(self, entry: Entry) -> None:
        """``begin``."""
        _tell("begin", file=entry.input.title, attempt=entry.attempts + 1)

    def advanced(self, entry: Entry, worker: int, frames: int, total: int | None) -> None:
        """``progress``."""
        _tell("progress", file=entry.input.title, worker=worker, frames=frames, frame_count=total)

    def retried(self, entry: Entry, reason: str) -> None:
        """``retry``."""
        _tell("retry", file=entry.input.title, reason=reason)

    def ended(self, entry: Entry, result: TaskResult) -> None:
        """``end``."""
        _tell(
            "end",
            file=entry.input.title,
            state=entry.state,
            attempts=entry.attempts,
            frames=entry.frames,
            people=entry.people,
            seconds=round(entry.seconds, 3),
            error=entry.error,
            warnings=list(result.warnings),
            outputs=[asdict(output) for output in entry.outputs],
        )


def tell_summary(totals: dict[str, Any]) -> None:
    """``summary``, the last object."""
    _tell("summary", **totals)


def _tell(event: str, **values: object) -> None:
    console.say_data(json.dumps({"event": event, "time": round(time.time(), 3), **values}))


def about(entry: Entry, reason: str) -> str:
    """A reason that names its file."""
    return reason if entry.input.title in reason else f"{entry.input.title}: {reason}"


class Bars(Lines):
    """Bars on a terminal: one for the job, and one for each worker; lines for finished files above them."""

    def __init__(self, out: Path | str, entries: Sequence[Entry]) -> None:
        """Show the job's bar.

        Args:
            out: the output folder.
            entries: every file of the job.
        """
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        super().__init__(out)
        to_do = [entry for entry in entries if entry.state in ("waiting", "running", "stopped")]
        self._weight = {entry.id: max(1, entry.bytes) for entry in to_do}
        self._done = {entry.id: 0.0 for entry in to_do}
        self._frames: dict[int, int] = {}
        self._ended = 0
        self._begun = time.monotonic()
        self._rows: dict[int, Any] = {}
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("[dim]{task.fields[note]}"),
            TimeRemainingColumn(compact=True),
            console=console.stderr_console(),
            transient=True,
            refresh_per_second=5,
        )
        self._job = self._bars.add_task(f"{len(to_do)} files", total=sum(self._weight.values()) or 1, note="")

    def __enter__(self) -> "Bars":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def advanced(self, entry: Entry, worker: int, frames: int, total: int | None) -> None:
        """Moves the bars of the worker and of the job."""
        from rich.markup import escape

        if worker not in self._rows:
            self._rows[worker] = self._bars.add_task("", total=total, note="")
        name = escape(entry.input.title[-40:])
        of = f" of {total}" if total else ""
        note = f"{frames}{of} frames"
        self._bars.update(self._rows[worker], description=name, completed=frames, total=total, note=note)
        self._frames[entry.id] = frames
        self._done[entry.id] = min(1.0, frames / total) if total else 0.0
        self._move()

    def ended(self, entry: Entry, result: TaskResult) -> None:
        """Adds the file's line, and moves the job's bar."""
        super().ended(entry, result)
        self._ended += 1
        self._frames[entry.id] = entry.frames
        self._done[entry.id] = 1.0
        self._move()

    def _move(self) -> None:
        seconds = max(1e-3, time.monotonic() - self._begun)
        done = sum(share * self._weight[number] for number, share in self._done.items())
        frames = sum(self._frames.values())
        note = f"{self._ended} files, {frames} frames, {frames / seconds:.1f} FPS"
        self._bars.update(self._job, completed=done, note=note)
