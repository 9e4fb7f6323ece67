"""Batch norms are folded into the convolutions before them without changing the function."""

import torch
from sepcam.models.layers.fusion import fold_batch_norms
from sepcam.models.profiling.external import builder

SIDE = 96


@torch.no_grad()
def test_folding_batch_norms_keeps_the_function():
    network = builder("torchvision:mobilenet_v2")()
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.weight.uniform_(0.5, 1.5)
    x = torch.randint(0, 256, (1, SIDE, SIDE, 3), dtype=torch.uint8)
    before = network(x)[0]
    fold_batch_norms(network, tuple(x.shape))
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in network.modules())
    assert torch.allclose(network(x)[0], before, atol=1e-4 * float(before.abs().max()))
