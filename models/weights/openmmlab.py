"""Weights of RTMPose out of checkpoints of OpenMMLab."""

from collections.abc import Mapping

import torch
from torch import nn

from .checkpoints import convolutions
from .importers import load_convs

CHECKPOINT_NAMES = {
    "head.flatten_norm.gain": "head.mlp.0.g",
    "head.embed.weight": "head.mlp.1.weight",
    "head.attention.norm.gain": "head.gau.ln.g",
    "head.attention.expand.weight": "head.gau.uv.weight",
    "head.attention.scale": "head.gau.gamma",
    "head.attention.shift": "head.gau.beta",
    "head.attention.reduce.weight": "head.gau.o.weight",
    "head.attention.keep": "head.gau.res_scale.scale",
    "head.columns.weight": "head.cls_x.weight",
    "head.rows.weight": "head.cls_y.weight",
}
"""Parameters that belong to no convolution, by the names that OpenMMLab's checkpoints give them."""

_EPSILON = 1e-5  # of the batch norms


def load_checkpoint(network: nn.Module, state: Mapping[str, torch.Tensor]) -> None:
    """Fills a `networks.rtmpose.RTMPose` with the weights of a checkpoint, whose batch norms are folded in.

    Args:
        network: is filled.
        state: as ``checkpoints.read_state`` returns it.

    Raises:
        ValueError: If something is missing or does not fit.
    """
    load_convs(network, convolutions(state, _EPSILON))
    own = dict(network.named_parameters())
    for name, theirs in CHECKPOINT_NAMES.items():
        value = state.get(theirs)
        if value is None or value.shape != own[name].shape:
            found = "nothing" if value is None else tuple(value.shape)
            raise ValueError(f"{theirs} should be {tuple(own[name].shape)}, is {found}")
        own[name].data.copy_(value)
