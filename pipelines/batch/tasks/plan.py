"""The way of a file through the workers: in one go, or cut into parts, step by step."""

import shutil
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Protocol

from ...sinks.outputs import Target
from ..files.inputs import Input
from .segment_store import Segment, note, noted
from .types import (
    CutTask,
    DetectTask,
    DrawTask,
    FileTask,
    JoinTask,
    RenderTask,
    Task,
    TaskResult,
    TrackTask,
    WatchTask,
)

LEAST_PART_S: Final = 10.0
"""Seconds of the shortest part that is worth its own start."""

MOST_PART_S: Final = 300.0
"""Seconds of the longest part: so much is lost at the most when a run is killed."""

_EACH = 2  # parts for each worker, so that none waits long for the others at the end


class Steps(Protocol):
    """What is to be done for a file, task after task."""

    def next(self, number: int) -> Task | None:
        """A task that can be done now, with this id; None where there is none until others are done."""
        ...

    def done(self, task: Task, result: TaskResult) -> TaskResult | None:
        """A task is done; the outcome of the whole file, if that was the last one."""
        ...

    def progress(self, task: Task, frames: int, total: int | None) -> tuple[int, int | None]:
        """How far the file is where one of its tasks is so far: in frames, and of how many."""
        ...


class WholeFile:
    """A file in one task."""

    def __init__(self, source: Input, target: Target, *, overwrite: bool) -> None:
        """Plan it; see `FileTask`."""
        self._source, self._target, self._overwrite = source, target, overwrite
        self._given = False

    def next(self, number: int) -> Task | None:
        """See `Steps`."""
        if self._given:
            return None
        self._given = True
        return FileTask(number, self._source, self._target, self._overwrite)

    def done(self, task: Task, result: TaskResult) -> TaskResult | None:
        """See `Steps`."""
        return result

    def progress(self, task: Task, frames: int, total: int | None) -> tuple[int, int | None]:
        """See `Steps`."""
        return frames, total


@dataclass(slots=True)
class _Step:
    """One step of a file in parts: all its tasks may be done at the same time."""

    name: str
    tasks: list[Any]
    results: dict[int, TaskResult] = field(default_factory=dict)
    given: set[int] = field(default_factory=set)


class FileInParts:
    """A long file, cut at key frames: all parts are detected, then tracked, then rendered, then joined.

    Finished parts lie in a folder, so that another run continues from there. A damaged file is processed as a
    whole after all.
    """

    def __init__(
        self,
        source: Input,
        target: Target,
        folder: Path,
        *,
        workers: int,
        overwrite: bool,
        tracked: bool,
        counted: bool = False,
        begun: float | None = None,
        least_s: float = LEAST_PART_S,
    ) -> None:
        """Plan it.

        Args:
            source: a video file.
            target: where its results go.
            folder: for the parts; is deleted when the file is done.
            workers: how many there are.
            overwrite: whether results that exist may be replaced.
            tracked: whether identities are kept.
            counted: whether there are lines or zones.
            begun: when work on it began, in seconds since 1970; None is now.
            least_s: least seconds of a part.
        """
        self._source, self._target, self._folder = source, target, folder
        self._overwrite, self._tracked = overwrite, tracked
        # What is counted in a part depends on all parts before it.
        self._drawn_later = counted and "video" in target.files
        self._begun = begun or time.time()
        self._whole: WholeFile | None = None
        self._failed: TaskResult | None = None
        self._running = 0
        self._parts: tuple[Segment, ...] = ()
        self._stage_ms: dict[str, float] = {}
        self._steps = self._plan(CutTask(0, source, _EACH * workers, least_s, MOST_PART_S))
        self._step = _Step("", [])
        self._go_on()

    def next(self, number: int) -> Task | None:
        """See `Steps`."""
        if self._failed is not None:
            return None
        if self._whole is not None:
            return self._whole.next(number)
        step = self._step
        place = next((i for i in range(len(step.tasks)) if i not in step.given), None)
        if place is None:
            return None
        step.given.add(place)
        self._running += 1
        return replace(step.tasks[place], id=number)

    def done(self, task: Task, result: TaskResult) -> TaskResult | None:
        """See `Steps`."""
        if isinstance(task, FileTask):
            return self._end(result)
        self._running -= 1
        if self._failed is None and (result.error or result.skipped or not result.complete):
            self._failed = result
        if self._failed is not None:
            return None if self._running else self._end(self._failed)
        step = self._step
        place = next(i for i, one in enumerate(step.tasks) if replace(one, id=task.id) == task)
        step.results[place] = result
        if len(step.results) < len(step.tasks):
            return None
        if step.name == "join":
            return self._end(result)
        self._go_on()
        return None

    def progress(self, task: Task, frames: int, total: int | None) -> tuple[int, int | None]:
        """See `Steps`."""
        if isinstance(task, FileTask):
            return frames, total
        done = sum(result.frames for result in self._step.results.values())
        return (done + frames if self._step.name == "render" else 0), None

    def _go_on(self) -> None:
        """Takes the next step; where there is none, as an earlier run may have found, the whole file."""
        try:
            self._step = next(self._steps)
        except StopIteration:
            self._forget()
            self._whole = WholeFile(self._source, self._target, overwrite=self._overwrite)

    def _end(self, result: TaskResult) -> TaskResult:
        """The outcome of the file; its parts stay only where another run can continue with them."""
        if result.complete and not result.disk_full and not result.again:
            self._forget()
        return result

    def _forget(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):  # it still has the parts of other files
            self._folder.parent.rmdir()

    def _plan(self, cut: CutTask) -> Iterator[_Step]:
        """The steps in order; ends where the file is best done as a whole."""
        plan = noted(self._folder / "plan.json")
        if plan is None:
            step = _Step("cut", [cut])
            yield step
            cuts = step.results[0].cuts
            if not cuts:
                return
            plan = {"cuts": list(cuts)}
            note(self._folder / "plan.json", plan)
        edges = [0.0, *plan["cuts"], None]
        self._parts = tuple(
            Segment(i, start, end, self._folder) for i, (start, end) in enumerate(pairwise(edges))
        )
        source = self._source
        detected = yield from self._each(
            "detect", "detected", [DetectTask(0, source, p) for p in self._parts]
        )
        if not all(result.sound for result in detected):
            return
        if self._tracked:
            yield from self._each("track", "tracked", [TrackTask(0, source, self._parts)])
        renders, first = [], 0
        for part, result in zip(self._parts, detected, strict=True):
            before = self._parts[part.number - 1] if part.number else None
            after = self._parts[part.number + 1] if part.number + 1 < len(self._parts) else None
            draw = "video" in self._target.files and not self._drawn_later
            renders.append(RenderTask(0, source, part, before, after, first, draw))
            first += result.frames
        rendered = yield from self._each("render", "rendered", renders)
        if not all(result.sound for result in rendered):
            return
        if self._drawn_later:
            yield from self._each("watch", "watched", [WatchTask(0, source, self._parts)])
            draws = [
                DrawTask(0, source, part, self._parts[max(0, part.number - 1) : part.number])
                for part in self._parts
            ]
            drawn = yield from self._each("draw", "drawn", draws)
            if not all(result.sound for result in drawn):
                return
            rendered = [*rendered, *drawn]
        stage_ms = tuple(_mean([*detected, *rendered]).items())
        yield _Step(
            "join",
            [JoinTask(0, source, self._parts, self._target, self._overwrite, self._begun, stage_ms)],
        )

    def _each(self, name: str, file: str, tasks: list[Any]) -> Generator[_Step, None, list[TaskResult]]:
        """A step with a task for each part; those that an earlier run did are not done again."""
        step = _Step(name, tasks)
        for place, task in enumerate(tasks):
            part = task.part if hasattr(task, "part") else task.parts[0]
            there = noted(part.path(file, ".json"))
            if there is not None:
                step.results[place] = TaskResult(
                    there["frames"], sound=there["sound"], stage_ms=there["stage_ms"]
                )
                step.given.add(place)
        if len(step.results) < len(tasks):
            yield step
        return [step.results[place] for place in range(len(tasks))]


def _mean(results: list[TaskResult]) -> dict[str, float]:
    """Milliseconds per stage, over the frames of all parts."""
    sums: dict[str, tuple[float, int]] = {}
    for result in results:
        for stage, ms in result.stage_ms.items():
            total, frames = sums.get(stage, (0.0, 0))
            sums[stage] = total + ms * result.frames, frames + result.frames
    return {stage: total / frames for stage, (total, frames) in sums.items() if frames}
