"""Spatial pyramid pooling."""

import torch
from torch import nn
from torch.nn import functional as F

from .conv import conv_silu


class SpatialPyramid(nn.Module):
    """Spatial pyramid pooling: maxima over 5 x 5, 9 x 9 and 13 x 13 windows beside the features."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = conv_silu(channels, channels // 2)
        self.merge = conv_silu(channels * 2, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, channels, H, W) to the same."""
        x = self.squeeze(x)
        # A 9 x 9 maximum is a 5 x 5 maximum of 5 x 5 maxima, a 13 x 13 one a third of them: less work.
        five = F.max_pool2d(x, 5, 1, 2)
        nine = F.max_pool2d(five, 5, 1, 2)
        return self.merge(torch.cat([x, five, nine, F.max_pool2d(nine, 5, 1, 2)], 1))
