"""MoveNet, Google's pose networks: where people are, and where their joints are, on a grid of 4-pixel cells.

Those of the TensorFlow.js graphs ``movenet/singlepose/{lightning,thunder}/4`` and
``movenet/multipose/lightning/1`` (Apache-2.0): a CenterNet (Zhou et al. 2019, "Objects as Points",
https://arxiv.org/abs/1904.07850) on a MobileNetV2 and a feature pyramid, depthwise-separable throughout.
`weights.movenet` fills them from Google's files; `detectors.people_decoding` makes people of their outputs.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from ..layers.conv import ConvAct, DepthwiseSeparable, InvertedResidual, Normalize
from ..layers.upsample import Upsample2
from .mobilenet import V2_STAGES

KEYPOINTS = 17
"""COCO's, in COCO's order."""

STRIDE = 4
"""Pixels of the input per cell of the outputs."""

FEATURES = 24
"""Channels of the features that the heads read."""

HEADS = {"center": 1, "kpt_heatmap": KEYPOINTS, "kpt_regress": 2 * KEYPOINTS, "kpt_offset": 2 * KEYPOINTS}
"""Names (Google's) and channels of the outputs of every MoveNet, in order."""

BOX_HEADS = {"box_scale": 2, "box_offset": 2}
"""The outputs that multipose has after these."""

_TAPS = (2, 5, 9)  # the blocks whose outputs, at strides 4, 8 and 16, the pyramid reads
_DEEPEST = 1280
_LATERALS = (64, 64, 32, FEATURES)  # channels of the pyramid's inputs, at strides 32, 16, 8 and 4
_MERGED = (32, FEATURES, FEATURES)  # its channels after each sum, at strides 16, 8 and 4
_HIDDEN = 96


class MoveNet(nn.Module):
    """Keypoints of people as maps over the image; with ``boxes`` also the people's boxes.

    Maps uint8 (B, H, W, 3) BGR, H and W multiples of 32, to one float32 (B, channels, H / 4, W / 4) tensor
    per head. All lengths are in cells, and relative to the index of the cell that they are read from:

    - center, 1: the probability that a person's center is in the cell. For multipose this is the center of
      the box, for the networks of one person the mean of the visible keypoints;
    - kpt_heatmap, 17: the probabilities that somebody's keypoint is in the cell;
    - kpt_regress, 34 (17 pairs y, x): the keypoints of the person whose center is in the cell, roughly;
    - kpt_offset, 34 (17 pairs y, x): the keypoint that is in the cell, exactly;
    - box_scale, 2: height and width of the box whose center is in the cell;
    - box_offset, 2: y, x of that center.

    Args:
        width: multiplies the channels of the trunk.
        boxes: whether it has the last two heads.
    """

    def __init__(self, width: float, *, boxes: bool = False) -> None:
        super().__init__()
        self.normalize = Normalize(2 / 255, -1.0, rgb=True)
        self.trunk = Trunk(width)
        self.pyramid = _Pyramid(self.trunk.channels)
        channels = HEADS | BOX_HEADS if boxes else HEADS
        self.heads = nn.ModuleDict({name: _Head(outputs) for name, outputs in channels.items()})

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The outputs, see the class."""
        return self.read(self.features(images))

    def read(self, features: Tensor) -> tuple[Tensor, ...]:
        """The outputs, out of `features`."""
        center, heatmap, *rest = (head(features) for head in self.heads.values())
        return (center.sigmoid(), heatmap.sigmoid(), *rest)

    def features(self, images: Tensor) -> Tensor:
        """(B, 24, H / 4, W / 4) float32 features that the heads read."""
        return self.pyramid(self.trunk(self.normalize(images)))


def lightning() -> MoveNet:
    """One person; 2.32 M parameters, 271 M multiply-adds at 192 x 192."""
    return MoveNet(1.0)


def thunder() -> MoveNet:
    """One person; 6.24 M parameters, 1,220 M multiply-adds at 256 x 256."""
    return MoveNet(1.75)


def multipose() -> MoveNet:
    """Any number of people and their boxes; 4.72 M parameters, 971 M multiply-adds at 256 x 256."""
    return MoveNet(1.5, boxes=True)


class Trunk(nn.Module):
    """MobileNetV2 (Sandler et al. 2018) that returns its features at four strides."""

    def __init__(self, width: float) -> None:
        super().__init__()
        channels = _scaled(32, width)
        self.stem = ConvAct(3, channels, 3, 2)
        self.blocks = nn.ModuleList()
        taps = []
        for expansion, outputs, repeats, stride in V2_STAGES:
            for step in (stride, *[1] * (repeats - 1)):
                wide = _scaled(outputs, width)
                self.blocks.append(InvertedResidual(channels, wide, 3, step, expansion=expansion))
                channels = wide
                if len(self.blocks) - 1 in _TAPS:
                    taps.append(channels)
        self.last = ConvAct(channels, _DEEPEST)
        self.channels = (_DEEPEST, *reversed(taps))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) to the features at strides 32, 16, 8 and 4, `channels` of them."""
        x = self.stem(x)
        taps = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in _TAPS:
                taps.append(x)
        return [self.last(x), *reversed(taps)]


class _Pyramid(nn.Module):
    """From stride 32 up to stride 4, adding the trunk's features on the way (Lin et al. 2017)."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(
            ConvAct(wide, narrow, act=nn.Identity) for wide, narrow in zip(channels, _LATERALS, strict=True)
        )
        self.upsamples = nn.ModuleList(Upsample2(width) for width in _LATERALS[1:])
        self.merges = nn.ModuleList(
            DepthwiseSeparable(width, merged, act=nn.Identity, last_act=nn.ReLU)
            for width, merged in zip(_LATERALS[1:], _MERGED, strict=True)
        )

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Features at strides 32, 16, 8 and 4 to (B, 24, H / 4, W / 4)."""
        x, *laterals = [lateral(x) for lateral, x in zip(self.laterals, maps, strict=True)]
        for upsample, lateral, merge in zip(self.upsamples, laterals, self.merges, strict=True):
            x = merge(upsample(x) + lateral)
        return x


class _Head(nn.Module):
    """One kind of output, (B, outputs, H / 4, W / 4)."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.separable = DepthwiseSeparable(FEATURES, _HIDDEN, act=nn.Identity, last_act=nn.ReLU)
        self.last = ConvAct(_HIDDEN, outputs, act=nn.Identity)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.separable(x))


def _scaled(channels: int, width: float) -> int:
    """A multiple of 8 near ``channels * width``, as MobileNetV2's authors round it."""
    wanted = channels * width
    rounded = max(int(wanted + 4) // 8 * 8, 8)
    return rounded if rounded >= 0.9 * wanted else rounded + 8
