"""Names to ready networks: weights loaded, convolutions of the wanted kind, compiled for this machine.

Where a converted copy of a network is on disk, loading it imports neither torch nor the network's module.
"""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from . import plugins
from .cache import sha256_of
from .detectors import ultralytics as ultralytics_adapter
from .errors import SepcamError
from .pose import mediapipe as mediapipe_pose
from .registry import REGISTRY, find
from .runtime.compile import compile_network
from .runtime.options import Compiler, RuntimeOptions
from .spec import LoadedNetwork, ModelSpec, Size
from .types import ConvKind, Detector, PoseEstimator
from .weights.store import Progress, WeightStore, silent

if TYPE_CHECKING:
    from torch import nn

    from .profiling.cost import Cost

_LOG = logging.getLogger(__name__)

BEST_DETECTOR = "yolox-nano"
FALLBACK_DETECTOR = "ssdlite-person"


def models() -> list[ModelSpec]:
    """Every network of the registry."""
    return list(REGISTRY.values())


def build(name: str) -> "nn.Module":
    """A network with random weights, in evaluation mode.

    Raises:
        SepcamError: If no network has that name.
    """
    return find(name).build().eval()


def cost(name: str, backbone: "ConvKind" = "separable", input_size: tuple[int, int] | None = None) -> "Cost":
    """What one pass of a network takes at its input size; needs no weights.

    Raises:
        SepcamError: If no network has that name.
    """
    import torch

    from .layers.conversion import as_kind
    from .profiling.cost import count

    info = find(name)
    with torch.device("meta"):
        network = as_kind(info.build(), backbone)
    return count(network, (1, *(input_size or info.input_size), 3))


@dataclass(frozen=True, slots=True)
class Choice:
    """Which detector ``auto`` means on this machine.

    Attributes:
        name: of the detector.
        reason: why, in a few words.
        fallback: whether a more accurate one would have been taken if its weights were available: the same
            command may then give other results on another machine or day.
    """

    name: str
    reason: str
    fallback: bool = False


def choose_detector(store: WeightStore, progress: Progress = silent) -> Choice:
    """The best available detector: YOLOX-nano if it is cached or its download works, else SSDLite.

    A download that failed is not tried again for a day.
    """
    if store.is_cached(BEST_DETECTOR):
        return Choice(BEST_DETECTOR, "the most accurate one, from the cache")
    why = store.refusal(BEST_DETECTOR)
    if why is None:
        try:
            store.fetch(BEST_DETECTOR, progress=progress)
            return Choice(BEST_DETECTOR, "the most accurate one, just downloaded")
        except SepcamError:
            why = store.refusal(BEST_DETECTOR) or "it cannot be written to the cache"
    reason = (
        f"{BEST_DETECTOR}, which is more accurate, is unavailable: {why}; it is not tried again for a day, "
        f"'sepcam models fetch {BEST_DETECTOR}' tries now"
    )
    return Choice(FALLBACK_DETECTOR, reason, fallback=True)


def load_detector(
    name: str = "auto",
    *,
    backbone: "ConvKind" = "separable",
    options: RuntimeOptions | None = None,
    store: WeightStore | None = None,
    input_size: Size | int | None = None,
    score_floor: float | None = None,
    weights_file: Path | None = None,
    progress: Progress = silent,
    compiler: Compiler = compile_network,
) -> Detector:
    """A detector that is ready to run.

    Args:
        name: in the registry; ``auto``, see ``choose_detector``; ``yolo:FILE.pt``, a model of Ultralytics; or
            a plugin's, see `plugins`, to which the other arguments do not apply.
        backbone: kind of its convolutions; the detections are the same.
        options: what runs it; None is automatic.
        store: where weights are kept; None is the user's cache.
        input_size: (height, width) in pixels in place of its own, or the longer side alone: the shorter one
            then follows each picture's shape. ``yolox-nano`` takes multiples of 32; ``ssdlite-person`` takes
            300 plus multiples of 32 and then looks at both sizes.
        score_floor: the lowest score that it gives, in (0, 1), in place of its own. Average precision needs a
            lower one than everything else.
        weights_file: take the weights from this file, and leave the cache as it is.
        progress: hears of downloads.
        compiler: what prepares the networks to run.

    Raises:
        SepcamError: If the name or a size does not fit, the weights can't be had, or the machine lacks what
            the options ask for.
    """
    store = store or WeightStore()
    if name == "auto":
        if weights_file is not None:
            raise SepcamError(f"{weights_file}: name the detector whose weights these are")
        choice = choose_detector(store, progress)
        _LOG.info("detector: %s (%s)", choice.name, choice.reason)
        name = choice.name
    if name.startswith(ultralytics_adapter.PREFIX):
        file = Path(name.removeprefix(ultralytics_adapter.PREFIX))
        return ultralytics_adapter.UltralyticsDetector(
            file,
            backbone=backbone,
            options=options,
            input_size=(input_size, input_size) if isinstance(input_size, int) else input_size,
            notice=store.notice,
        )
    plugin = None if name in store.registry else plugins.load(name, "sepcam.detectors", Detector)
    if plugin is not None:
        return plugin
    network = _load(name, "detect", backbone, options, store, weights_file, progress, compiler)
    spec = network.spec.detector
    assert spec is not None  # as `_load` checked
    thresholds = spec.thresholds
    if score_floor is not None:
        thresholds = replace(thresholds, score_floor=score_floor)
    return spec.make(network, input_size or network.spec.input_size, thresholds)


def load_pose(
    name: str = "blazepose-full",
    *,
    backbone: "ConvKind" = "separable",
    options: RuntimeOptions | None = None,
    store: WeightStore | None = None,
    max_people: int = 16,
    masks: bool | None = None,
    weights_file: Path | None = None,
    progress: Progress = silent,
    compiler: Compiler = compile_network,
) -> PoseEstimator:
    """A pose estimator that is ready to run; see ``load_detector``.

    Args:
        name: in the registry; ``mediapipe:FILE.task``, a model of MediaPipe's PoseLandmarker; or a plugin's,
            see `plugins`, to which the other arguments do not apply.
        backbone: kind of its convolutions.
        options: what runs it; None is automatic.
        store: where weights are kept; None is the user's cache.
        max_people: the most people per image worth preparing for.
        masks: compile the network at once, with masks or without; None compiles it when it is first used.
        weights_file: take the weights from this file, and leave the cache as it is.
        progress: hears of downloads.
        compiler: what prepares the networks to run.

    Raises:
        SepcamError: See ``load_detector``.
    """
    store = store or WeightStore()
    if name.startswith(mediapipe_pose.PREFIX):
        return mediapipe_pose.MediaPipePose(Path(name.removeprefix(mediapipe_pose.PREFIX)))
    plugin = None if name in store.registry else plugins.load(name, "sepcam.poses", PoseEstimator)
    if plugin is not None:
        return plugin
    network = _load(name, "pose", backbone, options, store, weights_file, progress, compiler)
    assert network.spec.pose is not None  # as `_load` checked
    return network.spec.pose(network, max_people, masks)


def _load(
    name: str,
    ability: Literal["detect", "pose"],
    backbone: "ConvKind",
    options: RuntimeOptions | None,
    store: WeightStore,
    weights_file: Path | None,
    progress: Progress,
    compiler: Compiler,
) -> LoadedNetwork:
    """The network, its weights fetched if need be."""
    able = [
        spec.name
        for spec in store.registry.values()
        if (spec.detector if ability == "detect" else spec.pose) is not None
    ]
    if name not in store.registry:
        names = [*able, *plugins.installed("sepcam.detectors" if ability == "detect" else "sepcam.poses")]
        raise SepcamError(f"unknown model {name!r}: choose from {', '.join(names)}")
    if name not in able:
        raise SepcamError(f"{name} does not {ability}: choose from {', '.join(able)}")
    if weights_file is None:
        digest, load = store.digest(name, progress), lambda: store.load(name, progress)
    elif weights_file.is_file():
        digest, load = sha256_of(weights_file), lambda: store.read(name, weights_file)
    else:
        raise SepcamError(f"{weights_file} is not a file: it should hold the weights of {name}")
    spec = find(name, store.registry)
    return LoadedNetwork(spec, backbone, options or RuntimeOptions(), store.root, digest, load, compiler)
