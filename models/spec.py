"""What Sepcam knows of a network, and a network whose weights are loaded, ready to be compiled.

A network's module registers itself with one `ModelSpec`; `registry` collects them. Nothing here imports
torch.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .runtime.options import Compiler, InputSize, Runner, RuntimeOptions
from .sources import Source
from .types import ALL_PARTS, ConvKind, Detector, Part, PoseEstimator

if TYPE_CHECKING:
    import torch
    from torch import nn

Size = tuple[int, int]
"""(height, width) in pixels."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How a detector's candidates become its detections.

    Attributes:
        score_floor: the lowest score that is reported, in (0, 1).
        nms_iou: boxes of one class that overlap by more are one object.
        limit: the most objects reported in one image.
        vote_iou: boxes of one class that overlap the best one by this much or more are averaged with it; None
            takes the best box as it is.
    """

    score_floor: float
    nms_iou: float
    limit: int = 100
    vote_iou: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.score_floor < 1:
            raise ValueError(f"score_floor must lie between 0 and 1; got {self.score_floor}")


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Thresholds of ByteTrack; they belong to a detector, since detectors score differently.

    Attributes:
        high: least score of a box that takes part in the first association.
        new: least score of a box that starts a track.
        low: least score of a box that takes part in the second association, which only prolongs tracks.
        first_iou: least IoU times score of a match in the first association.
        second_iou: least IoU of a match in the second association.
        confirm_frames: consecutive detections after which a track gets its identity.
        lost_s: seconds for which a track without detections is remembered.
    """

    high: float = 0.6
    new: float = 0.7
    low: float = 0.1
    first_iou: float = 0.2
    second_iou: float = 0.3
    confirm_frames: int = 2
    lost_s: float = 2.0

    def with_confidence(self, conf: float | None) -> "TrackerSettings":
        """The same with ``conf`` as the least score of a box that starts a track (None changes nothing)."""
        if conf is None:
            return self
        return replace(self, new=conf, high=min(self.high, conf), low=min(self.low, conf))


MakeDetector = Callable[["LoadedNetwork", Size | int, Thresholds], Detector]
"""Makes a detector from a network, input size or longer side (see `zoo.load_detector`), and thresholds."""
MakePose = Callable[["LoadedNetwork", int, bool | None], PoseEstimator]
"""Makes a pose estimator from a network, the most people to prepare for, and whether masks are wanted.

None for the masks compiles the network when it is first used.
"""


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """How a network is used as a detector.

    Attributes:
        make: makes the detector.
        thresholds: for its candidates.
        tracker: settings of a tracker that follows its detections.
        larger_input: the longer side in pixels of an input that shows small people; None if it takes none.
        smaller_inputs: cheaper input sizes, the most accurate first.
        assistant: name and longer side of the input of another detector whose boxes make its own more
            accurate, where the weights of that one are available; or None.
        parts: what it finds besides boxes, so that no pose network has to.
    """

    make: MakeDetector
    thresholds: Thresholds
    tracker: TrackerSettings = TrackerSettings()
    larger_input: int | None = None
    smaller_inputs: tuple[Size, ...] = ()
    assistant: tuple[str, int] | None = None
    parts: frozenset[Part] = frozenset()


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One network.

    Attributes:
        name: what users call it.
        task: ``detect``; ``pose``, which mostly returns masks too; or ``segment``, which returns only masks.
        license: of the weights, an SPDX identifier.
        trained_on: the data, as far as its authors say.
        input_size: (height, width) in pixels that it takes by default.
        figures: how accurate it is, in a few words.
        macs: multiply-adds of one pass in millions, with separable and with standard convolutions.
        params: parameters in millions, with separable and with standard convolutions.
        outputs: names of the network's outputs, in order.
        sources: where its file comes from, in the order in which they are tried.
        sha256: of the official file (the member of a wheel or archive), or as many of its first digits as its
            authors publish.
        format: of that file.
        build: makes the network, randomly initialized.
        detector: how it is used as a detector, or None if it cannot be.
        pose: makes a pose estimator of it, or None if it cannot be one.
    """

    name: str
    task: Literal["detect", "pose", "segment"]
    license: str
    trained_on: str
    input_size: Size
    figures: str
    macs: tuple[int, int]
    params: tuple[float, float]
    outputs: tuple[str, ...]
    sources: tuple[Source, ...]
    sha256: str
    format: Literal["tflite", "tf_graph", "onnx", "torch", "openmmlab", "tfjs", "safetensors"]
    build: "Callable[[], nn.Module]"
    detector: DetectorSpec | None = None
    pose: MakePose | None = None

    def is_official(self, sha256: str) -> bool:
        """Whether a file with this SHA-256 is the one that its authors publish."""
        return sha256.startswith(self.sha256)

    @property
    def source(self) -> str:
        """Where the weights come from, for people to read."""
        return ", else ".join(str(source) for source in self.sources)


@dataclass(frozen=True, slots=True)
class LoadedNetwork:
    """A network whose weights are available; it is built when it is compiled for an input size.

    Attributes:
        spec: of the network.
        backbone: kind of its convolutions.
        options: what runs it.
        cache_dir: root of the cache of converted networks.
        digest: SHA-256 of the weights.
        load: reads the weights, for ``load_state_dict``.
        compiler: compiles it.
        parts: which of keypoints and masks are wanted of a network that finds them along with boxes.
        assistant: another detector whose boxes are merged with its own, see `DetectorSpec`; or None.
    """

    spec: ModelSpec
    backbone: ConvKind
    options: RuntimeOptions
    cache_dir: Path
    digest: str
    load: "Callable[[], dict[str, torch.Tensor]]"
    compiler: Compiler
    parts: frozenset[Part] = ALL_PARTS
    assistant: Detector | None = None

    @property
    def name(self) -> str:
        """The name it has in the registry."""
        return self.spec.name

    def runner(
        self,
        size: InputSize,
        *,
        max_batch: int = 1,
        variant: str = "",
        change: "Callable[[Any], nn.Module]" = lambda network: network,
    ) -> Runner:
        """Compiled for an input size.

        Args:
            size: (height, width) of its input in pixels, or what else it takes.
            max_batch: the largest batch worth preparing for.
            variant: names what ``change`` does; part of the key in the cache of converted networks.
            change: makes another form of the network out of it.

        Raises:
            SepcamError: If the machine lacks what the options ask for.
        """

        def make() -> "nn.Module":
            from .layers.conversion import as_kind

            network = self.spec.build()
            network.load_state_dict(self.load())
            return as_kind(change(network), self.backbone)

        key = "-".join(filter(None, (self.name, variant, self.backbone, self.digest[:16])))
        return self.compiler(make, size, self.options, key=key, max_batch=max_batch, cache_dir=self.cache_dir)
