"""Steps that suit a network whose batch norms are folded into its convolutions.

Channels then differ in size by orders of magnitude, and the equal steps of Adam destroy the small ones.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

_LEAST_WEIGHT, _LEAST_BIAS = 1e-4, 0.05  # sizes of channels, at least


class RelativeAdam(torch.optim.Adam):
    """Adam with each step scaled by the size that the parameter's output channel had at the start.

    Adam's steps do not depend on the scale of a parameter, so this is Adam on w = w0 + size * d.

    Args:
        groups: as Adam takes them; a step of rate 0.01 changes a channel by about 1 %.
        sizes: of every parameter, in the order of the groups, see `channel_sizes`.
    """

    def __init__(self, groups: Iterable[dict[str, object]], sizes: list[Tensor]) -> None:
        super().__init__(list(groups), betas=(0.9, 0.99), foreach=True)
        self._sizes = sizes

    @torch.no_grad()
    def step(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One step, from the gradients that are there."""
        parameters = [one for group in self.param_groups for one in group["params"]]
        before = [one.clone() for one in parameters]
        super().step()
        for one, start, size in zip(parameters, before, self._sizes, strict=True):
            one.copy_(torch.lerp(start, one, size))


def channel_sizes(parameter: nn.Parameter) -> Tensor:
    """The size of each output channel of a weight or bias, in a shape that multiplies it."""
    value = parameter.detach()
    if value.dim() < 2:
        return value.abs().mean().clamp(min=_LEAST_BIAS).expand_as(value).clone()
    size = value.flatten(1).pow(2).mean(1).sqrt().clamp(min=_LEAST_WEIGHT)
    return size.reshape(-1, *[1] * (value.dim() - 1)).expand_as(value).clone()


def rate_at(step: int, steps: int, warm_up: int) -> float:
    """The factor of the learning rate: linear up, then a cosine down to a hundredth."""
    rising = min(1.0, (step + 1) / max(warm_up, 1))
    return rising * (0.01 + 0.99 * (1 + math.cos(math.pi * step / steps)) / 2)
