"""Upsampling by two as a transposed convolution."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Upsample2(nn.Module):
    """Twice the size, bilinear on half-pixel centers.

    Computed as a transposed convolution of each channel: OpenVINO takes half as long as for interpolation.
    """

    kernel: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        near, far = 0.75, 0.25
        taps = torch.tensor([far, near, near, far])
        self.register_buffer("kernel", torch.outer(taps, taps).repeat(channels, 1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) to (B, channels, 2 H, 2 W)."""
        x = F.pad(x, (1, 1, 1, 1), mode="replicate")
        return F.conv_transpose2d(x, self.kernel, stride=2, padding=3, groups=len(self.kernel))
