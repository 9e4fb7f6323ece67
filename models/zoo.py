"""Names to ready networks: weights loaded, convolutions of the wanted kind, compiled for this machine.

Where a converted copy of a network is on disk, loading it imports neither torch nor the network's module.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from . import plugins
from .cache import sha256_of
from .detectors import ultralytics as ultralytics_adapter
from .detectors.anchors import SSD_SIZE, ssd_heads, torchvision_anchors
from .detectors.candidates import Size, Thresholds
from .detectors.fitted import FittedDetector
from .detectors.ssd import (
    COCO_LOGITS,
    PERSON_LABELS,
    SSD_COCO_THRESHOLDS,
    SSD_THRESHOLDS,
    TORCHVISION_THRESHOLDS,
    SSDDetector,
    SSDPass,
)
from .detectors.yolox import YOLOX_THRESHOLDS, YOLOXDetector, check_yolox_size
from .errors import SepcamError
from .ops import coco
from .pose import mediapipe as mediapipe_pose
from .pose.blazepose import CROP, BlazePose
from .pose.segmentation import RegionSegmenter
from .pose.simcc import SimCCPose
from .registry import REGISTRY, ModelInfo, find
from .runtime.compile import compile_network
from .runtime.options import Compiler, Runner, RuntimeOptions
from .types import ConvKind, Detector, PoseEstimator
from .weights.store import Progress, WeightStore, silent

if TYPE_CHECKING:
    import torch
    from torch import nn

    from .networks.ssd import SSDLitePerson
    from .profiling.cost import Cost

_LOG = logging.getLogger(__name__)

_LARGE = 0.3
"""Share of the picture's side from which on SSDLite's boxes come from its first look, at 300 x 300, too.

It gives smaller people as well, but so badly placed that NMS keeps them beside the second look's: with them
HOTA on PETS09-S2L1 is 37.2, without 45.3; AP50 on 79 COCO images 48.0 and 49.9. 0.3 to 0.4 give the same.
"""

BEST_DETECTOR = "yolox-nano"
FALLBACK_DETECTOR = "ssdlite-person"
LARGER_INPUTS: Mapping[str, int] = MappingProxyType({"yolox-nano": 640, "ssdlite-person": 1164})
"""The longer side of an input that shows small people, of the detectors that take larger ones.

HOTA on PETS09-S2L1: YOLOX-nano 52 with its own input, 59 so; SSDLite 29, 45 at 780 and 57 so.
"""


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

    from .layers.conversion import as_kind
    from .profiling.cost import count

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
    network = _Network.find(name, ("detect",), backbone, options, store, weights_file, progress, compiler)
    thresholds = _THRESHOLDS[name]
    if score_floor is not None:
        thresholds = replace(thresholds, score_floor=score_floor)
    return _DETECTORS[name](network, input_size or network.info.input_size, thresholds)


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
    tasks = "pose", "segment"
    network = _Network.find(name, tasks, backbone, options, store, weights_file, progress, compiler)
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
    compiler: Compiler

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
        compiler: Compiler,
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
        return cls(info, backbone, options or RuntimeOptions(), store.root, digest, load, compiler)

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
            from .layers.conversion import as_kind

            network = self.info.build()
            network.load_state_dict(self.load())
            return as_kind(change(network), self.backbone)

        key = "-".join(filter(None, (self.info.name, variant, self.backbone, self.digest[:16])))
        return self.compiler(make, size, self.options, key=key, max_batch=max_batch, cache_dir=self.cache_dir)


def _yolox(network: _Network, size: Size | int, thresholds: Thresholds) -> Detector:
    name = network.info.name

    def sized(size: Size) -> Detector:
        check_yolox_size(size)
        return YOLOXDetector(name, network.runner(size), size, thresholds=thresholds)

    if isinstance(size, int):
        check_yolox_size((size, size))
        return FittedDetector(name, coco.NAMES, size, sized)
    return sized(size)


def _ssdlite_person(network: _Network, size: Size | int, thresholds: Thresholds) -> Detector:
    name = network.info.name
    heads = ssd_heads((size, size) if isinstance(size, int) else size)
    whole = network.runner(SSD_SIZE)

    def use_heads(network: "SSDLitePerson") -> "SSDLitePerson":
        network.used = heads
        return network

    def sized(size: Size) -> Detector:
        if size == SSD_SIZE:
            return SSDDetector(name, [SSDPass(whole)], thresholds=thresholds)
        runner = network.runner(size, variant=f"{heads}-heads", change=use_heads)
        passes = [SSDPass(whole, least=_LARGE), SSDPass(runner, size)]
        return SSDDetector(name, passes, thresholds=thresholds)

    if isinstance(size, int):
        return FittedDetector(name, PERSON_LABELS, size, sized)
    return sized(size)


def _ssd_mobilenet_v1(network: _Network, size: Size | int, thresholds: Thresholds) -> Detector:
    one = SSDPass(network.runner(_only_size(network, size)))
    return SSDDetector(network.info.name, [one], coco.NAMES, COCO_LOGITS, thresholds)


def _ssdlite_mobilenet_v3(network: _Network, size: Size | int, thresholds: Thresholds) -> Detector:
    own = _only_size(network, size)
    one = SSDPass(network.runner(own), own, torchvision_anchors())
    return SSDDetector(network.info.name, [one], coco.NAMES, COCO_LOGITS, thresholds)


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


def _only_size(network: _Network, size: Size | int) -> Size:
    """The one input size that a network takes, which must be the size asked for."""
    wanted = (size, size) if isinstance(size, int) else size
    own = network.info.input_size
    if wanted != own:
        raise SepcamError(
            f"{network.info.name} takes {own[1]}x{own[0]} pictures only, not {wanted[1]}x{wanted[0]}"
        )
    return own


def _segmenter(network: _Network, max_people: int, masks: bool | None) -> PoseEstimator:
    del masks  # It has no other form.
    return RegionSegmenter(network.runner((CROP, CROP), max_batch=max_people), name=network.info.name)


def _rtmpose(network: _Network, max_people: int, masks: bool | None) -> PoseEstimator:
    del masks  # It has none.
    size = network.info.input_size
    return SimCCPose(network.runner(size, max_batch=max_people), size, name=network.info.name)


_DETECTORS: Mapping[str, Callable[[_Network, Size | int, Thresholds], Detector]] = MappingProxyType(
    {
        "ssdlite-person": _ssdlite_person,
        "yolox-nano": _yolox,
        "ssd-mobilenet-v1-coco": _ssd_mobilenet_v1,
        "ssdlite320-mobilenet-v3-large": _ssdlite_mobilenet_v3,
    }
)
_THRESHOLDS: Mapping[str, Thresholds] = MappingProxyType(
    {
        "ssdlite-person": SSD_THRESHOLDS,
        "yolox-nano": YOLOX_THRESHOLDS,
        "ssd-mobilenet-v1-coco": SSD_COCO_THRESHOLDS,
        "ssdlite320-mobilenet-v3-large": TORCHVISION_THRESHOLDS,
    }
)
_POSES: Mapping[str, Callable[[_Network, int, bool | None], PoseEstimator]] = MappingProxyType(
    {
        "blazepose-lite": _blazepose,
        "blazepose-full": _blazepose,
        "blazepose-heavy": _blazepose,
        "rtmpose-t": _rtmpose,
        "selfie-segmentation": _segmenter,
    }
)
