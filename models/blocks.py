"""Convolution blocks, and the one place that knows separable from standard convolutions.

A depthwise-separable convolution (Howard et al. 2017, "MobileNets", https://arxiv.org/abs/1704.04861) filters
each channel by itself (depthwise, k x k) and then mixes channels (pointwise, 1 x 1). It needs
1 / out_channels + 1 / k^2 of the multiply-adds of a standard k x k convolution: 8 to 9 times fewer at k = 3.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from .types import ConvKind

Activation = Callable[[], nn.Module]
Padding = Literal["same", "symmetric"]


class Normalize(nn.Module):
    """Turns a batch of pictures into what a network was trained on; compiled into the graph with it.

    Maps uint8 (B, H, W, 3) BGR to float32 (B, 3, H, W), ``value * scale + shift``.

    Args:
        scale: multiplies the values 0..255.
        shift: is added afterwards.
        rgb: swaps the channels to RGB.
    """

    def __init__(self, scale: float, shift: float, *, rgb: bool) -> None:
        super().__init__()
        self.scale, self.shift, self.rgb = scale, shift, rgb

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Pictures to network input."""
        x = images.float()
        as_it_is = (self.scale, self.shift) == (1.0, 0.0)
        # The ReLU changes nothing. Without something there, OpenVINO turns the axes before it makes floats of
        # the bytes, and back again after it.
        x = F.relu(x) if as_it_is else x * self.scale + self.shift
        x = x.permute(0, 3, 1, 2)  # channels-last in memory, which convolutions like
        return x.flip(1) if self.rgb else x


class Conv2dSame(nn.Conv2d):
    """A convolution padded by TensorFlow's 'SAME' rule: ceil(size / stride) outputs, the odd pixel after.

    PyTorch's symmetric padding shifts every output of a stride-2 layer by a pixel against it.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """(B, inputs, H, W) to (B, outputs, ceil(H / stride), ceil(W / stride))."""
        top, bottom = self._pad(input.shape[2], 0)
        left, right = self._pad(input.shape[3], 1)
        if top == bottom and left == right:
            padding = (top, left)
        else:
            input, padding = F.pad(input, (left, right, top, bottom)), (0, 0)
        return F.conv2d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _pad(self, size: int, axis: int) -> tuple[int, int]:
        stride, reach = self.stride[axis], (self.kernel_size[axis] - 1) * self.dilation[axis] + 1
        total = max((math.ceil(size / stride) - 1) * stride + reach - size, 0)
        return total // 2, total - total // 2


class ConvAct(nn.Module):
    """A convolution with bias (its batch norm is folded in) and an activation.

    Args:
        inputs: channels in.
        outputs: channels out.
        kernel: side of the kernel.
        stride: step.
        groups: 1, or ``inputs`` for a depthwise convolution.
        act: makes the activation; ``nn.Identity`` for none.
        padding: "same" is TensorFlow's rule, "symmetric" is kernel // 2 on every side.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        stride: int = 1,
        *,
        groups: int = 1,
        act: Activation = nn.ReLU6,
        padding: Padding = "same",
    ) -> None:
        super().__init__()
        if padding == "same":
            self.conv: nn.Conv2d = Conv2dSame(inputs, outputs, kernel, stride, groups=groups)
        else:
            self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups)
        self.act = act()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Convolution, then activation."""
        return self.act(self.conv(x))


class DepthwiseSeparable(nn.Module):
    """A depthwise convolution and the pointwise one that follows it, each with its activation.

    Args:
        inputs: channels in.
        outputs: channels out.
        kernel: side of the depthwise kernel.
        stride: step of the depthwise convolution.
        act: activation after the depthwise convolution.
        last_act: activation after the pointwise one; the same where it is not given.
        padding: as for `ConvAct`.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        *,
        act: Activation = nn.ReLU6,
        last_act: Activation | None = None,
        padding: Padding = "same",
    ) -> None:
        super().__init__()
        self.depthwise = ConvAct(inputs, inputs, kernel, stride, groups=inputs, act=act, padding=padding)
        self.pointwise = ConvAct(inputs, outputs, act=last_act or act, padding=padding)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Depthwise, then pointwise."""
        return self.pointwise(self.depthwise(x))


class InvertedResidual(nn.Module):
    """MobileNetV2's block: widen, filter each channel, narrow without activation, add the input if it fits.

    Source: Sandler et al. 2018, https://arxiv.org/abs/1801.04381.

    Args:
        inputs: channels in.
        outputs: channels out.
        kernel: side of the depthwise kernel.
        stride: step of the depthwise convolution.
        expansion: the depthwise convolution has ``inputs * expansion`` channels; 1 leaves the widening out.
        padding: as for `ConvAct`.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        *,
        expansion: int = 6,
        padding: Padding = "same",
    ) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = ConvAct(inputs, wide) if expansion > 1 else nn.Identity()
        self.separable = DepthwiseSeparable(
            wide, outputs, kernel, stride, last_act=nn.Identity, padding=padding
        )
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, inputs, H, W) to (B, outputs, ceil(H / stride), ceil(W / stride))."""
        return self.reduce(self.expand(x), x)

    def reduce(self, wide: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """The block's output from its widened input, for networks that tap the widened one."""
        y = self.separable(wide)
        return x + y if self.residual else y


# --- separable and standard -------------------------------------------------------------------------------

_Conv = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_ConvTranspose = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def as_kind(module: nn.Module, kind: ConvKind) -> nn.Module:
    """The network with the asked-for kind of convolutions: itself, or what `to_standard` makes of it.

    Raises:
        ValueError: If ``kind`` is neither "separable" nor "standard".
    """
    if kind not in ("separable", "standard"):
        raise ValueError(f"kind must be 'separable' or 'standard', is {kind!r}")
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
    return isinstance(layer, _Conv + _ConvTranspose) and layer.groups == layer.in_channels > 1


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
    if isinstance(layer, _ConvTranspose):
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


def paper_twin(module: nn.Module) -> nn.Module:
    """The MobileNet paper's baseline: one k x k convolution in place of each depthwise + pointwise pair.

    A copy in which every `DepthwiseSeparable` is such a convolution with the pointwise one's activation. It
    is another function with untrained weights: good for timing and counting, its predictions mean nothing.
    """
    if isinstance(module, DepthwiseSeparable):
        return _baseline(module)
    twin = copy.deepcopy(module)
    for parent in list(twin.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, DepthwiseSeparable):
                setattr(parent, name, _baseline(child))
    return twin


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


# --- cost -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cost:
    """What one pass of a network takes.

    Attributes:
        macs: multiply-adds of its convolutions and linear layers.
        params: number of its parameters.
    """

    macs: int
    params: int


COUNTED = (*_Conv, *_ConvTranspose, nn.Linear)
"""The layers whose multiply-adds are counted; those of all others are few."""


def multiply_adds(layer: nn.Module, x: torch.Tensor, y: torch.Tensor) -> int:
    """Multiply-adds of one of the ``COUNTED`` layers that makes y of x."""
    weight: torch.Tensor = layer.weight  # pyright: ignore[reportAssignmentType]
    if isinstance(layer, nn.Linear):
        return weight.numel() * (y.numel() // y.shape[-1])
    # Each kernel is applied once per output position, or per input position when transposed.
    at = x if isinstance(layer, _ConvTranspose) else y
    return weight.numel() * at.shape[0] * math.prod(at.shape[2:])


def count(module: nn.Module, input_shape: tuple[int, ...], *, dtype: torch.dtype = torch.uint8) -> Cost:
    """The cost of one pass over an input, counted layer by layer; nothing is computed.

    Args:
        module: any network whose convolutions and linear layers are modules. One that was built under
            ``torch.device("meta")`` takes no memory.
        input_shape: e.g. (1, 300, 300, 3) for the networks here.
        dtype: of the input; the networks here take uint8.
    """
    probe = copy.deepcopy(module).to("meta").eval()
    macs = 0

    def add(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal macs
        macs += multiply_adds(layer, inputs[0], output)

    for layer in probe.modules():
        if isinstance(layer, COUNTED):
            layer.register_forward_hook(add)
    with torch.no_grad():
        probe(torch.empty(input_shape, dtype=dtype, device="meta"))
    return Cost(macs, sum(p.numel() for p in module.parameters()))
