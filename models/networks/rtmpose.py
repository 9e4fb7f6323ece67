"""RTMPose-t, a pose network for COCO's 17 keypoints (Jiang et al. 2023, https://arxiv.org/abs/2303.07399).

CSPNeXt-tiny as backbone; a head that gives each keypoint a token, lets the tokens attend to each other, and
classifies each one's x and y into bins of half a pixel (SimCC, Li et al. 2022, https://arxiv.org/abs/2107.03332).
What the network says is turned into keypoints by `simcc.SimCCPose`.
"""

import math

import torch
from torch import nn

from ..layers.conv import ConvAct, DepthwiseSeparable, Normalize
from ..layers.pooling import SpatialPyramid
from ..ops import coco

SIZE = (256, 192)
"""(height, width) of the input in pixels."""
BINS_PER_PIXEL = 2

_MEAN, _DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of ImageNet's R, G, B
_STRIDE = 32
_TOKEN = 256
_ATTENTION = 128
_EPSILON = 1e-5  # the least length that a token is divided by


class RTMPose(nn.Module):
    """RTMPose-t; 3.3 M parameters.

    Maps uint8 (B, 256, 192, 3) BGR to two float32 tensors: (B, 17, 384) and (B, 17, 512), how much speaks
    for each half pixel's column and row. The largest value of each is about 1 for a keypoint that is surely
    there, and near 0 for one that is not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.normalize = Normalize(1.0, 0.0, rgb=True)
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION).view(3, 1, 1), persistent=False)
        self.backbone = _CSPNeXt()
        self.head = _Head(384, len(coco.KEYPOINTS))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See the class."""
        return self.head(self.backbone((self.normalize(images) - self.mean) / self.deviation))


class _CSPNeXt(nn.Sequential):
    """CSPNeXt (Lyu et al. 2022, https://arxiv.org/abs/2212.07784), depth 1/6, width 3/8: 384 channels."""

    def __init__(self) -> None:
        super().__init__(
            _conv(3, 12, 3, 2),
            _conv(12, 12, 3),
            _conv(12, 24, 3),
            nn.Sequential(_conv(24, 48, 3, 2), _CSPLayer(48)),
            nn.Sequential(_conv(48, 96, 3, 2), _CSPLayer(96)),
            nn.Sequential(_conv(96, 192, 3, 2), _CSPLayer(192)),
            nn.Sequential(_conv(192, 384, 3, 2), SpatialPyramid(384), _CSPLayer(384, shortcut=False)),
        )


class _CSPLayer(nn.Module):
    """Cross-stage partial layer: half of the channels pass through a block, half go round, then attention."""

    def __init__(self, channels: int, *, shortcut: bool = True) -> None:
        super().__init__()
        half = channels // 2
        self.through = _conv(channels, half)
        self.around = _conv(channels, half)
        self.merge = _conv(channels, channels)
        self.mix = _conv(half, half, 3)
        self.filter = DepthwiseSeparable(half, half, 5, act=nn.SiLU, padding="symmetric")
        self.weigh = ConvAct(channels, channels, act=nn.Hardsigmoid)
        self.shortcut = shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        through = self.through(x)
        y = self.filter(self.mix(through))
        both = torch.cat([through + y if self.shortcut else y, self.around(x)], 1)
        return self.merge(both * self.weigh(both.mean((2, 3), keepdim=True)))


class _Head(nn.Module):
    """A token for each keypoint out of its map, attention between them, and the bins of each."""

    def __init__(self, channels: int, keypoints: int) -> None:
        super().__init__()
        height, width = SIZE
        cells = (height // _STRIDE) * (width // _STRIDE)
        self.maps = nn.Conv2d(channels, keypoints, 7, padding=3)
        self.flatten_norm = _ScaleNorm(cells)
        self.embed = nn.Linear(cells, _TOKEN, bias=False)
        self.attention = _GatedAttention(_TOKEN, _ATTENTION)
        self.columns = nn.Linear(_TOKEN, width * BINS_PER_PIXEL, bias=False)
        self.rows = nn.Linear(_TOKEN, height * BINS_PER_PIXEL, bias=False)

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        tokens = self.attention(self.embed(self.flatten_norm(self.maps(features).flatten(2))))
        return self.columns(tokens), self.rows(tokens)


class _GatedAttention(nn.Module):
    """Gated attention unit (Hua et al. 2022, https://arxiv.org/abs/2202.10447).

    One projection gives the gates, the values, and a base from which queries and keys differ only by a scale
    and a shift of each channel. The attention is a squared ReLU in place of a softmax.
    """

    def __init__(self, channels: int, queried: int) -> None:
        super().__init__()
        wide = 2 * channels
        self.parts = [wide, wide, queried]
        self.norm = _ScaleNorm(channels)
        self.expand = nn.Linear(channels, sum(self.parts), bias=False)
        self.scale = nn.Parameter(torch.rand(2, queried))
        self.shift = nn.Parameter(torch.rand(2, queried))
        self.reduce = nn.Linear(wide, channels, bias=False)
        self.keep = nn.Parameter(torch.ones(channels))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        expanded = nn.functional.silu(self.expand(self.norm(tokens)))
        gates, values, base = expanded.split(self.parts, 2)
        queries, keys = base * self.scale[0] + self.shift[0], base * self.scale[1] + self.shift[1]
        likeness = queries @ keys.transpose(1, 2) / math.sqrt(self.parts[2])
        attended = torch.relu(likeness).square() @ values
        return tokens * self.keep + self.reduce(gates * attended)


class _ScaleNorm(nn.Module):
    """Divides by the root mean square (Nguyen and Salazar 2019, https://arxiv.org/abs/1910.05895)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.share = 1 / math.sqrt(channels)
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        length = x.square().sum(-1, keepdim=True).sqrt() * self.share
        return x / length.clamp(min=_EPSILON) * self.gain


def _conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> ConvAct:
    return ConvAct(inputs, outputs, kernel, stride, act=nn.SiLU, padding="symmetric")
