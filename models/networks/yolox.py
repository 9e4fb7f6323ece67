"""YOLOX-nano, an anchor-free detector of COCO's 80 classes (Ge et al. 2021, https://arxiv.org/abs/2107.08430).

Modules are defined in the order of the official ONNX export's graph, so that `importers.load_convs` can fill
them. What the network says is turned into boxes by `detectors.YOLOXDetector`.
"""

import torch
from torch import nn
from torch.nn import functional as F

from ..layers.conv import DepthwiseSeparable, Normalize, conv_silu
from ..layers.pooling import SpatialPyramid


class YOLOXNano(nn.Module):
    """YOLOX at depth 0.33 and width 0.25, with depthwise-separable convolutions; 0.91 M parameters.

    Maps uint8 (B, H, W, 3) BGR, H and W multiples of 32, letterboxed with 114, to one float32 tensor
    (B, N, 85): per cell of the grids at strides 8, 16 and 32, row by row: x, y (offset from the cell's corner
    in strides), log w, log h (in strides), the objectness logit and 80 class logits.
    """

    def __init__(self, classes: int = 80) -> None:
        super().__init__()
        self.normalize = Normalize(1.0, 0.0, rgb=False)
        self.backbone = _CSPDarknet()
        self.neck = _PAFPN()
        self.heads = nn.ModuleList(_Head(channels, classes) for channels in (64, 128, 256))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor]:
        """Raw predictions of every cell."""
        maps = self.neck(*self.backbone(self.normalize(images)))
        return (torch.cat([head(x) for head, x in zip(self.heads, maps, strict=True)], 1),)


class _CSPDarknet(nn.Module):
    """The backbone: features at strides 8, 16 and 32 with 64, 128 and 256 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_silu(12, 16, 3)
        self.stem.conv = _FocusConv(12, 16, 3)
        self.stage2 = nn.Sequential(_separable(16, 32, 2), _CSPLayer(32, 32, 1))
        self.stage3 = nn.Sequential(_separable(32, 64, 2), _CSPLayer(64, 64, 3))
        self.stage4 = nn.Sequential(_separable(64, 128, 2), _CSPLayer(128, 128, 3))
        self.stage5 = nn.Sequential(
            _separable(128, 256, 2), SpatialPyramid(256), _CSPLayer(256, 256, 1, shortcut=False)
        )

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        stride8 = self.stage3(self.stage2(self.stem(x)))
        stride16 = self.stage4(stride8)
        return stride8, stride16, self.stage5(stride16)


class _FocusConv(nn.Conv2d):
    """Each 2 x 2 patch becomes one pixel with four times the channels (Focus), then a convolution of those.

    Kept as the paper has it, weights (outputs, 4 * C, 3, 3), and computed as what it is: one 6 x 6
    convolution of stride 2 of the C channels. That spares a quarter of the network's time in OpenVINO.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) to (B, outputs, H / 2, W / 2)."""
        # Focus takes the patch's pixels column by column: top left, bottom left, top right, bottom right.
        taps = self.weight.unflatten(1, (2, 2, -1)).permute(0, 3, 4, 2, 5, 1)
        return F.conv2d(input, taps.flatten(4).flatten(2, 3), self.bias, stride=2, padding=2)


class _PAFPN(nn.Module):
    """The neck: coarse features flow down to the fine ones, then fine ones up again."""

    def __init__(self) -> None:
        super().__init__()
        self.lateral16 = conv_silu(256, 128)
        self.down16 = _CSPLayer(256, 128, 1, shortcut=False)
        self.lateral8 = conv_silu(128, 64)
        self.down8 = _CSPLayer(128, 64, 1, shortcut=False)
        self.stride16 = _separable(64, 64, 2)
        self.up16 = _CSPLayer(128, 128, 1, shortcut=False)
        self.stride32 = _separable(128, 128, 2)
        self.up32 = _CSPLayer(256, 256, 1, shortcut=False)

    def forward(
        self, x8: torch.Tensor, x16: torch.Tensor, x32: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        lateral16 = self.lateral16(x32)
        fused16 = self.down16(torch.cat([_double(lateral16), x16], 1))
        lateral8 = self.lateral8(fused16)
        out8 = self.down8(torch.cat([_double(lateral8), x8], 1))
        out16 = self.up16(torch.cat([self.stride16(out8), lateral8], 1))
        out32 = self.up32(torch.cat([self.stride32(out16), lateral16], 1))
        return out8, out16, out32


class _Head(nn.Module):
    """One level's predictions, (B, H * W, 5 + classes); classes and boxes have branches of their own."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.stem = conv_silu(channels, 64)
        self.class_branch = nn.Sequential(_separable(64, 64), _separable(64, 64))
        self.classes = nn.Conv2d(64, classes, 1)
        self.box_branch = nn.Sequential(_separable(64, 64), _separable(64, 64))
        self.boxes = nn.Conv2d(64, 4, 1)
        self.objectness = nn.Conv2d(64, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        classes = self.classes(self.class_branch(x))
        about_box = self.box_branch(x)
        out = torch.cat([self.boxes(about_box), self.objectness(about_box), classes], 1)
        return out.flatten(2).transpose(1, 2)


class _CSPLayer(nn.Module):
    """Cross-stage partial layer: half of the channels pass through ``blocks`` bottlenecks, half go round."""

    def __init__(self, inputs: int, outputs: int, blocks: int, *, shortcut: bool = True) -> None:
        super().__init__()
        hidden = outputs // 2
        self.through = conv_silu(inputs, hidden)
        self.around = conv_silu(inputs, hidden)
        self.blocks = nn.Sequential(*(_Bottleneck(hidden, shortcut=shortcut) for _ in range(blocks)))
        self.merge = conv_silu(2 * hidden, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.merge(torch.cat([self.blocks(self.through(x)), self.around(x)], 1))


class _Bottleneck(nn.Module):
    def __init__(self, channels: int, *, shortcut: bool) -> None:
        super().__init__()
        self.mix = conv_silu(channels, channels)
        self.filter = _separable(channels, channels)
        self.shortcut = shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.filter(self.mix(x))
        return x + y if self.shortcut else y


def _separable(inputs: int, outputs: int, stride: int = 1) -> DepthwiseSeparable:
    return DepthwiseSeparable(inputs, outputs, 3, stride, act=nn.SiLU, padding="symmetric")


def _double(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
