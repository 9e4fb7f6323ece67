"""What a job does to every file: plain data, written down beside the results and compared on a rerun."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ....models.weights.store import Progress, WeightStore, silent
from ...analysis.options import AnalysisOptions
from ...analytics.options import WatchOptions
from ...analytics.zones import zone_of
from ...drawing.options import DrawOptions
from ...hiding.options import Hiding
from ...pipeline import Pipeline
from ...types import Blur, Encoder


@dataclass(frozen=True, slots=True)
class JobSettings:
    """Everything that the results depend on; can be pickled and written as JSON.

    Attributes:
        analysis: what is done, and by which networks; ``auto`` is the same detector on every machine.
        drawing: what is drawn onto images, and how.
        saves: which kinds of results.
        start_s: where to begin in each video, in seconds.
        frames: after how many frames of each file to stop, or None.
        stream: 0-based index of the video stream in each file, or None to choose.
        deinterlace: whether interlaced frames become whole images.
        coco_annotations: file with the image ids of COCO results, or None.
        zones: the lines and zones where people are counted, as text, see `Zone`.
        blur: what is blurred.
        hide: what is painted over.
        encoder: what encodes video.
    """

    analysis: AnalysisOptions
    drawing: DrawOptions = field(default_factory=DrawOptions)
    saves: tuple[str, ...] = ("video", "jsonl")
    start_s: float = 0.0
    frames: int | None = None
    stream: int | None = None
    deinterlace: bool = True
    coco_annotations: str | None = None
    zones: tuple[str, ...] = ()
    blur: Blur = "nothing"
    hide: Blur = "nothing"
    encoder: Encoder = "auto"

    @property
    def hiding(self) -> Hiding:
        """What is made unrecognizable."""
        return Hiding(self.blur, self.hide)

    @property
    def watching(self) -> WatchOptions:
        """The lines and zones where people are counted."""
        return WatchOptions(tuple(map(zone_of, self.zones)))

    def load(
        self, *, threads: int | None = None, store: WeightStore | None = None, progress: Progress = silent
    ) -> Pipeline:
        """The networks, ready to run; takes seconds.

        Args:
            threads: per network, None leaves it to the runtime.
            store: where weights are kept; None is the user's cache.
            progress: is called as downloads advance.

        Raises:
            SepcamError: See ``Pipeline``.
        """
        runtime = replace(self.analysis.runtime, threads=threads)
        return Pipeline(replace(self.analysis, runtime=runtime), store=store, progress=progress)

    def to_json(self) -> dict[str, Any]:
        """As a flat JSON object."""
        groups = self.analysis.to_json() | self.drawing.to_json()
        own = {item.name: getattr(self, item.name) for item in fields(self)}
        return groups | {name: value for name, value in own.items() if name not in ("analysis", "drawing")}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "JobSettings":
        """What ``to_json`` returned, also of an older version with fewer settings."""
        known = {item.name for item in fields(cls)} & values.keys()
        own = {name: _tuples(values[name]) for name in known}
        analysis, drawing = AnalysisOptions.from_json(values), DrawOptions.from_json(values)
        return cls(analysis=analysis, drawing=drawing, **own)


def differences(old: JobSettings, new: JobSettings) -> list[str]:
    """What is not the same, e.g. ``conf 0.5 -> 0.6``."""
    before, after = old.to_json(), new.to_json()
    return [
        f"{name} {_text(before[name])} -> {_text(value)}"
        for name, value in after.items()
        if value != before[name]
    ]


def _tuples(value: Any) -> Any:  # noqa: ANN401 - any setting
    return tuple(value) if isinstance(value, list) else value


def _text(value: Any) -> str:  # noqa: ANN401 - any setting
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
