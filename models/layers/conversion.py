"""Separable and standard: the one place that turns a network's convolutions from one form into the other."""

import copy
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from ..types import ConvKind
from .conv import DepthwiseSeparable

CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED_CONVS = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def as_kind(module: nn.Module, kind: ConvKind) -> nn.Module:
    """The network with the asked-for kind of convolutions: itself, or what `to_standard` makes of it.

    Raises:
        ValueError: If ``kind`` is neither "separable" nor "standard".
    """
    if kind not in ("separable", "standard"):
        raise ValueError(f"kind must be 'separable' or 'standard'; got {kind!r}")
    return module if kind == "separable" else to_standard(module)


def to_standard(module: nn.Module) -> nn.Module:
    """A copy of any network, its depthwise convolutions made full ones that compute the same function.

    A depthwise kernel becomes the diagonal of a full one (groups = 1, zeros elsewhere), whatever its padding,
    dilation, padding mode, channel multiplier or number of dimensions, transposed ones too. Outputs agree to
    rounding; only the cost differs. Convolutions called as functions, not held as modules, stay as they are.

    Raises:
        ValueError: If a depthwise convolution's weight is recomputed by a hook (old-style weight norm).
    """
    standard = copy.deepcopy(module)
    for name, layer in standard.named_modules():
        if is_depthwise(layer):
            _fill_diagonal(name, layer)
    return standard


def is_depthwise(layer: nn.Module) -> bool:
    """Whether it is a convolution that filters each of its several input channels by itself."""
    return isinstance(layer, CONVS + TRANSPOSED_CONVS) and layer.groups == layer.in_channels > 1


@torch.no_grad()
def _fill_diagonal(name: str, layer: Any) -> None:  # noqa: ANN401 - any of six classes with the same fields
    if parametrize.is_parametrized(layer, "weight"):
        _bake_parametrizations(layer)
    if "weight" not in layer._parameters:
        raise ValueError(f"the weight of {name} is made by a hook: remove its weight norm first")
    kernel = layer.weight
    inputs, outputs = layer.in_channels, layer.out_channels
    output = torch.arange(outputs, device=kernel.device)
    source = output // (outputs // inputs)  # the input channel that each output channel reads
    if isinstance(layer, TRANSPOSED_CONVS):
        full = kernel.new_zeros(inputs, outputs, *kernel.shape[2:])
        full[source, output] = kernel.flatten(0, 1)
    else:
        full = kernel.new_zeros(outputs, inputs, *kernel.shape[2:])
        full[output, source] = kernel[:, 0]
    layer.weight = nn.Parameter(full, requires_grad=kernel.requires_grad)
    layer.groups = 1


def _bake_parametrizations(layer: Any) -> None:  # noqa: ANN401
    values = {name: getattr(layer, name).detach() for name in layer.parametrizations}
    # parametrize's own removal deletes properties of a class that the copy shares with the original.
    layer.__class__ = layer.__class__.__bases__[0]
    del layer.parametrizations
    for name, value in values.items():
        layer.register_parameter(name, nn.Parameter(value))


def paper_baseline(module: nn.Module) -> nn.Module:
    """The MobileNet paper's baseline: one k x k convolution in place of each depthwise + pointwise pair.

    A copy in which every `DepthwiseSeparable` is such a convolution with the pointwise one's activation. It
    is another function with untrained weights: good for timing and counting, its predictions mean nothing.
    """
    if isinstance(module, DepthwiseSeparable):
        return _baseline(module)
    baseline = copy.deepcopy(module)
    for parent in list(baseline.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, DepthwiseSeparable):
                setattr(parent, name, _baseline(child))
    return baseline


def _baseline(pair: DepthwiseSeparable) -> nn.Module:
    depthwise, pointwise = pair.depthwise.conv, pair.pointwise.conv
    conv = type(depthwise)(
        depthwise.in_channels,
        pointwise.out_channels,
        depthwise.kernel_size,  # pyright: ignore[reportArgumentType] - a pair, as Conv2d stores it
        depthwise.stride,  # pyright: ignore[reportArgumentType]
        depthwise.padding,  # pyright: ignore[reportArgumentType]
        device=depthwise.weight.device,
        dtype=depthwise.weight.dtype,
    )
    return nn.Sequential(conv, copy.deepcopy(pair.pointwise.act))
