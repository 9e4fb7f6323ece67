"""Names to ready networks: weights loaded, convolutions of the wanted kind, compiled for this machine.

Where a converted copy of a network is on disk, loading it imports neither torch nor the network's module.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from . import coco, mediapipe_pose, plugins, ultralytics_adapter
from .cache import sha256_of
from .detectors import (
    COCO_LOGITS,
    SSD_COCO_THRESHOLDS,
    SSD_SIZE,
    TORCHVISION_THRESHOLDS,
    SSDDetector,
    SSDPass,
    YOLOXDetector,
    check_yolox_size,
    ssd_heads,
    torchvision_anchors,
)
from .errors import SepcamError
from .pose import CROP, BlazePose
from .registry import REGISTRY, ModelInfo, find
from .runtime import Runner, RuntimeOptions, compile_network
from .types import Detector, PoseEstimator
from .weights import Progress, WeightStore, silent

if TYPE_CHECKING:
    import torch
    from torch import nn

    from .blocks import ConvKind, Cost
    from .ssd import SSDLitePerson

_LOG = logging.getLogger(__name__)

BEST_DETECTOR = "yolox-nano"
FALLBACK_DETECTOR = "ssdlite-person"


def models() -> list[ModelInfo]:
    """Every network that there is."""
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

    from .blocks import as_kind, count

    info = find(name)
    with torch.device("meta"):
        network = as_kind(info.build(), backbone)
    return count(network, (1, *(input_size or info.input_size), 3))


@dataclass(frozen=True, slots=True)
class Choice:
    """Which detector ``auto`` came to.

    Attributes:
        name: of the detector.
        reason: why, in a few words.
    """

    name: str
    reason: str


def choose_detector(store: WeightStore, progress: Progress = silent) -> Choice:
    """The best detector that can be had: YOLOX-nano if it is cached or its download works, else SSDLite.

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
            why = store.refusal(BEST_DETECTOR) or "cannot be written to the cache"
    return Choice(FALLBACK_DETECTOR, f"{BEST_DETECTOR} is not to be had: {why}")


def load_detector(
    name: str = "auto",
    *,
    backbone: "ConvKind" = "separable",
    options: RuntimeOptions | None = None,
    store: WeightStore | None = None,
    input_size: tuple[int, int] | None = None,
    weights_file: Path | None = None,
    progress: Progress = silent,
) -> Detector:
    """A detector that is ready to run.

    Args:
        name: in the registry; ``auto``, see ``choose_detector``; ``yolo:FILE.pt``, a model of Ultralytics; or
            a plugin's, see `plugins`, to which the other arguments do not apply.
        backbone: kind of its convolutions; the detections are the same.
        options: what runs it; None is automatic.
        store: where weights are kept; None is the user's cache.
        input_size: (height, width) in pixels in place of its own. ``yolox-nano`` takes multiples of 32;
            ``ssdlite-person`` takes 300 plus multiples of 32 and then looks at both sizes.
        weights_file: take the weights from this file, and leave the cache as it is.
        progress: hears of downloads.

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
            file, backbone=backbone, options=options, input_size=input_size, notice=store.notice
        )
    plugin = None if name in store.registry else plugins.load(name, "sepcam.detectors", Detector)
    if plugin is not None:
        return plugin
    network = _Network.find(name, ("detect",), backbone, options, store, weights_file, progress)
    return _DETECTORS[name](network, input_size or network.info.input_size)


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

    Raises:
        SepcamError: See ``load_detector``.
    """
    store = store or WeightStore()
    if name.startswith(mediapipe_pose.PREFIX):
        return mediapipe_pose.MediaPipePose(Path(name.removeprefix(mediapipe_pose.PREFIX)))
    plugin = None if name in store.registry else plugins.load(name, "sepcam.poses", PoseEstimator)
    if plugin is not None:
        return plugin
    network = _Network.find(name, ("pose", "segment"), backbone, options, store, weights_file, progress)
    return _POSES[name](network, max_people, masks)


@dataclass(frozen=True, slots=True)
class _Network:
    """A network whose weights are at hand, before it is known at which sizes it will run."""

    info: ModelInfo
    backbone: "ConvKind"
    options: RuntimeOptions
    cache_dir: Path
    digest: str
    load: "Callable[[], dict[str, torch.Tensor]]"

    @classmethod
    def find(
        cls,
        name: str,
        tasks: Sequence[str],
        backbone: "ConvKind",
        options: RuntimeOptions | None,
        store: WeightStore,
        weights_file: Path | None,
        progress: Progress,
    ) -> "_Network":
        """The network, its weights fetched if need be."""
        names = [model.name for model in store.registry.values() if model.task in tasks]
        if name not in store.registry:
            names += plugins.installed("sepcam.detectors" if "detect" in tasks else "sepcam.poses")
            raise SepcamError(f"unknown model {name!r}: choose from {', '.join(names)}")
        info = find(name, store.registry)
        if info.task not in tasks:
            raise SepcamError(f"{name} does not {tasks[0]}: choose from {', '.join(names)}")
        if weights_file is None:
            digest, load = store.digest(name, progress), lambda: store.load(name, progress)
        elif weights_file.is_file():
            digest, load = sha256_of(weights_file), lambda: store.read(name, weights_file)
        else:
            raise SepcamError(f"{weights_file} is not a file: it should hold the weights of {name}")
        return cls(info, backbone, options or RuntimeOptions(), store.root, digest, load)

    def runner(
        self,
        size: tuple[int, int],
        *,
        max_batch: int = 1,
        variant: str = "",
        change: "Callable[[Any], nn.Module]" = lambda network: network,
    ) -> Runner:
        """Compiled for a size.

        Args:
            size: (height, width) of its input in pixels.
            max_batch: the largest batch worth preparing for.
            variant: names what ``change`` does.
            change: makes another form of the network out of it.
        """

        def make() -> "nn.Module":
            from .blocks import as_kind

            network = self.info.build()
            network.load_state_dict(self.load())
            return as_kind(change(network), self.backbone)

        key = "-".join(filter(None, (self.info.name, variant, self.backbone, self.digest[:16])))
        return compile_network(
            make, size, self.options, key=key, max_batch=max_batch, cache_dir=self.cache_dir
        )


def _yolox(network: _Network, size: tuple[int, int]) -> Detector:
    check_yolox_size(size)
    return YOLOXDetector(network.info.name, network.runner(size), size)


def _ssdlite_person(network: _Network, size: tuple[int, int]) -> Detector:
    heads = ssd_heads(size)
    passes = [SSDPass(network.runner(SSD_SIZE))]
    if size != SSD_SIZE:

        def use_heads(network: "SSDLitePerson") -> "SSDLitePerson":
            network.used = heads
            return network

        runner = network.runner(size, variant=f"{heads}-heads", change=use_heads)
        passes.append(SSDPass(runner, size))
    return SSDDetector(network.info.name, passes)


def _ssd_mobilenet_v1(network: _Network, size: tuple[int, int]) -> Detector:
    _check_only_size(network, size)
    one = SSDPass(network.runner(size))
    return SSDDetector(network.info.name, [one], coco.NAMES, COCO_LOGITS, SSD_COCO_THRESHOLDS)


def _ssdlite_mobilenet_v3(network: _Network, size: tuple[int, int]) -> Detector:
    _check_only_size(network, size)
    one = SSDPass(network.runner(size), size, torchvision_anchors())
    return SSDDetector(network.info.name, [one], coco.NAMES, COCO_LOGITS, TORCHVISION_THRESHOLDS)


def _blazepose(network: _Network, max_people: int, masks: bool | None) -> PoseEstimator:
    def compile_for(masks: bool) -> Runner:
        if masks:
            return network.runner((CROP, CROP), max_batch=max_people)
        return network.runner(
            (CROP, CROP), max_batch=max_people, variant="no-mask", change=lambda net: net.without_mask()
        )

    pose = BlazePose(compile_for, name=network.info.name)
    if masks is not None:
        pose.prepare(masks=masks)
    return pose


def _check_only_size(network: _Network, size: tuple[int, int]) -> None:
    height, width = network.info.input_size
    if size != (height, width):
        raise SepcamError(
            f"{network.info.name} takes {width}x{height} pictures only, not {size[1]}x{size[0]}"
        )


_DETECTORS: Mapping[str, Callable[[_Network, tuple[int, int]], Detector]] = MappingProxyType(
    {
        "ssdlite-person": _ssdlite_person,
        "yolox-nano": _yolox,
        "ssd-mobilenet-v1-coco": _ssd_mobilenet_v1,
        "ssdlite320-mobilenet-v3-large": _ssdlite_mobilenet_v3,
    }
)
_POSES: Mapping[str, Callable[[_Network, int, bool | None], PoseEstimator]] = MappingProxyType(
    {
        "blazepose-lite": _blazepose,
        "blazepose-full": _blazepose,
        "blazepose-heavy": _blazepose,
    }
)
