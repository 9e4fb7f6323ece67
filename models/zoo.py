"""Names to ready networks: weights loaded, convolutions of the wanted kind, compiled for this machine.

Where a converted copy of a network is on disk, loading it imports neither torch nor the network's module.
"""

import logging
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from . import plugins
from .detectors import ultralytics as ultralytics_adapter
from .errors import SepcamError
from .pose import mediapipe as mediapipe_pose
from .registry import base_of, find, known
from .runtime.compile import compile_network
from .runtime.options import Compiler, RuntimeOptions
from .spec import LoadedNetwork, Size
from .trained import SUFFIX
from .types import ALL_PARTS, DEFAULT_POSE, ConvKind, Detector, Part, PoseEstimator
from .weights import official
from .weights.store import Progress, WeightStore, silent

_LOG = logging.getLogger(__name__)

PEOPLE_DETECTOR = "people"
PHOTO_DETECTOR = "people-photo"
CLASSES_DETECTOR = "yolox-nano"


def choose_detector(classes: Collection[str] | None = None, *, photographs: bool = False) -> str:
    """The name of the detector that ``auto`` means; the same on every machine.

    Args:
        classes: names of the classes to report, None for whatever the detector knows.
        photographs: whether the images stand alone, which leaves time for a closer look at each.
    """
    if classes is not None and not set(classes) <= {"person"}:
        return CLASSES_DETECTOR
    return PHOTO_DETECTOR if photographs else PEOPLE_DETECTOR


def for_photographs(detector: str) -> str:
    """The same detector with a closer look at each image, for a file of ``sepcam train``; else itself.

    Raises:
        SepcamError: If the file is not one.
    """
    plain = detector.endswith(SUFFIX) and not detector.startswith(f"{PHOTO_DETECTOR}:")
    if plain and base_of(detector) == PEOPLE_DETECTOR:
        return f"{PHOTO_DETECTOR}:{detector.removeprefix(f'{PEOPLE_DETECTOR}:')}"
    return detector


def load_detector(
    name: str = "auto",
    *,
    backbone: ConvKind = "separable",
    options: RuntimeOptions | None = None,
    store: WeightStore | None = None,
    input_size: Size | int | None = None,
    score_floor: float | None = None,
    parts: frozenset[Part] = ALL_PARTS,
    weights_file: Path | None = None,
    progress: Progress = silent,
    compiler: Compiler = compile_network,
) -> Detector:
    """A detector that is ready to run.

    Args:
        name: in the registry; ``auto``, see ``choose_detector``; a file of ``sepcam train``, see
            `registry.find`; ``yolo:FILE.pt``, a model of Ultralytics; or a plugin's, see `plugins`, to which
            the other arguments do not apply.
        backbone: kind of its convolutions; the detections are the same.
        options: what runs it; None is automatic.
        store: where weights are kept; None is the user's cache.
        input_size: (height, width) in pixels in place of its own, or the longer side alone: the shorter one
            then follows each image's shape. ``yolox-nano`` takes multiples of 32; ``ssdlite-person`` takes
            300 plus multiples of 32 and then looks at both sizes.
        score_floor: the lowest score to return, in (0, 1), in place of its own. Average precision needs a
            lower one than everything else.
        parts: which of keypoints and masks are wanted of a network that finds them along with boxes.
        weights_file: take the weights from this file, and leave the cache as it is.
        progress: called while weights are downloaded.
        compiler: what prepares the networks to run.

    Raises:
        SepcamError: If the name or a size does not fit, weights are unavailable, or the machine lacks what
            the options ask for.
    """
    store = store or WeightStore()
    if name == "auto":
        if weights_file is not None:
            raise SepcamError(f"{weights_file}: name the detector whose weights these are")
        name = choose_detector()
    if name.startswith(ultralytics_adapter.PREFIX):
        file = Path(name.removeprefix(ultralytics_adapter.PREFIX))
        return ultralytics_adapter.UltralyticsDetector(
            file,
            backbone=backbone,
            options=options,
            input_size=(input_size, input_size) if isinstance(input_size, int) else input_size,
            notice=store.notice,
        )
    plugin = None if known(name, store.registry) else plugins.load(name, "sepcam.detectors", Detector)
    if plugin is not None:
        return plugin
    network = _load(name, "detect", backbone, options, store, weights_file, progress, compiler)
    spec = network.spec.detector
    assert spec is not None  # as `_load` checked
    thresholds = spec.thresholds
    if score_floor is not None:
        thresholds = replace(thresholds, score_floor=score_floor)
    assistant = None
    if spec.assistant is not None:
        helper, longest = spec.assistant
        try:
            if not store.is_cached(helper) and (why := store.refusal(helper)) is not None:
                raise SepcamError(f"{why}; 'sepcam models fetch {helper}' tries again")
            assistant = load_detector(
                helper,
                backbone=backbone,
                options=options,
                store=store,
                input_size=longest,
                progress=progress,
                compiler=compiler,
            )
        except SepcamError as error:
            store.notice(f"{name}: without the boxes of {helper}, which is unavailable ({error})")
    network = replace(network, parts=parts, assistant=assistant)
    return spec.make(network, input_size or network.spec.input_size, thresholds)


def load_pose(
    name: str = DEFAULT_POSE,
    *,
    backbone: ConvKind = "separable",
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
        progress: is called as downloads advance.
        compiler: what prepares the networks to run.

    Raises:
        SepcamError: See ``load_detector``.
    """
    store = store or WeightStore()
    if name.startswith(mediapipe_pose.PREFIX):
        return mediapipe_pose.MediaPipePose(Path(name.removeprefix(mediapipe_pose.PREFIX)))
    plugin = None if known(name, store.registry) else plugins.load(name, "sepcam.poses", PoseEstimator)
    if plugin is not None:
        return plugin
    network = _load(name, "pose", backbone, options, store, weights_file, progress, compiler)
    assert network.spec.pose is not None  # as `_load` checked
    return network.spec.pose(network, max_people, masks)


def _load(
    name: str,
    ability: Literal["detect", "pose"],
    backbone: ConvKind,
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
    if not known(name, store.registry):
        names = [*able, *plugins.installed("sepcam.detectors" if ability == "detect" else "sepcam.poses")]
        raise SepcamError(f"unknown model {name!r}: choose from {', '.join(names)}")
    spec = find(name, store.registry)
    if (spec.detector if ability == "detect" else spec.pose) is None:
        raise SepcamError(f"{name} does not {ability}: choose from {', '.join(able)}")
    if weights_file is None:
        digest, load = store.digest(name, progress), partial(store.load, name, progress)
    elif weights_file.is_file():
        digest = official.digest(spec, weights_file)
        load = partial(store.read, name, weights_file)
    else:
        raise SepcamError(f"{weights_file} is not a file: it should hold the weights of {name}")
    return LoadedNetwork(spec, backbone, options or RuntimeOptions(), store.root, digest, load, compiler)
