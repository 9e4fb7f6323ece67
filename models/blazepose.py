"""BlazePose full, the network: 33 body landmarks and a mask of the person in a 256 x 256 crop.

That of MediaPipe's ``pose_landmark_full.tflite`` (Apache-2.0); Bazarevsky et al. 2020, "BlazePose: On-device
Real-time Body Pose tracking", https://arxiv.org/abs/2006.10204. A MobileNetV2-like encoder goes down to
8 x 8; a light decoder comes back up to 64 x 64 for the heatmaps, and on to 256 x 256 for the mask; a tail
reads the landmarks from the 8 x 8 features. Layers are defined in the order of the file's graph, so that
``importers.load_convs`` can fill them.
"""

import copy
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import ConvAct, DepthwiseSeparable, InvertedResidual, Normalize
from .landmarks import POINTS


class BlazePoseLandmarks(nn.Module):
    """Landmarks, heatmaps and mask of the one person in each crop.

    Input: (B, 256, 256, 3) uint8 BGR. Output, all float32, in this order:

    - landmarks (B, 195): 39 x (x, y, z in crop pixels, visibility and presence as logits);
    - presence (B, 1): the probability that a person is there;
    - mask (B, 256, 256): logits; missing in a network that ``without_mask`` gave;
    - heatmaps (B, 64, 64, 39): logits, landmark k in channel k;
    - world (B, 117): 39 x (x, y, z) in metres from the middle of the hips.
    """

    def __init__(self) -> None:
        super().__init__()
        self.normalize = Normalize(scale=1 / 255, shift=0.0, rgb=True)
        self.encoder = Encoder()
        self.decoder = Decoder()
        self.mask: MaskDecoder | None = MaskDecoder()
        self.heatmaps = nn.Conv2d(48, POINTS, 1)
        self.tail = Tail()
        self.landmarks = nn.Conv2d(288, POINTS * 5, 2)
        self.world = nn.Conv2d(288, POINTS * 3, 2)
        self.presence = nn.Conv2d(288, 1, 2)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        features, (half, *laterals) = self.encoder(self.normalize(images))
        quarter = self.decoder(features, laterals)
        mask = () if self.mask is None else (self.mask(quarter, half),)
        deep = self.tail(features)
        return (
            self.landmarks(deep).flatten(1),
            torch.sigmoid(self.presence(deep)).flatten(1),
            *mask,
            self.heatmaps(quarter).permute(0, 2, 3, 1),
            self.world(deep).flatten(1),
        )

    def without_mask(self) -> "BlazePoseLandmarks":
        """A copy that neither computes nor gives the mask: four outputs, in a third less time."""
        twin = copy.deepcopy(self)
        twin.mask = None
        twin.encoder.down4.lateral = nn.Identity()
        return twin


class Encoder(nn.Module):
    """256 x 256 x 3 to 8 x 8 x 864; stages are named after their stride."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            ConvAct(3, 24, 3, stride=2, padding="symmetric"),
            DepthwiseSeparable(24, 16, last_act=nn.Identity),
        )
        self.down4 = Down(16, 24, kernel=3, expansion=4, lateral=8)
        self.stage4 = InvertedResidual(24, 24, 3)
        self.down8 = Down(24, 32, kernel=5, expansion=6, lateral=48)
        self.stage8 = InvertedResidual(32, 32, 5)
        self.down16 = Down(32, 64, kernel=3, expansion=6, lateral=48)
        self.stage16 = nn.Sequential(
            InvertedResidual(64, 64, 3),
            InvertedResidual(64, 64, 3),
            InvertedResidual(64, 88, 5),
            InvertedResidual(88, 88, 5),
            InvertedResidual(88, 88, 5),
        )
        self.down32 = Down(88, 144, kernel=5, expansion=6, lateral=48)
        self.stage32 = nn.Sequential(
            *(InvertedResidual(144, 144, 5) for _ in range(3)),
            ConvAct(144, 864),
            ConvAct(864, 864, 3, groups=864),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Features (B, 864, 8, 8), and the laterals of strides 2, 4, 8 and 16, finest first."""
        x = self.stem(x)
        laterals = []
        for down, stage in (
            (self.down4, self.stage4),
            (self.down8, self.stage8),
            (self.down16, self.stage16),
            (self.down32, self.stage32),
        ):
            lateral, x = down(x)
            laterals.append(lateral)
            x = stage(x)
        return x, laterals


class Decoder(nn.Module):
    """From 8 x 8 back up to 64 x 64 x 48, adding the encoder's laterals on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.top = DepthwiseSeparable(864, 48)

    def forward(self, features: Tensor, laterals: Sequence[Tensor]) -> Tensor:
        """Laterals finest first."""
        x = self.top(features)
        for lateral in reversed(laterals):
            x = upsample2(x) + lateral
        return x


class MaskDecoder(nn.Module):
    """From 64 x 64 x 48 up to the 256 x 256 mask logits, eight channels wide."""

    def __init__(self) -> None:
        super().__init__()
        self.narrow = DepthwiseSeparable(48, 8)
        self.fine = nn.Sequential(SeparableResidual(8), SeparableResidual(8))
        self.finest = nn.Sequential(SeparableResidual(8), SeparableResidual(8))
        self.logits = nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, quarter: Tensor, half: Tensor) -> Tensor:
        """``half`` is the encoder's lateral of stride 2."""
        x = self.fine(upsample2(self.narrow(quarter)) + half)
        return self.logits(self.finest(upsample2(x)))[:, 0]


class Tail(nn.Module):
    """From 8 x 8 x 864 down to the 2 x 2 x 288 features that the landmarks are read from."""

    def __init__(self) -> None:
        super().__init__()
        self.narrow = DepthwiseSeparable(864, 288)
        self.blocks = nn.Sequential(
            SeparableResidual(288, stride=2),
            *(SeparableResidual(288) for _ in range(4)),
            SeparableResidual(288, stride=2),
            *(SeparableResidual(288) for _ in range(5)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, 288, 2, 2)."""
        return self.blocks(self.narrow(x))


class Down(nn.Module):
    """An inverted residual block of stride 2 that also hands its input on to a decoder, through a lateral."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, expansion: int, lateral: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = ConvAct(inputs, wide)
        self.lateral: nn.Module = DepthwiseSeparable(inputs, lateral)
        self.reduce = DepthwiseSeparable(
            wide, outputs, kernel, stride=2, last_act=nn.Identity, padding="symmetric"
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The lateral and the output."""
        return self.lateral(x), self.reduce(self.expand(x))


class SeparableResidual(nn.Module):
    """A depthwise-separable block and a shortcut (max pooling where the stride is 2), ReLU6 after the sum."""

    def __init__(self, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.shortcut = nn.Identity() if stride == 1 else nn.MaxPool2d(stride)
        self.body = DepthwiseSeparable(channels, channels, stride=stride, last_act=nn.Identity)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, H / stride, W / stride)."""
        return F.relu6(self.shortcut(x) + self.body(x))


def upsample2(x: Tensor) -> Tensor:
    """Twice the size, bilinear on half-pixel centres."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
