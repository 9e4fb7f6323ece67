"""A twin that computes something else is caught, however little it differs."""

import pytest
import torch
from sepcam.models.layers.conversion import to_standard
from sepcam.models.networks.mobilenet import MobileNetV1
from sepcam.models.networks.yolox import YOLOXNano
from sepcam.models.profiling.equivalence import verify
from sepcam.models.profiling.external import builder
from torch import nn


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def noise(side):
    return torch.randint(0, 256, (1, side, side, 3), dtype=torch.uint8)


@pytest.mark.parametrize("build", [YOLOXNano, builder("torchvision:mobilenet_v3_large")])
def test_a_network_and_its_twin_are_the_same_function(build):
    network = build()
    verdict = verify(network, to_standard(network), noise(96))
    assert verdict.same_function
    assert verdict.worst_layer is None
    assert verdict.largest < 1e-4
    assert verdict.depthwise_layers > 10


@torch.no_grad()
@pytest.mark.parametrize("error", [1.0, 1e-6])
def test_one_weight_off_the_diagonal_is_caught(error):
    network = MobileNetV1(classes=10, width=0.25)
    twin = to_standard(network)
    twin.get_submodule("features.blocks.4.depthwise.conv").weight[3, 5, 1, 1] = error
    verdict = verify(network, twin, noise(64))
    assert not verdict.same_function
    assert verdict.worst_layer == "features.blocks.4.depthwise.conv"


@torch.no_grad()
def test_another_weight_anywhere_else_is_caught_by_the_outputs():
    network = MobileNetV1(classes=10, width=0.25)
    twin = to_standard(network)
    twin.get_parameter("classifier.weight").mul_(1.1)
    verdict = verify(network, twin, noise(64))
    assert (verdict.same_function, verdict.worst_layer) == (False, None)


def test_a_network_of_another_shape_is_no_twin():
    class Wrapped(nn.Module):
        def __init__(self, outputs):
            super().__init__()
            self.conv = nn.Conv2d(3, outputs, 3, groups=3)

        def forward(self, x):
            return (self.conv(x.permute(0, 3, 1, 2).float()),)

    assert not verify(Wrapped(3), Wrapped(6), noise(8)).same_function
