"""BlazePose, the network in three sizes: 33 body landmarks and a mask of the person in a 256 x 256 crop.

Those of MediaPipe's ``pose_landmark_{lite,full,heavy}.tflite`` (Apache-2.0); Bazarevsky et al. 2020,
"BlazePose: On-device Real-time Body Pose tracking", https://arxiv.org/abs/2006.10204. A MobileNetV2-like
encoder goes down to 8 x 8; a light decoder comes back up to 64 x 64 for the heatmaps, and on to 256 x 256 for
the mask; a tail reads the landmarks from the 8 x 8 features, to which the heavy network adds what a second
encoder makes of the decoder's. Layers are defined in the order of the file's graph, so that
``importers.load_convs`` can fill them.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layers.conv import ConvAct, DepthwiseSeparable, InvertedResidual, Normalize
from ..layers.upsample import Upsample2
from ..ops.roi import POINTS


@dataclass(frozen=True, slots=True)
class Size:
    """What the three networks differ in.

    Attributes:
        widths: channels of the encoder at strides 2, 4, 8, 16, 16 again, and 32.
        repeats: residual blocks at strides 4, 8, 16, 16 again, and 32.
        first_expansion: how far the first block at stride 4 widens; all others do so sixfold.
        decoder: channels of the decoder.
        deep: channels of the tail.
        tail: residual blocks of the tail at 4 x 4 and at 2 x 2.
        bridges: channels of the second encoder at strides 8 and 16, or none where there is no such.
        second: residual blocks of the second encoder at strides 8, 16 and 32.
    """

    widths: tuple[int, int, int, int, int, int]
    repeats: tuple[int, int, int, int, int]
    first_expansion: int
    decoder: int
    deep: int
    tail: tuple[int, int]
    bridges: tuple[int, int] | None = None
    second: tuple[int, int, int] = (0, 0, 0)


LITE = Size((8, 16, 24, 40, 56, 96), (1, 1, 2, 2, 3), 6, 32, 192, (2, 3))
FULL = Size((16, 24, 32, 64, 88, 144), (1, 1, 2, 2, 3), 6, 48, 288, (4, 5))
HEAVY = Size((24, 32, 56, 112, 160, 272), (3, 3, 5, 5, 7), 4, 48, 288, (7, 7), (96, 192), (6, 7, 7))


_MASK_WIDTH = 8


class BlazePoseLandmarks(nn.Module):
    """Landmarks, heatmaps and mask of the one person in each crop.

    Input: (B, 256, 256, 3) uint8 BGR. Output, all float32, in this order:

    - landmarks (B, 195): 39 x (x, y, z in crop pixels, visibility and presence as logits);
    - presence (B, 1): the probability that a person is there;
    - mask (B, 256, 256): logits; missing in a network that ``without_mask`` gave;
    - heatmaps (B, 64, 64, 39): logits, landmark k in channel k;
    - world (B, 117): 39 x (x, y, z) in metres from the middle of the hips.
    """

    def __init__(self, size: Size = FULL) -> None:
        super().__init__()
        self.normalize = Normalize(scale=1 / 255, shift=0.0, rgb=False)  # see _BgrConv
        self.encoder = Encoder(size)
        self.decoder = Decoder(size)
        self.second_stem: nn.Module | None = None
        if size.bridges is not None:
            self.second_stem = SeparableResidual(size.decoder, size.bridges[0], stride=2)
        self.mask: MaskDecoder | None = MaskDecoder(size)
        self.second = None if size.bridges is None else SecondEncoder(size, *size.bridges)
        self.heatmaps = nn.Conv2d(size.decoder, POINTS, 1)
        self.tail = Tail(size)
        self.landmarks = nn.Conv2d(size.deep, POINTS * 5, 2)
        self.world = nn.Conv2d(size.deep, POINTS * 3, 2)
        self.presence = nn.Conv2d(size.deep, 1, 2)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        features, (half, *laterals), bridges = self.encoder(self.normalize(images))
        quarter = self.decoder(features, laterals)
        mask = () if self.mask is None else (self.mask(quarter, half),)
        again = None
        if self.second_stem is not None and self.second is not None:
            again = self.second(self.second_stem(quarter), *bridges)
        deep = self.tail(features, again)
        return (
            self.landmarks(deep).flatten(1),
            torch.sigmoid(self.presence(deep)).flatten(1),
            *mask,
            self.heatmaps(quarter).permute(0, 2, 3, 1),
            self.world(deep).flatten(1),
        )

    def without_mask(self) -> "BlazePoseLandmarks":
        """A copy that does not compute the mask: four outputs, in a third less time."""
        twin = copy.deepcopy(self)
        twin.mask = None
        twin.encoder.down4.lateral = nn.Identity()
        return twin


class Encoder(nn.Module):
    """256 x 256 x 3 to 8 x 8 (x 864 in the full network); stages are named after their stride."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        c2, c4, c8, c16, wide16, c32 = size.widths
        n4, n8, n16, n_wide16, n32 = size.repeats
        side = size.decoder
        bridge8, bridge16 = size.bridges or (None, None)
        self.stem = nn.Sequential(
            ConvAct(3, 24, 3, stride=2, padding="symmetric"),
            DepthwiseSeparable(24, c2, last_act=nn.Identity),
        )
        self.stem[0].conv = _BgrConv(3, 24, 3, stride=2, padding=1)
        self.down4 = Down(c2, c4, kernel=3, expansion=4, lateral=_MASK_WIDTH)
        self.stage4 = _stage(
            InvertedResidual(c4, c4, 3, expansion=size.first_expansion),
            *(InvertedResidual(c4, c4, 3) for _ in range(n4 - 1)),
        )
        self.down8 = Down(c4, c8, kernel=5, expansion=6, lateral=side)
        self.stage8 = _stage(*(InvertedResidual(c8, c8, 5) for _ in range(n8)))
        self.down16 = Down(c8, c16, kernel=3, expansion=6, lateral=side, bridge=bridge8)
        self.stage16 = _stage(
            *(InvertedResidual(c16, c16, 3) for _ in range(n16)),
            InvertedResidual(c16, wide16, 5),
            *(InvertedResidual(wide16, wide16, 5) for _ in range(n_wide16)),
        )
        self.down32 = Down(wide16, c32, kernel=5, expansion=6, lateral=side, bridge=bridge16)
        self.stage32 = _stage(
            *(InvertedResidual(c32, c32, 5) for _ in range(n32)),
            ConvAct(c32, 6 * c32),
            ConvAct(6 * c32, 6 * c32, 3, groups=6 * c32),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Features (B, C, 8, 8), the laterals of strides 2, 4, 8 and 16, finest first, and the bridges."""
        x = self.stem(x)
        laterals, bridges = [], []
        for down, stage in (
            (self.down4, self.stage4),
            (self.down8, self.stage8),
            (self.down16, self.stage16),
            (self.down32, self.stage32),
        ):
            laterals.append(down.lateral(x))
            if down.bridge is not None:
                bridges.append(down.bridge(x))
            x = stage(down(x))
        return x, laterals, bridges


class _BgrConv(nn.Conv2d):
    """A convolution of RGB images that are given in BGR: its weights are swapped and not the image."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, outputs, H / 2, W / 2)."""
        return F.conv2d(input, self.weight.flip(1), self.bias, self.stride, self.padding)


class Decoder(nn.Module):
    """From 8 x 8 back up to 64 x 64, adding the encoder's laterals on the way."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.top = DepthwiseSeparable(6 * size.widths[-1], size.decoder)
        self.upsample = Upsample2(size.decoder)

    def forward(self, features: Tensor, laterals: Sequence[Tensor]) -> Tensor:
        """Laterals finest first."""
        x = self.top(features)
        for lateral in reversed(laterals):
            x = self.upsample(x) + lateral
        return x


class MaskDecoder(nn.Module):
    """From 64 x 64 up to the 256 x 256 mask logits, eight channels wide."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        width = _MASK_WIDTH
        self.upsample = Upsample2(width)
        self.narrow = DepthwiseSeparable(size.decoder, width)
        self.fine = nn.Sequential(SeparableResidual(width), SeparableResidual(width))
        self.finest = nn.Sequential(SeparableResidual(width), SeparableResidual(width))
        self.logits = _SumConv(width, 3)

    def forward(self, quarter: Tensor, half: Tensor) -> Tensor:
        """``half`` is the encoder's lateral of stride 2."""
        x = self.fine(self.upsample(self.narrow(quarter)) + half)
        return self.logits(self.finest(self.upsample(x)))[:, 0]


class _SumConv(nn.Conv2d):
    """A convolution to one channel, computed as a filter of each channel and the sum of the results.

    The same to rounding. Libraries fill whole vectors with output channels, and one alone wastes them.
    """

    ones: Tensor

    def __init__(self, inputs: int, kernel: int) -> None:
        super().__init__(inputs, 1, kernel, padding=kernel // 2)
        self.register_buffer("ones", torch.ones(1, inputs, 1, 1), persistent=False)

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) to (B, 1, H, W)."""
        filtered = F.conv2d(input, self.weight.transpose(0, 1), padding=self.padding, groups=self.in_channels)
        return F.conv2d(filtered, self.ones, self.bias)


class SecondEncoder(nn.Module):
    """From the decoder's features down to 8 x 8 once more, with bridges from the first encoder."""

    def __init__(self, size: Size, bridge8: int, bridge16: int) -> None:
        super().__init__()
        n8, n16, n32 = size.second
        self.stage8 = nn.Sequential(*(SeparableResidual(bridge8) for _ in range(n8)))
        self.stage16 = nn.Sequential(
            SeparableResidual(bridge8, bridge16, stride=2),
            *(SeparableResidual(bridge16) for _ in range(n16)),
        )
        self.stage32 = nn.Sequential(
            SeparableResidual(bridge16, size.deep, stride=2),
            *(SeparableResidual(size.deep) for _ in range(n32)),
        )

    def forward(self, x: Tensor, bridge8: Tensor, bridge16: Tensor) -> Tensor:
        """(B, deep, 8, 8)."""
        return self.stage32(self.stage16(self.stage8(x) + bridge8) + bridge16)


class Tail(nn.Module):
    """From 8 x 8 down to the 2 x 2 features that the landmarks are read from."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        deep, (n4, n2) = size.deep, size.tail
        self.narrow = DepthwiseSeparable(6 * size.widths[-1], deep)
        self.blocks = nn.Sequential(
            SeparableResidual(deep, stride=2),
            *(SeparableResidual(deep) for _ in range(n4)),
            SeparableResidual(deep, stride=2),
            *(SeparableResidual(deep) for _ in range(n2)),
        )

    def forward(self, features: Tensor, again: Tensor | None) -> Tensor:
        """(B, deep, 2, 2); ``again`` are the second encoder's features, where there is one."""
        x = self.narrow(features)
        return self.blocks(x if again is None else x + again)


class Down(nn.Module):
    """An inverted residual block of stride 2; its input also goes to a decoder, through the lateral.

    Attributes:
        lateral: what the decoder gets of the block's input.
        bridge: what the second encoder gets of it, or None.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int,
        expansion: int,
        lateral: int,
        bridge: int | None = None,
    ) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = ConvAct(inputs, wide)
        self.lateral: nn.Module
        if lateral == inputs:
            self.lateral = SeparableResidual(inputs)
        else:
            self.lateral = DepthwiseSeparable(inputs, lateral)
        self.bridge = None if bridge is None else DepthwiseSeparable(inputs, bridge)
        self.reduce = DepthwiseSeparable(
            wide, outputs, kernel, stride=2, last_act=nn.Identity, padding="symmetric"
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H / 2, W / 2)."""
        return self.reduce(self.expand(x))


class SeparableResidual(nn.Module):
    """A depthwise-separable block and a shortcut, ReLU6 after the sum.

    Where the stride is 2 the shortcut is max pooling; channels that it lacks are zeros.
    """

    def __init__(self, inputs: int, outputs: int | None = None, stride: int = 1) -> None:
        super().__init__()
        outputs = outputs or inputs
        self.shortcut = nn.Identity() if stride == 1 else nn.MaxPool2d(stride)
        self.lacking = outputs - inputs
        self.body = DepthwiseSeparable(inputs, outputs, stride=stride, last_act=nn.Identity)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        shortcut = self.shortcut(x)
        if self.lacking:
            shortcut = F.pad(shortcut, (0, 0, 0, 0, 0, self.lacking))
        return F.relu6(shortcut + self.body(x))


def _stage(*blocks: nn.Module) -> nn.Module:
    return blocks[0] if len(blocks) == 1 else nn.Sequential(*blocks)
