"""Graphs for browsers: both forms compute what the network does, at any size, from the same weights."""

import numpy as np
import pytest
import torch
from sepcam.models.errors import SepcamError
from sepcam.models.layers.conv import ConvAct, DepthwiseSeparable
from sepcam.models.runtime.browser_graph import BrowserGraph, SharedWeights
from torch import nn

onnx = pytest.importorskip("onnx")

AXES = {"images": {0: "batch", 1: "height", 2: "width"}, "maps": {0: "batch", 2: "rows", 3: "columns"}}


class Small(nn.Module):
    """Depthwise-separable, with a stride, as the networks are."""

    def __init__(self):
        super().__init__()
        self.stem = ConvAct(3, 16, 3, 2)
        self.body = nn.Sequential(DepthwiseSeparable(16, 24, 3, 2), DepthwiseSeparable(24, 24, 5))

    def forward(self, images):
        return (self.body(self.stem(images.permute(0, 3, 1, 2).float() / 255)),)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = Small().eval()
    for parameter in network.parameters():
        parameter.data = parameter.data.half().float()
    return network


@pytest.fixture(scope="module")
def graph(network):
    return BrowserGraph(network, torch.zeros((1, 32, 48, 3), dtype=torch.uint8), ["images", "maps"], AXES)


@pytest.mark.parametrize("size", [(32, 48), (64, 32)])
@pytest.mark.parametrize("kind", ["separable", "standard"])
def test_a_graph_computes_what_the_network_does(graph, kind, size):
    weights = SharedWeights()
    images = np.random.default_rng(0).integers(0, 256, (2, *size, 3), np.uint8)
    (difference,) = graph.check(graph.of_kind(kind, weights), weights, images)
    assert difference.shape == (24, size[0] // 4, size[1] // 4)


def test_the_standard_form_has_full_convolutions_of_the_same_bytes(graph, network):
    weights = SharedWeights()
    separable = onnx.load_model_from_string(graph.of_kind("separable", weights))
    size = len(weights.content)
    standard = onnx.load_model_from_string(graph.of_kind("standard", weights))
    assert len(weights.content) == size
    assert size <= 2 * sum(parameter.numel() for parameter in network.parameters())

    def groups(model):
        convs = [node for node in model.graph.node if node.op_type == "Conv"]
        return [attribute.i for node in convs for attribute in node.attribute if attribute.name == "group"]

    assert groups(separable) == [1, 16, 1, 24, 1]
    assert groups(standard) == [1] * 5


def test_weights_that_float16_does_not_hold_are_refused(graph):
    network = Small().eval()
    nn.init.constant_(network.stem.conv.weight, 0.1)
    image = torch.zeros((1, 32, 48, 3), dtype=torch.uint8)
    with pytest.raises(SepcamError, match="float16 does not hold"):
        BrowserGraph(network, image, ["images", "maps"], AXES).of_kind("separable", SharedWeights())
