"""Networks from elsewhere: torchvision's, timm's, or a function in the user's own file."""

import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..errors import SepcamError
from ..layers.conv import Normalize

_HINT = "write torchvision:NAME, timm:NAME or FILE.py:FUNCTION"


class FromImages(nn.Module):
    """Feeds raw images to a network that takes floats, and returns its tensors as one flat tuple.

    Maps uint8 (B, H, W, 3) BGR to RGB in [0, 1], float32 (B, 3, H, W), and that to whatever the network makes
    of it. Of torchvision's detectors only the network itself runs: backbone and head, without the anchors
    and NMS around them, which have no convolutions.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.normalize = Normalize(1 / 255, 0.0, rgb=True)
        self.network = _Detector(network) if _is_detector(network) else network

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The network's float tensors in a fixed order, in float32."""
        tensors = _tensors(self.network(self.normalize(images)))
        # A cast that does nothing would take over the name of the layer before it.
        return tuple(t if t.dtype == torch.float32 else t.float() for t in tensors)


class _Detector(nn.Module):
    def __init__(self, network: Any) -> None:  # noqa: ANN401 - a torchvision detector
        super().__init__()
        self.backbone, self.head = network.backbone, network.head

    def forward(self, x: torch.Tensor) -> Mapping[str, torch.Tensor]:
        features = self.backbone(x)
        return self.head(list(features.values()) if isinstance(features, Mapping) else [features])


def builder(spec: str, *, seed: int = 0) -> Callable[[], FromImages]:
    """A function that builds a network with random weights, the same ones each time.

    Args:
        spec: ``torchvision:mobilenet_v2``, ``timm:NAME`` or ``path/to/file.py:function``, where the function
            takes nothing and returns a network that takes float (B, 3, H, W) images.
        seed: of the weights.

    Raises:
        SepcamError: If there is no such network; raised at once.
    """
    where, colon, name = spec.rpartition(":")
    if not colon or not name:
        raise SepcamError(f"--model {spec} cannot be read: {_HINT}")
    if where == "torchvision":
        make = _torchvision(name)
    elif where == "timm":
        make = _timm(name)
    elif where.endswith(".py"):
        make = _function(Path(where), name)
    else:
        raise SepcamError(f"--model {spec} cannot be read: {_HINT}")

    def build() -> FromImages:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = make()
        if not isinstance(network, nn.Module):
            raise SepcamError(f"{spec} returns a {type(network).__name__}, not a torch.nn.Module")
        return FromImages(network).eval()

    return build


def _torchvision(name: str) -> Callable[[], Any]:
    import torchvision

    known = torchvision.models.list_models()
    if name not in known:
        raise SepcamError(f"torchvision has no model {name!r}{_nearest(name, known)}")
    backbone = {"weights_backbone": None} if _takes_backbone(name) else {}
    return lambda: torchvision.models.get_model(name, weights=None, **backbone)


def _takes_backbone(name: str) -> bool:
    return bool(re.search(r"rcnn|retinanet|ssd|fcos|deeplab|fcn_|lraspp", name))


def _timm(name: str) -> Callable[[], Any]:
    if importlib.util.find_spec("timm") is None:
        raise SepcamError(f"--model timm:{name} needs timm: pip install timm")
    import timm  # pyright: ignore[reportMissingImports]

    if name not in timm.list_models():
        raise SepcamError(f"timm has no model {name!r}{_nearest(name, timm.list_models())}")
    return lambda: timm.create_model(name, pretrained=False)


def _function(path: Path, name: str) -> Callable[[], Any]:
    if not path.is_file():
        raise SepcamError(f"{path} is not a file: it should hold the function {name}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SepcamError(f"{path} cannot be run: {type(error).__name__}: {error}") from error
    make = getattr(module, name, None)
    if not callable(make):
        raise SepcamError(f"{path} has no function {name!r}")
    return make


def _nearest(name: str, known: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=3)
    return f": did you mean {' or '.join(near)}?" if near else ""


def _is_detector(network: nn.Module) -> bool:
    from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN

    parts = all(isinstance(getattr(network, part, None), nn.Module) for part in ("backbone", "head"))
    return parts and hasattr(network, "anchor_generator") and not isinstance(network, GeneralizedRCNN)


def _tensors(value: Any) -> Iterator[torch.Tensor]:  # noqa: ANN401 - whatever a network returns
    if isinstance(value, torch.Tensor):
        if value.is_floating_point():
            yield value
    elif isinstance(value, Mapping):
        for key in sorted(value):
            yield from _tensors(value[key])
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)
