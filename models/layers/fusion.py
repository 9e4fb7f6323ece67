"""Batch norms folded into the convolutions before them."""

import copy
from functools import partial

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


@torch.no_grad()
def fold_batch_norms(network: nn.Module, input_shape: tuple[int, ...]) -> None:
    """Folds every batch norm that directly follows a convolution into it; the function stays the same.

    Args:
        network: in evaluation mode; is changed.
        input_shape: of its uint8 input.
    """
    probe = copy.deepcopy(network).to("meta").eval()
    last: tuple[str, torch.Tensor] | None = None
    folded: dict[str, str] = {}  # batch norm to convolution

    def follow(name: str, layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal last
        if isinstance(layer, nn.Conv2d):
            last = name, output
        elif last is not None and last[1] is inputs[0]:
            folded[name] = last[0]

    for name, layer in probe.named_modules():
        if isinstance(layer, nn.Conv2d | nn.BatchNorm2d):
            layer.register_forward_hook(partial(follow, name))
    probe(torch.empty(input_shape, dtype=torch.uint8, device="meta"))
    for norm_name, conv_name in folded.items():
        norm, conv = network.get_submodule(norm_name), network.get_submodule(conv_name)
        assert isinstance(norm, nn.BatchNorm2d)
        assert isinstance(conv, nn.Conv2d)
        network.set_submodule(conv_name, fuse_conv_bn_eval(conv, norm))
        # Some batch norms have an activation inside, which stays.
        network.set_submodule(norm_name, nn.Sequential(*norm.children()))
