"""A network layer by layer: its multiply-adds, its parameters, and the memory that it has to move."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from ..layers.conversion import CONVS, TRANSPOSED_CONVS, is_depthwise

LayerKind = Literal["depthwise", "pointwise", "standard", "grouped", "linear"]
"""``standard`` is a full convolution with a kernel larger than one pixel."""

COUNTED = (*CONVS, *TRANSPOSED_CONVS, nn.Linear)
"""The layers whose multiply-adds are counted; those of all others are few."""

_LOOK_AHEAD = 3  # a squeeze-and-excitation block puts two 1 x 1 layers between a pair


@dataclass(frozen=True, slots=True)
class Layer:
    """One convolution or linear layer, and what one pass through it takes.

    Attributes:
        name: its path in the network, as ``named_modules`` names it.
        kind: what sort of layer.
        kernel: side of the kernel in pixels (the longer one), 1 for a linear layer.
        inputs: channels in.
        outputs: channels out.
        out_shape: of its output without the batch: (C, H, W), or (features,).
        macs: multiply-adds.
        params: weights and biases.
        moved: values read and written: its input, its parameters and its output.
    """

    name: str
    kind: LayerKind
    kernel: int
    inputs: int
    outputs: int
    out_shape: tuple[int, ...]
    macs: int
    params: int
    moved: int

    def intensity(self, bytes_per_value: int) -> float:
        """Multiply-adds per byte moved: low ones wait for memory, high ones for arithmetic."""
        return self.macs / (self.moved * bytes_per_value)


@dataclass(frozen=True, slots=True)
class Profile:
    """What one pass of a network takes.

    Attributes:
        layers: in the order in which they run; one that runs more than once has its passes added up.
        params: parameters of the whole network, normalization layers included.
        activations: most values of any layer's input and output together, which is the least that has to be
            in memory at once.
    """

    layers: Sequence[Layer]
    params: int
    activations: int

    @property
    def macs(self) -> int:
        """Multiply-adds of all layers."""
        return sum(layer.macs for layer in self.layers)


@dataclass(frozen=True, slots=True)
class Pair:
    """A depthwise convolution and the pointwise one after it: the two halves of a separable convolution."""

    depthwise: Layer
    pointwise: Layer

    @property
    def paper_ratio(self) -> float:
        """How many times more multiply-adds one k x k convolution in place of both needs.

        The MobileNet paper's 1 / (1 / N + 1 / k^2), for N channels out.
        """
        return 1 / (1 / self.pointwise.outputs + 1 / self.depthwise.kernel**2)

    @property
    def standard_ratio(self) -> float:
        """How many times more multiply-adds the pair needs where its depthwise half is a full convolution."""
        area, inputs, outputs = self.depthwise.kernel**2, self.depthwise.outputs, self.pointwise.outputs
        return (area * inputs + outputs) / (area + outputs)


@torch.no_grad()
def profile(module: nn.Module, input_shape: tuple[int, ...], *, dtype: torch.dtype = torch.uint8) -> Profile:
    """What one pass over an input takes, layer by layer; nothing is computed.

    Args:
        module: any network whose convolutions and linear layers are modules. One that was built under
            ``torch.device("meta")`` takes no memory.
        input_shape: e.g. (1, 300, 300, 3) for the networks here.
        dtype: of the input; the networks here take uint8.
    """
    probe = copy.deepcopy(module).to("meta").eval()
    found: dict[str, Layer] = {}
    activations = 0

    def add(name: str, layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal activations
        activations = max(activations, inputs[0].numel() + output.numel())
        here = _layer(name, layer, inputs[0], output)
        found[name] = _joined(found[name], here) if name in found else here

    for name, layer in probe.named_modules():
        if isinstance(layer, COUNTED):
            layer.register_forward_hook(lambda *call, name=name: add(name, *call))
    probe(torch.empty(input_shape, dtype=dtype, device="meta"))
    return Profile(list(found.values()), sum(p.numel() for p in module.parameters()), activations)


def pairs(layers: Sequence[Layer]) -> list[Pair]:
    """The depthwise-separable convolutions among the layers of a network."""
    found = []
    for place, layer in enumerate(layers):
        if layer.kind != "depthwise":
            continue
        for following in layers[place + 1 : place + 1 + _LOOK_AHEAD]:
            if (
                following.kind == "pointwise"
                and following.inputs == layer.outputs
                and following.out_shape[1:] == layer.out_shape[1:]
            ):
                found.append(Pair(layer, following))
                break
    return found


def _layer(name: str, layer: Any, x: torch.Tensor, y: torch.Tensor) -> Layer:  # noqa: ANN401 - any of COUNTED
    params = sum(p.numel() for p in layer.parameters())
    if isinstance(layer, nn.Linear):
        kernel, inputs, outputs = 1, layer.in_features, layer.out_features
    else:
        kernel, inputs, outputs = max(layer.kernel_size), layer.in_channels, layer.out_channels
    return Layer(
        name,
        _kind(layer),
        kernel,
        inputs,
        outputs,
        tuple(y.shape[1:]),
        _multiply_adds(layer, x, y),
        params,
        x.numel() + params + y.numel(),
    )


def _kind(layer: Any) -> LayerKind:  # noqa: ANN401
    if isinstance(layer, nn.Linear):
        return "linear"
    if is_depthwise(layer):
        return "depthwise"
    if layer.groups > 1:
        return "grouped"
    return "pointwise" if max(layer.kernel_size) == 1 else "standard"


def _joined(one: Layer, other: Layer) -> Layer:
    return Layer(
        one.name,
        one.kind,
        one.kernel,
        one.inputs,
        one.outputs,
        one.out_shape,
        one.macs + other.macs,
        one.params,
        one.moved + other.moved,
    )


def _multiply_adds(layer: nn.Module, x: torch.Tensor, y: torch.Tensor) -> int:
    """Multiply-adds of one of the ``COUNTED`` layers that makes y of x."""
    weight: torch.Tensor = layer.weight  # pyright: ignore[reportAssignmentType]
    if isinstance(layer, nn.Linear):
        return weight.numel() * (y.numel() // y.shape[-1])
    # Each kernel is applied once per output position, or per input position when transposed.
    at = x if isinstance(layer, TRANSPOSED_CONVS) else y
    return weight.numel() * at.shape[0] * math.prod(at.shape[2:])
