"""What a sink is, and what a kind of results has to declare so that the commands offer it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from ...models.files import fit_name
from ...models.types import U8
from ..types import Encoder, FrameResult, RunSummary, StreamInfo

if TYPE_CHECKING:
    from ..analytics.zones import Zone
    from ..drawing.options import DrawOptions
    from ..media.limits import OpenLimits
    from ..media.sound_sources import SoundFeed

SourceType = Literal["video", "images", "live"]
"""What results are written of: a video that is processed, a set of images, a source that is watched."""


@runtime_checkable
class Sink(Protocol):
    """Takes results in order; what it writes appears under its name only on ``close``.

    All methods are called from one thread at a time. After an error, or to discard what was written, call
    ``abort``; after ``close`` it changes nothing. Inherit from it for the defaults of the attributes.

    Attributes:
        needs_clean_image: whether ``result.frame.image`` has to be the image as it came from the source; by
            default it may be the annotated one, which saves a copy.
        notices: what the user should know, a line each; complete after ``close``.
    """

    needs_clean_image: bool = False
    notices: Sequence[str] = ()

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Add a frame.

        Args:
            result: the frame and what was found in it.
            image: the annotated image, (H, W, 3) uint8 BGR, or None where nothing was drawn.

        Raises:
            SepcamError: If it cannot be written.
        """
        ...

    def prepare(self, summary: RunSummary) -> None:
        """Write everything that is left, so that ``close`` has only names to give.

        Called of all sinks of a run before the first ``close``, so that a disk that is full leaves no file of
        a run. A sink that writes nothing on ``close`` may leave it out.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """

    def close(self, summary: RunSummary) -> None:
        """Finish, also after a run that was interrupted, and with or without ``prepare`` before.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        ...

    def abort(self) -> None:
        """Leave nothing behind."""
        ...


@dataclass(frozen=True, slots=True)
class ResultName:
    """What the file names of one source's results are made of.

    Attributes:
        folder: the output folder.
        stem: the name of the source without its suffix.
        suffix: the suffix of the source, such as ``.mp4``, or "".
        subfolder: where the results lie below the output folder, "" for right inside.
        source_type: what they are written of.
        alone: whether the output folder holds the results of this source only, so that a file may have the
            fixed name that the format's tools expect.
    """

    folder: Path
    stem: str
    suffix: str = ""
    subfolder: str = ""
    source_type: SourceType = "video"
    alone: bool = True

    def path(self, ending: str) -> Path:
        """The usual place of a file: ``<folder>/<subfolder>/<stem><ending>``, see `fit_name`."""
        folder = self.folder / self.subfolder
        return folder / fit_name(folder, self.stem, ending)


@dataclass(frozen=True, slots=True)
class SinkContext:
    """What a sink may want to know of the run.

    Attributes:
        source: as the user named it.
        info: of the source.
        header: what analyzes it: version, models, backbone, tasks, labels, keypoint_names, skeleton.
        overwrite: whether files that exist may be replaced.
        coco_annotations: file with the image ids of COCO results, or None.
        limits: for a source from an untrusted sender; None allows everything.
        sound: of a source that can be opened only once, or None.
        zones: the lines and zones where people are counted.
        drawing: what sinks draw that make their own images; None is the default.
        encoder: what encodes video.
    """

    source: str
    info: StreamInfo
    header: Mapping[str, Any]
    overwrite: bool = False
    coco_annotations: Path | None = None
    limits: "OpenLimits | None" = None
    sound: "SoundFeed | None" = None
    zones: "Sequence[Zone]" = ()
    drawing: "DrawOptions | None" = None
    encoder: Encoder = "auto"


def _nothing_missing() -> None:
    """Nothing is needed beside Sepcam's own dependencies."""


@dataclass(frozen=True, slots=True)
class SinkKind:
    """A kind of results. A module in ``formats`` offers one by a constant ``KIND``, see `registry`.

    Attributes:
        name: what ``--save`` calls it.
        source_types: what it can be written of.
        path: where it goes, a file or a folder.
        open: opens a sink that writes there. Raises SepcamError if that cannot be.
        image: which images it shows, if any: ``annotated`` ones, or ``clean`` ones (its sinks then have
            ``needs_clean_image``). Jobs cut a long video only for ``video`` and kinds without images.
        check: raises SepcamError where a package is missing; called before any work is done.
        companions: names of the kinds that are written with it.
    """

    name: str
    source_types: frozenset[SourceType]
    path: Callable[[ResultName], Path]
    open: Callable[[Path, SinkContext], Sink]
    image: Literal["annotated", "clean"] | None = None
    check: Callable[[], None] = _nothing_missing
    companions: tuple[str, ...] = ()
