"""The tasks of a job, their results, and how progress is reported."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import av
from av.error import FFmpegError

from ...media.containers import url_of
from ...media.video_writer import MADE_BY
from ...sinks.outputs import Target
from ...statistics import Statistics
from ..files.inputs import Input
from ..state.journal import Output
from .segment_store import Segment

pass

Report = Callable[[int, int | None], None]
"""Called with the frames of a task that are done, and the total, if that is known. Raises KeyboardInterrupt
where the task is to end early."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something to be done for a file.

    Attributes:
        id: of the task.
        source: the file to read.
    """

    id: int
    source: Input


@dataclass(frozen=True, slots=True)
class FileTask(Task):
    """A whole file to be processed.

    Attributes:
        target: where the results go.
        overwrite: whether results that exist may be replaced.
    """

    target: Target
    overwrite: bool


@dataclass(frozen=True, slots=True)
class TaskResult:
    """The outcome of a task.

    Attributes:
        frames: frames that were analyzed.
        people: different people seen.
        seconds: wall time.
        outputs: finished files, their paths as in the task's target.
        warnings: what the user should know, a line each.
        stage_ms: median milliseconds per stage.
        complete: False where the task was ended early.
        error: why there are no outputs, in one line; None where all went well.
        skipped: why nothing was to be done; None where something was.
        again: whether another attempt may fare better.
        disk_full: whether continuing is useless.
        cuts: of a search for them: where parts of a file begin, in seconds; none to leave it whole.
        sound: of a part: whether the file was in order.
        statistics: what was counted in the file.
    """

    frames: int = 0
    people: int = 0
    seconds: float = 0.0
    outputs: tuple[Output, ...] = ()
    warnings: tuple[str, ...] = ()
    stage_ms: Mapping[str, float] = field(default_factory=dict)
    complete: bool = True
    error: str | None = None
    skipped: str | None = None
    again: bool = False
    disk_full: bool = False
    cuts: tuple[float, ...] = ()
    sound: bool = True
    statistics: Statistics | None = None


def made_by_sepcam(path: str) -> bool:
    """Whether a video is one that Sepcam wrote."""
    try:
        with av.open(url_of(path)) as container:
            return container.metadata.get("comment", "").startswith(MADE_BY)
    except (FFmpegError, OSError, ValueError):
        return False


@dataclass(frozen=True, slots=True)
class CutTask(Task):
    """Find key frames at which a file can be cut.

    Attributes:
        count: parts wanted.
        least_s: least seconds of a part.
        most_s: most seconds of a part, as far as there are key frames for it.
    """

    count: int
    least_s: float
    most_s: float


@dataclass(frozen=True, slots=True)
class DetectTask(Task):
    """Run the detector on a part."""

    part: Segment


@dataclass(frozen=True, slots=True)
class TrackTask(Task):
    """Give identities to what was found in all parts."""

    parts: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class RenderTask(Task):
    """Landmarks, masks and annotated images of a part.

    Attributes:
        part: the part.
        before: the part before it, None for the first one.
        after: the part after it, None for the last one.
        first: index of its first frame in the file.
        draw: whether annotated images are wanted.
    """

    part: Segment
    before: Segment | None
    after: Segment | None
    first: int
    draw: bool


@dataclass(frozen=True, slots=True)
class WatchTask(Task):
    """Count at lines and zones through all rendered parts, for the images."""

    parts: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class DrawTask(Task):
    """Annotated images of a part that was rendered without them, and counted.

    Attributes:
        part: the part.
        before: the part before it, if any: what was hidden at its end stays hidden for a moment.
    """

    part: Segment
    before: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class JoinTask(Task):
    """Join the parts to the file's results.

    Attributes:
        parts: all of them, rendered.
        target: where the results go.
        overwrite: whether results that exist may be replaced.
        begun: when work on the file began, in seconds since 1970.
        stage_ms: median milliseconds per stage.
    """

    parts: tuple[Segment, ...]
    target: Target
    overwrite: bool
    begun: float
    stage_ms: tuple[tuple[str, float], ...]
