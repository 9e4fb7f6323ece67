"""Single-shot detectors on MobileNets: SSDLite for people and SSD for COCO's objects.

Six heads read ever coarser features and say, for every anchor of their grid, how far the object's box is off
and how likely each class is. What they say is turned into boxes by `detectors.SSDDetector`.
Sources: Liu et al. 2016 (SSD, https://arxiv.org/abs/1512.02325), Sandler et al. 2018 (SSDLite,
https://arxiv.org/abs/1801.04381), as built by the TensorFlow Object Detection API.
"""

from collections.abc import Iterable

import torch
from torch import nn

from ..layers.conv import ConvAct, DepthwiseSeparable, Normalize
from .mobilenet import MobileNetV1Features, MobileNetV2Features

ANCHORS_PER_CELL = (3, 6, 6, 6, 6, 6)


class SSDLitePerson(nn.Module):
    """SSDLite-MobileNetV2 for people: every convolution of extra layers and heads is separable too.

    Maps uint8 (B, H, W, 3) BGR to two float32 tensors: (B, A, 4) box encodings ty, tx, th, tw and (B, A, 2)
    class logits, background first. A is 1,917 at 300 x 300 with all heads. The anchors come head by head, row
    by row, as `detectors.anchors` makes them.

    Args:
        heads: how many of the six heads to run, the finest first. Larger images than 300 x 300 need 2: the
            deeper heads then see a part of what they were trained on, and make up huge boxes.
    """

    def __init__(self, heads: int = 6) -> None:
        super().__init__()
        self.normalize = Normalize(2 / 255, -1.0, rgb=True)
        self.features = MobileNetV2Features()
        *_, channels = self.features.channels
        self.extras = nn.ModuleList()
        for squeezed, outputs in ((256, 512), (128, 256), (128, 256), (64, 128)):
            down = nn.Sequential(ConvAct(channels, squeezed), DepthwiseSeparable(squeezed, outputs, stride=2))
            self.extras.append(down)
            channels = outputs
        inputs = (*self.features.channels, 512, 256, 256, 128)
        self.heads = nn.ModuleList(
            _Head(c, n, 2, lite=True) for c, n in zip(inputs, ANCHORS_PER_CELL, strict=True)
        )
        self.used = heads

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Box encodings and class logits of every anchor."""
        maps = list(self.features(self.normalize(images)))
        for extra in self.extras[: max(self.used - 2, 0)]:
            maps.append(extra(maps[-1]))
        return _concat(head(x) for head, x in zip(self.heads, maps[: self.used], strict=False))


class SSDMobileNetV1(nn.Module):
    """SSD-MobileNetV1 for COCO, at width 0.75 as in ``coco_ssd_mobilenet_v1_1.0_quant``.

    Maps uint8 (B, 300, 300, 3) BGR to two float32 tensors: (B, 1917, 4) box encodings ty, tx, th, tw and
    (B, 1917, 91) class logits: background, then COCO's category ids 1 to 90. Only the backbone is separable;
    extra layers are full convolutions and heads are pointwise.
    """

    def __init__(self) -> None:
        super().__init__()
        self.normalize = Normalize(1 / 128, -1.0, rgb=True)
        self.features = MobileNetV1Features(0.75)
        *_, channels = self.features.channels
        self.extras = nn.ModuleList()
        for squeezed, outputs in ((192, 384), (96, 192), (96, 192), (48, 96)):
            self.extras.append(nn.Sequential(ConvAct(channels, squeezed), ConvAct(squeezed, outputs, 3, 2)))
            channels = outputs
        inputs = (*self.features.channels, 384, 192, 192, 96)
        self.heads = nn.ModuleList(
            _Head(c, n, 91, lite=False) for c, n in zip(inputs, ANCHORS_PER_CELL, strict=True)
        )

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Box encodings and class logits of every anchor."""
        maps = list(self.features(self.normalize(images)))
        for extra in self.extras:
            maps.append(extra(maps[-1]))
        return _concat(head(x) for head, x in zip(self.heads, maps, strict=True))


class _Head(nn.Module):
    """Encodings (B, H * W * anchors, 4) and logits (B, H * W * anchors, classes) from one feature map."""

    def __init__(self, channels: int, anchors: int, classes: int, *, lite: bool) -> None:
        super().__init__()
        self.classes = classes
        self.boxes = _predictor(channels, anchors * 4, lite)
        self.logits = _predictor(channels, anchors * classes, lite)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return _per_anchor(self.boxes(x), 4), _per_anchor(self.logits(x), self.classes)


def _predictor(channels: int, outputs: int, lite: bool) -> nn.Module:
    if lite:
        return DepthwiseSeparable(channels, outputs, last_act=nn.Identity)
    return ConvAct(channels, outputs, act=nn.Identity)


def _per_anchor(x: torch.Tensor, values: int) -> torch.Tensor:
    return x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, values)


def _concat(heads: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> tuple[torch.Tensor, torch.Tensor]:
    boxes, logits = zip(*heads, strict=True)
    return torch.cat(boxes, 1), torch.cat(logits, 1)
