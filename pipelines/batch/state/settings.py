"""What a job does to every file: plain data, written down beside the results and compared on a rerun."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ....models.runtime.options import Device, Precision, Runtime, RuntimeOptions
from ....models.types import ConvKind
from ....models.weights.store import Progress, WeightStore, silent
from ...pipeline import Pipeline
from ...types import TASKS, DetectEvery, Task


@dataclass(frozen=True, slots=True)
class JobSettings:
    """Everything that the results depend on; can be pickled and written as JSON.

    Attributes:
        detector: name in the registry or a plugin's; what ``auto`` came to.
        pose: likewise.
        tasks: what is done beside detecting.
        backbone: kind of convolutions.
        classes: names of the classes to report, None for all.
        conf: least score, None for the detector's own.
        max_people: landmarks and masks for at most so many people of a frame.
        detect_every: frames from one detection to the next, or ``auto``.
        input_size: of the detector: (height, width), the longer side, or None for its own.
        runtime: what runs the networks.
        device: where.
        precision: in which numbers.
        saves: which kinds of results.
        start_s: where to begin in each video, in seconds.
        frames: after how many frames of each file to stop, or None.
        coco_annotations: file that gives the image ids of COCO results, or None.
    """

    detector: str
    pose: str = "blazepose-full"
    tasks: tuple[Task, ...] = TASKS
    backbone: ConvKind = "separable"
    classes: tuple[str, ...] | None = None
    conf: float | None = None
    max_people: int = 16
    detect_every: DetectEvery = 1
    input_size: tuple[int, int] | int | None = None
    runtime: Runtime = "auto"
    device: Device = "auto"
    precision: Precision = "auto"
    saves: tuple[str, ...] = ("video", "jsonl")
    start_s: float = 0.0
    frames: int | None = None
    coco_annotations: str | None = None

    def load(
        self, *, threads: int | None = None, store: WeightStore | None = None, progress: Progress = silent
    ) -> Pipeline:
        """The networks, ready to run; takes seconds.

        Args:
            threads: per network, None leaves it to the runtime.
            store: where weights are kept; None is the user's cache.
            progress: hears of downloads.

        Raises:
            SepcamError: See ``Pipeline``.
        """
        return Pipeline(
            self.detector,
            self.pose,
            tasks=self.tasks,
            backbone=self.backbone,
            conf=self.conf,
            classes=self.classes,
            max_people=self.max_people,
            detect_every=self.detect_every,
            input_size=self.input_size,
            options=RuntimeOptions(self.runtime, self.device, self.precision, threads),
            store=store,
            progress=progress,
        )

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "JobSettings":
        """What ``to_json`` gave, also of an older version that knew fewer settings."""
        known = {field.name for field in fields(cls)} & values.keys()
        return cls(**{name: _tuples(values[name]) for name in known})


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
