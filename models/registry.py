"""The networks that Sepcam knows, by name. Each is registered by the module that reads its outputs.

Nothing here imports torch: the networks themselves are imported when they are built.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from .detectors.ssd import SSD_MOBILENET_V1_COCO, SSDLITE320_MOBILENET_V3_LARGE, SSDLITE_PERSON
from .detectors.yolox import YOLOX_NANO
from .errors import SepcamError
from .people.specs import PEOPLE, PEOPLE_ACCURATE, PEOPLE_PHOTO
from .pose.blazepose import BLAZEPOSE_FULL, BLAZEPOSE_HEAVY, BLAZEPOSE_LITE
from .pose.movenet import MOVENET_LIGHTNING, MOVENET_THUNDER
from .pose.segmentation import SELFIE_SEGMENTATION
from .pose.simcc import RTMPOSE_T
from .sources import FileSource
from .spec import DetectorSpec, ModelSpec
from .trained import SUFFIX, read_trained
from .types import ALL_PARTS

_MODELS = (
    PEOPLE,
    PEOPLE_PHOTO,
    PEOPLE_ACCURATE,
    SSDLITE_PERSON,
    YOLOX_NANO,
    SSD_MOBILENET_V1_COCO,
    SSDLITE320_MOBILENET_V3_LARGE,
    MOVENET_LIGHTNING,
    MOVENET_THUNDER,
    BLAZEPOSE_LITE,
    BLAZEPOSE_FULL,
    BLAZEPOSE_HEAVY,
    RTMPOSE_T,
    SELFIE_SEGMENTATION,
)

REGISTRY: Mapping[str, ModelSpec] = MappingProxyType({model.name: model for model in _MODELS})


def known(name: str, registry: Mapping[str, ModelSpec] = REGISTRY) -> bool:
    """Whether `find` takes a name: that of a network, or of a file that ``sepcam train`` has written."""
    return name in registry or name.endswith(SUFFIX)


def find(name: str, registry: Mapping[str, ModelSpec] = REGISTRY) -> ModelSpec:
    """The network of that name.

    Args:
        name: of a network; ``FILE.safetensors``, what ``sepcam train`` has written; or ``NAME:FILE``, the
            same used like that network.
        registry: the networks.

    Raises:
        SepcamError: If there is none, or the file is not one.
    """
    if name in registry:
        return registry[name]
    if not name.endswith(SUFFIX):
        raise SepcamError(f"unknown model {name!r}: choose from {', '.join(registry)}, or give FILE{SUFFIX}")
    base, file = _parts(name, registry)
    spec, path = registry[base], Path(file)
    trained = read_trained(path)
    if trained.network not in registry or registry[trained.network].build is not spec.build:
        raise SepcamError(f"{path} is a version of {trained.network}, which cannot be used as {base}")
    return replace(
        spec,
        name=name,
        trained_on=f"{spec.trained_on}; then see its card",
        figures=f"a trained version of {spec.name}",
        sources=(FileSource(path),),
        sha256=trained.sha256,
    )


def base_of(name: str) -> str:
    """The network in the registry that a name stands for: itself, or what the file is a version of.

    Raises:
        SepcamError: If the file is not one of ``sepcam train``.
    """
    return _parts(name, REGISTRY)[0] if name.endswith(SUFFIX) else name


def find_detector(name: str) -> DetectorSpec | None:
    """What is known of a detector by its name; None for one that is not in the registry, e.g. a plugin's."""
    try:
        return find(name).detector if known(name) else None
    except SepcamError:  # a file that is gone
        return None


def _parts(name: str, registry: Mapping[str, ModelSpec]) -> tuple[str, str]:
    """The network and the file of ``FILE`` or ``NAME:FILE``."""
    base, colon, file = name.partition(":")
    if colon and base in registry:
        return base, file
    network = read_trained(Path(name)).network
    if network not in registry:
        raise SepcamError(f"{name} is a version of {network}, which this version of Sepcam does not know")
    return network, name


def networks_of(detector: str, pose: str) -> tuple[str, ...]:
    """The names of the networks that find boxes, keypoints and masks together: one, or two."""
    spec = find_detector(detector)
    return (detector,) if spec is not None and spec.parts == ALL_PARTS else (detector, pose)


def different() -> list[str]:
    """One name of each network: some are registered in several ways."""
    names = {}
    for model in REGISTRY.values():
        names.setdefault(model.build, model.name)
    return list(names.values())


def larger_inputs() -> dict[str, int]:
    """The longer side in pixels of an input that shows small people, of each detector that takes one."""
    specs = ((name, spec.detector) for name, spec in REGISTRY.items())
    return {name: spec.larger_input for name, spec in specs if spec is not None and spec.larger_input}
