"""The forms in which networks are compared: as trained, the standard equivalent, the paper's baseline."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from ..errors import SepcamError
from ..registry import find
from ..runtime.compile import compile_network
from ..runtime.options import Runner, RuntimeOptions
from ..weights.store import Progress, WeightStore, silent

if TYPE_CHECKING:
    from torch import nn

Variant = Literal["separable", "standard", "baseline"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)


@dataclass(frozen=True, slots=True)
class Subject:
    """A network that is compared by itself.

    Attributes:
        name: what users call it.
        size: (height, width) of its input in pixels.
        variants: the forms that it has.
        build: makes it, as it is, weights loaded.
        weights: SHA-256 of its weights, or None where they are random.
        key: names it in the cache of converted networks, or None where it is not kept.
        cache_dir: root of that cache.
    """

    name: str
    size: tuple[int, int]
    variants: tuple[Variant, ...]
    build: "Callable[[], nn.Module]"
    weights: str | None = None
    key: str | None = None
    cache_dir: Path | None = None

    def module(self, variant: Variant) -> "nn.Module":
        """The network in one of its forms."""
        from ..layers.conversion import paper_baseline, to_standard

        network = self.build()
        if variant == "separable":
            return network
        return to_standard(network) if variant == "standard" else paper_baseline(network)

    def runner(self, variant: Variant, options: RuntimeOptions) -> Runner:
        """One of its forms, compiled for single images."""
        key = self.key and f"{self.name}-{variant}-{self.key}"
        return compile_network(
            lambda: self.module(variant), self.size, options, key=key, cache_dir=self.cache_dir
        )


def registered(name: str, store: WeightStore, progress: Progress = silent) -> Subject:
    """A network of the registry, with its weights.

    Raises:
        SepcamError: If there is none of that name, or its weights are unavailable.
    """
    info = find(name, store.registry)
    digest = store.digest(name, progress)

    def build() -> "nn.Module":
        network = info.build()
        network.load_state_dict(store.load(name))
        return network.eval()

    return Subject(
        name,
        info.input_size,
        _variants(info.build),
        build,
        weights=digest,
        key=digest[:16],  # the same copy on disk as the pipeline's
        cache_dir=store.root,
    )


def external(spec: str, size: tuple[int, int], *, seed: int = 0) -> Subject:
    """Any other network, with random weights; see ``external.builder``.

    Raises:
        SepcamError: If there is none, or it has no depthwise convolutions.
    """
    from ..layers.conversion import is_depthwise
    from .external import builder

    build = builder(spec, seed=seed)
    if not any(map(is_depthwise, _shape(build).modules())):
        raise SepcamError(f"{spec} has no depthwise convolutions: both of its forms are the same network")
    return Subject(spec, size, _variants(build), build)


def paper_network() -> Subject:
    """MobileNetV1 at 224 x 224, of which the paper's table 4 tells the cost in both forms."""

    def build() -> "nn.Module":
        import torch

        from ..networks.mobilenet import MobileNetV1

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # each form is made from a network built again
            return MobileNetV1().eval()

    return Subject("mobilenet-v1", (224, 224), VARIANTS, build)


def _variants(build: "Callable[[], nn.Module]") -> tuple[Variant, ...]:
    """The baseline needs the blocks of this package: only there is it known which layers are a pair."""
    from ..layers.conv import DepthwiseSeparable

    has_pairs = any(isinstance(layer, DepthwiseSeparable) for layer in _shape(build).modules())
    return VARIANTS if has_pairs else VARIANTS[:2]


def _shape(build: "Callable[[], nn.Module]") -> "nn.Module":
    """A network without memory for its weights."""
    import torch

    with torch.device("meta"):
        return build()
