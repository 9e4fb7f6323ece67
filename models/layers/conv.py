"""Convolution blocks, and the one place that knows separable from standard convolutions.

A depthwise-separable convolution (Howard et al. 2017, "MobileNets", https://arxiv.org/abs/1704.04861) filters
each channel by itself (depthwise, k x k) and then mixes channels (pointwise, 1 x 1). It needs
1 / out_channels + 1 / k^2 of the multiply-adds of a standard k x k convolution: 8 to 9 times fewer at k = 3.
"""

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F

Activation = Callable[[], nn.Module]
Padding = Literal["same", "symmetric"]


class Normalize(nn.Module):
    """Turns a batch of images into what a network was trained on; compiled into the graph with it.

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
        """Images to network input."""
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
        # As plain numbers: an exported graph then has constants here, which hold for all even sizes.
        top, bottom = self._pad(int(input.shape[2]), 0)
        left, right = self._pad(int(input.shape[3]), 1)
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


def conv_silu(inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> ConvAct:
    """The convolution of YOLOX and CSPNeXt: symmetric padding, SiLU."""
    return ConvAct(inputs, outputs, kernel, stride, act=nn.SiLU, padding="symmetric")


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
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        *,
        expansion: int = 6,
    ) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = ConvAct(inputs, wide) if expansion > 1 else nn.Identity()
        self.separable = DepthwiseSeparable(wide, outputs, kernel, stride, last_act=nn.Identity)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, inputs, H, W) to (B, outputs, ceil(H / stride), ceil(W / stride))."""
        return self.reduce(self.expand(x), x)

    def reduce(self, wide: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """The block's output from its widened input, for networks that tap the widened one."""
        y = self.separable(wide)
        return x + y if self.residual else y
