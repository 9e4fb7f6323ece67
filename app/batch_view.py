"""What a job says while it runs: a line per file, bars on a terminal, or JSON for machines."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..pipelines.batch.journal import Entry
from ..pipelines.batch.tasks import TaskResult
from . import console


class Lines:
    """A line for every file that is finished, on stdout; what went wrong on stderr."""

    def __init__(self, out: Path) -> None:
        self._out = out

    def began(self, entry: Entry, worker: int | None) -> None:
        """Says nothing."""

    def advanced(self, entry: Entry, worker: int, frames: int, total: int | None) -> None:
        """Says nothing."""

    def retried(self, entry: Entry, reason: str) -> None:
        """Says why."""
        console.warn(f"{about(entry, reason)}: trying again")

    def ended(self, entry: Entry, result: TaskResult) -> None:
        """Says what came of it."""
        name = entry.input.name
        if entry.state == "failed":
            console.fail(about(entry, entry.error or "failed"))
        elif entry.state == "skipped":
            console.note(f"{name}: skipped, {entry.error}")
        elif entry.state in ("done", "stopped"):
            for line in result.warnings:
                console.warn(f"{name}: {line}")
            if entry.state == "stopped":
                console.note(f"{name}: stopped after {entry.frames} frames; its files hold these")
            files = ", ".join(str(self._out / path) for path in entry.planned.values())
            people = f"{entry.people} {'person' if entry.people == 1 else 'people'}"
            rate = entry.frames / entry.seconds if entry.seconds else 0.0
            console.say(f"{name}: {entry.frames} frames, {people}, {rate:.1f} FPS -> {files}")


class JsonLines:
    """A JSON object on stdout for everything that happens."""

    def began(self, entry: Entry, worker: int | None) -> None:
        """``begin``."""
        _tell("begin", file=entry.input.name, attempt=entry.attempts + 1)

    def advanced(self, entry: Entry, worker: int, frames: int, total: int | None) -> None:
        """``progress``."""
        _tell("progress", file=entry.input.name, worker=worker, frames=frames, frame_count=total)

    def retried(self, entry: Entry, reason: str) -> None:
        """``retry``."""
        _tell("retry", file=entry.input.name, reason=reason)

    def ended(self, entry: Entry, result: TaskResult) -> None:
        """``end``."""
        _tell(
            "end",
            file=entry.input.name,
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
    console.say(json.dumps({"event": event, "time": round(time.time(), 3), **values}))


def about(entry: Entry, reason: str) -> str:
    """A reason that names its file."""
    return reason if entry.input.name in reason else f"{entry.input.name}: {reason}"
