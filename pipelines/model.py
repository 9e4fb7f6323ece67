"""Sepcam in one line of Python: ``model = sepcam.load()``, then ``people = model(image)``."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, Union, overload

import numpy as np
import numpy.typing as npt

from ..models.errors import SepcamError
from ..models.types import F32, I64, U8
from .analysis.options import AnalysisOptions
from .analytics.options import WatchOptions
from .analytics.zones import Zone
from .drawing.options import DrawOptions
from .drawing.overlay import Overlay
from .drawing.trails import Trails
from .events import Event, ZoneCount
from .files.file_types import VIDEO_SUFFIXES
from .hiding.options import Hiding
from .pipeline import Pipeline
from .process_file import watch_of
from .results import pandas_module
from .sinks.serialize import objects
from .sources.open import open_source
from .sources.read_image import pixels_of, read_image
from .types import Blur, Frame, FrameResult, StreamInfo, checked_image

if TYPE_CHECKING:
    import pandas
    import supervision
    from PIL import Image

ImageInput: TypeAlias = Union[U8, str, Path, "Image.Image"]
"""An (H, W, 3) uint8 BGR array, the path of an image file, or a PIL image."""
_Input = TypeVar("_Input", bound=ImageInput)


class People:
    """Everything that was found in one image: people, or what ``classes`` name.

    Attributes:
        result: all of it, for what is not below.
    """

    result: FrameResult

    def __init__(self, result: FrameResult, trails: Trails | None = None) -> None:
        """Wrap a result, and where the tracks of its video were."""
        self.result = result
        self._found = result.instances
        self._trails = trails

    def __len__(self) -> int:
        return len(self._found)

    @property
    def boxes(self) -> F32:
        """(N, 4) float32 x1 y1 x2 y2 in pixels, 0-based."""
        return self._found.boxes

    @property
    def scores(self) -> F32:
        """(N,) float32, 0 to 1."""
        return self._found.scores

    @property
    def labels(self) -> list[str]:
        """N names of classes, ``person`` for people."""
        return [self._found.names[int(label)] for label in self._found.labels]

    @property
    def ids(self) -> I64 | None:
        """(N,) int64 identities, which stay the same from frame to frame; None for single images."""
        return self._found.track_ids

    @property
    def events(self) -> Sequence[Event]:
        """Who came, went, crossed a line, or entered or left a zone in this frame of a video."""
        return self.result.events

    @property
    def counts(self) -> Sequence[ZoneCount]:
        """The counts of lines and zones up to this frame of a video."""
        return self.result.counts

    @property
    def keypoints(self) -> F32 | None:
        """(N, K, 3) float32 x, y in pixels and score; zeros for who has none; None without the task."""
        return self._found.keypoints

    @property
    def world(self) -> F32 | None:
        """(N, K, 3) float32 x, y, z in meters from the middle of the hips; None without such a network."""
        return None if self._found.space is None else self._found.space[..., 1:]

    @property
    def masks(self) -> npt.NDArray[np.bool_] | None:
        """(N, H, W) bool; nothing for who has none; None without the task."""
        if self._found.masks is None:
            return None
        full = np.zeros((len(self), *self._found.size), bool)
        for mask, crop in zip(full, self._found.masks, strict=True):
            if crop is not None:
                mask[:] = crop.to_full(*self._found.size)
        return full

    def draw(self, image: ImageInput | None = None, options: DrawOptions | None = None) -> U8:
        """Draw everything, or what the options name, onto a copy of an image.

        Args:
            image: of the size of the analyzed one, which is the default.
            options: what is drawn, and how; there is no HUD.

        Returns:
            (H, W, 3) uint8 BGR.

        Raises:
            SepcamError: If the image cannot be read or has another size.
        """
        copy = self.result.frame.image.copy() if image is None else _pixels(image).copy()
        if copy.shape[:2] != self._found.size:
            (height, width), (rows, columns) = self._found.size, copy.shape[:2]
            raise SepcamError(f"people of a {width}x{height} image cannot be drawn onto {columns}x{rows}")
        model = self.result.model
        names = model.keypoint_names
        overlay = Overlay(model.skeleton, keypoint_names=names, options=options, trails=self._trails)
        overlay.draw(copy, self.result)
        return copy

    def to_json(self) -> str:
        """A JSON array with an object for each, as in the ``objects`` of JSON Lines results."""
        return json.dumps(objects(self._found), allow_nan=False)

    def to_supervision(self) -> "supervision.Detections":
        """As ``supervision.Detections``, with masks; see `Instances.to_supervision`."""
        return self._found.to_supervision()

    def to_pandas(self) -> "pandas.DataFrame":
        """A table with a row for each: id, label, score, x1, y1, x2, y2.

        Raises:
            SepcamError: If pandas is not installed.
        """
        x1, y1, x2, y2 = self.boxes.T
        ids = [None] * len(self) if self.ids is None else self.ids
        columns = {"id": ids, "label": self.labels, "score": self.scores}
        return pandas_module().DataFrame({**columns, "x1": x1, "y1": y1, "x2": x2, "y2": y2})


class Model:
    """Loaded networks that find people in images and video; several threads or loops may use them.

    >>> import sepcam
    >>> model = sepcam.load(detector="people", tasks=("track", "pose"))
    >>> for frame, people in model.video("demo", limit=2):
    ...     drawn = people.draw()
    >>> drawn.shape, people.ids.tolist(), people.keypoints.shape
    ((360, 540, 3), [1], (1, 17, 3))
    >>> people = model(frame.image)
    >>> people.labels, people.boxes.shape, people.ids
    (['person'], (1, 4), None)
    >>> [len(found) for found in model([frame.image, frame.image])]
    [1, 1]
    """

    def __init__(self, options: AnalysisOptions | None = None) -> None:
        """Load the networks.

        Args:
            options: what to do, and with which networks; None is the default.

        Raises:
            SepcamError: If a name is unknown, an option does not fit, or weights are unavailable.
        """
        self._pipeline = Pipeline(options)

    @overload
    def __call__(self, image: ImageInput) -> People: ...

    @overload
    def __call__(self, image: list[_Input] | tuple[_Input, ...]) -> list[People]: ...

    def __call__(self, image: ImageInput | list[_Input] | tuple[_Input, ...]) -> People | list[People]:
        """Find everyone in an image, or in each of a list.

        Args:
            image: an (H, W, 3) uint8 BGR array, the path of an image file, a PIL image, or a list of them.

        Returns:
            The `People` of one image, or a list of them.

        Raises:
            SepcamError: If an image cannot be read.
        """
        if isinstance(image, list | tuple):
            return [self._people(one) for one in image]
        return self._people(image)

    def video(
        self,
        source: str | int | Path,
        *,
        limit: int | None = None,
        zones: Zone | Sequence[Zone] = (),
        blur: Blur = "nothing",
        hide: Blur = "nothing",
    ) -> Iterator[tuple[Frame, People]]:
        """Follow everyone through a video, camera or stream.

        In a file, people are reported from their first frame on; in a camera or stream once the tracker is
        sure of them, usually in the second frame.

        Args:
            source: what ``open_source`` takes.
            limit: end after at most this many frames.
            zones: lines and zones where people are counted, for ``people.counts`` and ``people.events``.
            blur: what is blurred in the frames' images; there is a detection in each of them then.
            hide: what is painted over in them, likewise.

        Yields:
            Each frame, with its ``image`` (H, W, 3) uint8 BGR and ``time_s``, and its people with identities.

        Raises:
            SepcamError: If it cannot be opened or analyzed, or a line or zone lies outside its frames.
        """
        trails, hiding = Trails(), Hiding(blur, hide)
        opened = open_source(source, limit=limit)
        try:
            watched = (zones,) if isinstance(zones, Zone) else tuple(zones)
            watch = watch_of(self._pipeline, opened.info, WatchOptions(watched))
        except BaseException:
            opened.close()
            raise
        analyzer = self._pipeline.analyzer(opened.info, hiding=hiding)
        with closing(self._pipeline.run(opened, watch=watch, hiding=hiding, analyzer=analyzer)) as results:
            for result in results:
                trails.update(result)
                yield result.frame, People(result, trails)

    def _people(self, image: ImageInput) -> People:
        pixels = _pixels(image)
        height, width = pixels.shape[:2]
        info = StreamInfo("image", width, height, None, 1, independent=True)
        analyzer = self._pipeline.analyzer(info)
        name = Path(image).name if isinstance(image, str | Path) else "image"
        frame = Frame(pixels, 0, 0.0, name)
        found, stage_ms = analyzer.analyze(frame)
        return People(FrameResult(frame, found, stage_ms, model=analyzer.model))


def load(**options: Any) -> Model:  # noqa: ANN401 - those of AnalysisOptions
    """Load the networks once.

        model = sepcam.load(tasks=("track", "pose"))
        people = model("photo.jpg")

    Args:
        options: those of `AnalysisOptions`, such as ``detector``, ``conf``, ``tasks``. Without ``classes``
            people are reported; None reports all classes of a detector.

    Raises:
        SepcamError: If an option is unknown or does not fit, or weights are unavailable.
    """
    try:
        return Model(AnalysisOptions(**{"classes": ("person",), **options}))
    except TypeError as error:
        known = ", ".join(AnalysisOptions.__dataclass_fields__)
        raise SepcamError(f"{error}; the options are {known}") from error


def _pixels(image: ImageInput) -> U8:
    """An image as an array.

    Raises:
        SepcamError: If it cannot be read, or is something else.
    """
    if isinstance(image, str | Path):
        return _read(Path(image))
    if isinstance(image, np.ndarray):
        return checked_image(image)
    if hasattr(image, "getexif"):  # of Pillow, which need not be imported to know that
        try:
            return checked_image(pixels_of(image))
        except OSError as error:
            raise SepcamError(f"the PIL image cannot be read: {error}") from error
    raise SepcamError(
        f"an image is a BGR array, a path or a PIL image, or a list of them; not a {type(image)}"
    )


def _read(path: Path) -> U8:
    if not path.is_file():
        raise SepcamError(f"{path} is not a file")
    try:
        return read_image(path)
    except SepcamError as error:
        hint = "; of a video, use model.video(path)" if path.suffix.lower() in VIDEO_SUFFIXES else ""
        raise SepcamError(f"{path} {error}{hint}") from error
