"""MobileNetV1 and V2: the backbones, and V1's classifier, whose cost the paper states in both forms."""

import torch
from torch import nn

from ..layers.conv import ConvAct, DepthwiseSeparable, InvertedResidual, Normalize

# Output channels at width 1 and stride of the thirteen separable blocks (Howard et al. 2017, table 1).
_V1_BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
)
# Expansion, output channels, repeats and stride of the stages (Sandler et al. 2018, table 2).
V2_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


class MobileNetV1Features(nn.Module):
    """MobileNetV1 without its classifier (https://arxiv.org/abs/1704.04861).

    Maps float32 (B, 3, H, W) to the features at strides 16 and 32, `channels` of them.

    Args:
        width: multiplies the number of channels of every layer.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        channels = int(32 * width)
        self.stem = ConvAct(3, channels, 3, 2)
        self.blocks = nn.ModuleList()
        for outputs, stride in _V1_BLOCKS:
            self.blocks.append(DepthwiseSeparable(channels, int(outputs * width), 3, stride))
            channels = int(outputs * width)
        self.channels = (int(512 * width), channels)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features at strides 16 and 32."""
        x = self.stem(x)
        for block in self.blocks[:11]:
            x = block(x)
        stride16 = x
        for block in self.blocks[11:]:
            x = block(x)
        return stride16, x


class MobileNetV2Features(nn.Module):
    """MobileNetV2 without its classifier (https://arxiv.org/abs/1801.04381).

    Maps float32 (B, 3, H, W) to the features that SSDLite reads: the widened ones at stride 16 (inside block
    13, where the paper taps it) and the last ones at stride 32, `channels` of them.
    """

    TAP = 13
    channels = (576, 1280)

    def __init__(self) -> None:
        super().__init__()
        channels = 32
        self.stem = ConvAct(3, channels, 3, 2)
        self.blocks = nn.ModuleList()
        for expansion, outputs, repeats, stride in V2_STAGES:
            for i in range(repeats):
                step = stride if i == 0 else 1
                self.blocks.append(InvertedResidual(channels, outputs, 3, step, expansion=expansion))
                channels = outputs
        self.last = ConvAct(channels, self.channels[1])

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features at strides 16 and 32."""
        x = self.stem(x)
        for block in self.blocks[: self.TAP]:
            x = block(x)
        tapped = self.blocks[self.TAP]
        assert isinstance(tapped, InvertedResidual)
        stride16 = tapped.expand(x)
        x = tapped.reduce(stride16, x)
        for block in self.blocks[self.TAP + 1 :]:
            x = block(x)
        return stride16, self.last(x)


class MobileNetV1(nn.Module):
    """The paper's ImageNet classifier, to count and to time: here it has no trained weights.

    Maps uint8 (B, H, W, 3) BGR to one tensor of float32 (B, classes) logits.
    `conversion.paper_baseline` makes the paper's other form. At 224 x 224: 569 M multiply-adds and 4.2 M
    parameters against 4,866 M and 29.3 M (table 4).
    """

    def __init__(self, classes: int = 1000, width: float = 1.0) -> None:
        super().__init__()
        self.normalize = Normalize(1 / 127.5, -1.0, rgb=True)
        self.features = MobileNetV1Features(width)
        self.classifier = nn.Linear(self.features.channels[1], classes)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor]:
        """Logits of each picture."""
        _, x = self.features(self.normalize(images))
        return (self.classifier(x.mean((2, 3))),)
