"""The networks that Sepcam knows, by name. Each is registered by the module that reads its outputs.

Nothing here imports torch: the networks themselves are imported when they are built.
"""

from collections.abc import Mapping
from types import MappingProxyType

from .detectors.ssd import SSD_MOBILENET_V1_COCO, SSDLITE320_MOBILENET_V3_LARGE, SSDLITE_PERSON
from .detectors.yolox import YOLOX_NANO
from .errors import SepcamError
from .people.specs import PEOPLE, PEOPLE_ACCURATE, PEOPLE_PHOTO
from .pose.blazepose import BLAZEPOSE_FULL, BLAZEPOSE_HEAVY, BLAZEPOSE_LITE
from .pose.movenet import MOVENET_LIGHTNING, MOVENET_THUNDER
from .pose.segmentation import SELFIE_SEGMENTATION
from .pose.simcc import RTMPOSE_T
from .spec import DetectorSpec, ModelSpec
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


def find(name: str, registry: Mapping[str, ModelSpec] = REGISTRY) -> ModelSpec:
    """The network of that name.

    Raises:
        SepcamError: If there is none.
    """
    if name not in registry:
        raise SepcamError(f"unknown model {name!r}: choose from {', '.join(registry)}")
    return registry[name]


def find_detector(name: str) -> DetectorSpec | None:
    """What is known of a detector by its name; None for one that is not in the registry, e.g. a plugin's."""
    spec = REGISTRY.get(name)
    return None if spec is None else spec.detector


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
