"""A network's costs layer by layer: checked against torch's own counter and against the paper's formula."""

import pytest
import torch
import torchvision
from sepcam.models.layers.conv import DepthwiseSeparable
from sepcam.models.layers.conversion import paper_baseline, to_standard
from sepcam.models.networks.mobilenet import MobileNetV1
from sepcam.models.networks.yolox import YOLOXNano
from sepcam.models.profiling.cost import pairs, profile
from sepcam.models.profiling.external import builder
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

ELSEWHERE = (
    "mobilenet_v2",
    "mobilenet_v3_large",
    "efficientnet_b0",
    "shufflenet_v2_x1_0",
    "ssdlite320_mobilenet_v3_large",
)


NETWORKS = [
    pytest.param(YOLOXNano, (416, 416), id="yolox-nano"),
    *(pytest.param(builder(f"torchvision:{name}"), (224, 224), id=name) for name in ELSEWHERE),
]


@pytest.mark.parametrize("form", [lambda m: m, to_standard])
@pytest.mark.parametrize(("build", "size"), NETWORKS)
def test_multiply_adds_are_half_of_what_torch_counts_as_operations(build, size, form):
    with torch.device("meta"):
        network = form(build()).eval()
    shape = (1, *size, 3)
    with FlopCounterMode(display=False) as counter:
        network(torch.empty(shape, dtype=torch.uint8, device="meta"))
    found = profile(network, shape)
    assert found.macs == counter.get_total_flops() // 2 == profile(network, shape).macs
    assert found.params == sum(p.numel() for p in network.parameters())


def test_a_layer_says_what_it_computes_and_moves():
    block = DepthwiseSeparable(8, 16)
    depthwise, pointwise = profile(block, (1, 8, 10, 12), dtype=torch.float32).layers
    assert (depthwise.name, depthwise.kind, depthwise.kernel) == ("depthwise.conv", "depthwise", 3)
    assert (pointwise.kind, pointwise.inputs, pointwise.outputs) == ("pointwise", 8, 16)
    assert depthwise.macs == 8 * 9 * 120
    assert depthwise.moved == 8 * 120 + (8 * 9 + 8) + 8 * 120
    assert depthwise.intensity(4) == depthwise.macs / depthwise.moved / 4
    assert profile(block, (1, 8, 10, 12), dtype=torch.float32).activations == (8 + 16) * 120


def test_a_layer_that_runs_twice_is_counted_twice():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(4, 4, 1)

        def forward(self, x):
            return self.layer(self.layer(x))

    (layer,) = profile(Twice(), (1, 4, 5, 5), dtype=torch.float32).layers
    assert (layer.macs, layer.params) == (2 * 16 * 25, 20)


def test_the_predicted_ratios_are_those_of_the_counted_multiply_adds():
    block, shape = DepthwiseSeparable(24, 40, 5), (1, 24, 9, 9)
    costs = [
        profile(b, shape, dtype=torch.float32).macs
        for b in (block, to_standard(block), paper_baseline(block))
    ]
    (pair,) = pairs(profile(block, shape, dtype=torch.float32).layers)
    assert pair.paper_ratio == pytest.approx(1 / (1 / 40 + 1 / 25)) == pytest.approx(costs[2] / costs[0])
    assert pair.standard_ratio == pytest.approx(costs[1] / costs[0])


def test_pairs_are_found_across_squeeze_and_excitation():
    with torch.device("meta"):
        assert len(pairs(profile(MobileNetV1(), (1, 224, 224, 3)).layers)) == 13
        network = torchvision.models.mobilenet_v3_large()
    found = pairs(profile(network, (1, 3, 224, 224), dtype=torch.float32).layers)
    assert len(found) == 15
    assert all(pair.depthwise.out_shape[1:] == pair.pointwise.out_shape[1:] for pair in found)
