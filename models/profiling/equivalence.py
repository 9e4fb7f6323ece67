"""Whether a network and its standard-convolution equivalent are the same function."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..layers.conversion import is_depthwise

LAYER_TOLERANCE = 1e-9
"""Largest relative difference of one layer's outputs in float64; rounding gives 1e-15."""

OUTPUT_TOLERANCE = 1e-3
"""Largest relative difference of a whole network's outputs in float32; rounding gives up to 1e-4."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far a network and its standard equivalent differ on random input.

    Attributes:
        same_function: whether only rounding tells them apart.
        depthwise_layers: how many convolutions were replaced.
        largest: largest difference of an output, relative to that output's largest value.
        worst_layer: the layer that differs most, where one differs by more than rounding.
    """

    same_function: bool
    depthwise_layers: int
    largest: float
    worst_layer: str | None = None


@torch.no_grad()
def verify(separable: nn.Module, standard: nn.Module, images: torch.Tensor, *, seed: int = 0) -> Verdict:
    """Compares a network with its standard equivalent: each replaced layer, then the outputs.

    A layer is fed random values in float64 over a patch a little larger than its kernel: a convolution does
    the same everywhere, so one weight that is off shows, however small its share of the outputs.

    Args:
        separable: the network as it is.
        standard: the network that should be equivalent.
        images: a batch that both take.
        seed: of the random values.
    """
    twins = dict(standard.named_modules())
    generator = torch.Generator().manual_seed(seed)
    worst, worst_error, count = None, LAYER_TOLERANCE, 0
    for name, layer in separable.named_modules():
        if is_depthwise(layer):
            count += 1
            error = _layer_error(layer, twins.get(name), generator)
            if error > worst_error:
                worst, worst_error = name, error
    largest = 0.0
    for one, other in zip(separable.eval()(images), standard.eval()(images), strict=True):
        largest = max(largest, _relative(one, other))
    return Verdict(worst is None and largest <= OUTPUT_TOLERANCE, count, largest, worst)


def _layer_error(layer: Any, twin: Any, generator: torch.Generator) -> float:  # noqa: ANN401 - convolutions
    if twin is None or layer.weight.ndim != getattr(twin, "weight", layer.weight[0]).ndim:
        return math.inf
    sides = [(k - 1) * d + 3 for k, d in zip(layer.kernel_size, layer.dilation, strict=True)]
    x = torch.randn(1, layer.in_channels, *sides, generator=generator, dtype=torch.float64)
    return _relative(_in_float64(layer, x), _in_float64(twin, x))


def _in_float64(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    # Called with other weights, so that neither the layer nor a copy of it has to change.
    weights = {name: value.double() for name, value in layer.named_parameters()}
    return torch.func.functional_call(layer, weights, (x,))


def _relative(one: torch.Tensor, other: torch.Tensor) -> float:
    if one.shape != other.shape:
        return math.inf
    if not one.numel():
        return 0.0
    error = float((one.double() - other.double()).abs().max() / one.double().abs().max().clamp_min(1e-30))
    return math.inf if math.isnan(error) else error
