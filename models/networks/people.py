"""The networks that ship with Sepcam: MoveNet multipose for everyone's box and keypoints, and a mask head.

The trunk and the heads began as Google's; the mask head reads the same features around one person, and
that person's keypoints, which tell it whose mask is wanted. `models.people` makes a `OnePassNetwork` of them.
"""

from typing import Any

import torch
from torch import Tensor, nn

from ..layers.conv import ConvAct, DepthwiseSeparable
from ..layers.upsample import Upsample2
from .movenet import FEATURES, KEYPOINTS, MoveNet

MASK_INPUTS = FEATURES + KEYPOINTS + 2
MASK_GRID = 40
MASK_SIZE = 2 * MASK_GRID
"""Side of a mask in its own pixels."""

_WIDTH = 64
_EVERYWHERE = ("center", "kpt_heatmap")
_ASKED_FOR = ("kpt_regress", "kpt_offset", "box_scale", "box_offset")


class PeopleMaps(MoveNet):
    """Multipose that also returns its features: what one look at an image finds of all people.

    Maps uint8 (B, H, W, 3) BGR, H and W multiples of 32, to seven outputs: the ``HEADS`` and
    ``BOX_HEADS`` of `MoveNet`, and the (B, H / 4, W / 4, 24) float32 features that the mask head reads.
    """

    def __init__(self) -> None:
        super().__init__(1.5, boxes=True)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The outputs, see the class."""
        features = self.features(images)
        return (*self.read(features), features.permute(0, 2, 3, 1))


class PeopleGrid(nn.Module):
    """The part of `PeopleMaps` that is wanted of every cell.

    Maps uint8 (B, H, W, 3) BGR to (B, 1, H / 4, W / 4) centers, (B, 17, H / 4, W / 4) heatmaps and
    (B, H / 4, W / 4, 24) features, float32.
    """

    def __init__(self, maps: PeopleMaps) -> None:
        super().__init__()
        self.maps = maps

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The outputs, see the class."""
        features = self.maps.features(images)
        center, heatmap = (self.maps.heads[name](features).sigmoid() for name in _EVERYWHERE)
        return center, heatmap, features.permute(0, 2, 3, 1)


class PeopleCells(nn.Module):
    """The heads of `PeopleMaps` that are wanted of a few cells, on the features around each.

    Maps float32 (B, N, 3, 3, 24) to one float32 tensor (B, N, 72): the outputs of kpt_regress, kpt_offset,
    box_scale and box_offset for each patch's middle. All heads are two matrices: nothing comes between a
    separable convolution's two parts, and on one patch a convolution is a matrix.
    """

    def __init__(self, maps: PeopleMaps) -> None:
        super().__init__()
        heads = [maps.heads[name] for name in _ASKED_FOR]
        first = [_as_matrix(head.separable) for head in heads]  # pyright: ignore[reportArgumentType]
        last: list[Any] = [head.last.conv for head in heads]  # pyright: ignore
        self.hidden = _linear(torch.cat([weight for weight, _ in first]), [bias for _, bias in first])
        self.last = _linear(
            torch.block_diag(*(conv.weight.flatten(1) for conv in last)), [conv.bias for conv in last]
        )

    def forward(self, patches: Tensor) -> tuple[Tensor]:
        """The outputs, see the class."""
        return (self.last(self.hidden(patches.flatten(2)).relu()),)


class MaskHead(nn.Module):
    """The masks of N people, each in a grid over that person's box; 22 k parameters, 50 M multiply-adds each.

    Maps float32 (N, 40, 40, 43), as `people.masks` makes them, to one float32 tensor (N, 80, 80) of
    logits on the same areas. The channels are 24 features, 17 keypoints as Gaussians, and the area's width
    and height.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvAct(MASK_INPUTS, _WIDTH, act=nn.ReLU)
        self.body = nn.ModuleList(_separable(_WIDTH, _WIDTH, 5) for _ in range(3))
        self.upsample = Upsample2(_WIDTH)
        self.fine = _separable(_WIDTH, _WIDTH // 2, 3)
        self.last = ConvAct(_WIDTH // 2, 1, act=nn.Identity)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Mask logits, see the class."""
        x = self.stem(x.permute(0, 3, 1, 2))
        for block in self.body:
            x = x + block(x)
        return (self.last(self.fine(self.upsample(x)))[:, 0],)


class People(nn.Module):
    """Both networks, as their weights are kept together; maps images like `PeopleMaps`."""

    def __init__(self) -> None:
        super().__init__()
        self.people = PeopleMaps()
        self.mask = MaskHead()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The outputs of ``people``."""
        return self.people(images)


def _separable(inputs: int, outputs: int, kernel: int) -> DepthwiseSeparable:
    return DepthwiseSeparable(inputs, outputs, kernel, act=nn.Identity, last_act=nn.ReLU)


def _as_matrix(separable: DepthwiseSeparable) -> tuple[Tensor, Tensor]:
    """What it is on flattened (3, 3, inputs) patches: an (outputs, 9 * inputs) matrix and the biases."""
    depthwise: Any = separable.depthwise.conv
    pointwise: Any = separable.pointwise.conv
    mix = pointwise.weight.flatten(1)
    weight = mix[:, None] * depthwise.weight.flatten(1).T
    bias = mix @ depthwise.bias + pointwise.bias
    return weight.flatten(1), bias


def _linear(weight: Tensor, biases: list[Tensor]) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight, layer.bias = nn.Parameter(weight.detach()), nn.Parameter(torch.cat(biases).detach())
    return layer
