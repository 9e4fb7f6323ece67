"""int8 copies: the same function after channels are rescaled, little noise, and the same network as ONNX."""

import numpy as np
import onnx
import openvino as ov
import pytest
import torch
from openvino import opset13 as ops
from sepcam.models.errors import SepcamError
from sepcam.models.int8.calibration import in_f32
from sepcam.models.int8.convolutions import convolutions
from sepcam.models.int8.equalize import equalize
from sepcam.models.int8.onnx_writer import to_onnx
from sepcam.models.int8.quantize import TARGET, quantize
from sepcam.models.int8.rounding import weight_steps
from sepcam.models.layers.conv import ConvAct, DepthwiseSeparable, InvertedResidual
from sepcam.models.layers.upsample import Upsample2
from sepcam.models.runtime.openvino_backend import convert
from sepcam.models.runtime.options import AnySize
from torch import nn

SIZE = (32, 48)


class Uneven(nn.Module):
    """Separable convolutions, a sum, an upsampling; channels differ a hundredfold, as after folding."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = ConvAct(3, 8, 3, 2)
        self.blocks = nn.Sequential(InvertedResidual(8, 8, expansion=2), InvertedResidual(8, 8, expansion=2))
        self.up = Upsample2(8)
        self.merge = DepthwiseSeparable(8, 8, act=nn.Identity, last_act=nn.ReLU)
        self.last = ConvAct(8, 2, act=nn.Identity)
        for block in self.blocks:
            assert isinstance(block, InvertedResidual)
            assert isinstance(block.expand, ConvAct)
            uneven = torch.logspace(-2, 0, 16)
            for name in ("weight", "bias"):
                values = getattr(block.expand.conv, name)
                values.data = 3 * values.data * uneven.reshape(-1, *[1] * (values.ndim - 1))
            block.separable.depthwise.conv.weight.data /= uneven.reshape(-1, 1, 1, 1)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.stem(images.permute(0, 3, 1, 2).float() / 127.5 - 1)
        x = self.merge(self.up(self.blocks(x)))
        return self.last(x).sigmoid(), x.permute(0, 2, 3, 1)


def soft(count: int, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
    """Inputs that are smooth, as photographs are."""
    rng = np.random.default_rng(count)
    small = rng.integers(0, 256, (count, 4, 6, 3), np.uint8)
    return list(small.repeat(size[0] // 4, 1).repeat(size[1] // 6, 2)[:, None])


def decibels(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(np.square(one).mean() / np.square(one - other).mean()))


@pytest.fixture(scope="module")
def model() -> ov.Model:
    return convert(Uneven().eval(), AnySize(SIZE))


@pytest.fixture(scope="module")
def copy(model: ov.Model) -> ov.Model:
    return quantize(model, soft(20))


def rounded(model: ov.Model) -> list[str]:
    """The names of the convolutions that are computed in int8."""
    return [
        node.get_friendly_name()
        for node in model.get_ordered_ops()
        if "Convolution" in node.get_type_name()
        and node.input_value(1).get_node().get_type_name() == "FakeQuantize"
    ]


def test_rescaled_channels_are_more_alike_and_the_network_computes_the_same(model: ov.Model):
    rescaled = model.clone()
    equalize(rescaled, soft(20))
    for batch in soft(3):
        for one, other in zip(in_f32(model)(batch), in_f32(rescaled)(batch), strict=True):
            assert decibels(one, other) > 60
    spreads = [
        [float(np.ptp(np.log(c.largest_by_input))) for c in convolutions(m) if c.depthwise][:2]
        for m in (model, rescaled)
    ]
    assert max(spreads[1]) < min(spreads[0])


def test_a_copy_gives_nearly_the_same_at_every_size(model: ov.Model, copy: ov.Model):
    assert rounded(copy)
    assert not rounded(model)
    for size in (SIZE, (64, 96)):
        for batch in soft(3, size):
            for one, other in zip(in_f32(model)(batch), in_f32(copy)(batch), strict=True):
                assert decibels(one, other) > TARGET - 8  # of other inputs and another size


def test_a_layer_that_takes_a_small_difference_of_large_values_stays_in_float32():
    network = Uneven().eval()
    with torch.no_grad():
        network.last.conv.weight[0] = 100 * torch.tensor([1.0, -1, 1, -1, 1, -1, 1, -1]).reshape(-1, 1, 1)
        network.merge.pointwise.conv.weight[:] = network.merge.pointwise.conv.weight[:1]
        network.merge.pointwise.conv.weight[::2, :2] += 0.01
        network.merge.pointwise.conv.bias[:] = 1
    found = rounded(quantize(convert(network, SIZE), soft(12)))
    assert found
    assert not any("last" in name for name in found)


def test_products_of_two_weights_with_any_activations_fit_16_bits(model: ov.Model):
    for one in convolutions(model):
        steps = weight_steps(one).reshape(-1, *[1] * (one.weights.ndim - 1))
        whole = np.round(one.weights / steps)
        assert np.abs(whole).max() <= 127
        if not one.depthwise:
            pairs = whole[:, : whole.shape[1] // 2 * 2].reshape(len(whole), -1, 2, *whole.shape[2:])
            for sign in (1, -1):
                assert (sign * pairs).clip(0).sum(2).max() * 255 < 2**15


def test_a_network_without_convolutions_stays_as_it_is():
    values = ops.parameter([-1, 4], ov.Type.f32)
    network = ov.Model([ops.relu(values)], [values])
    batch = np.float32([[1, -2, 3, -4]])
    np.testing.assert_array_equal(in_f32(quantize(network, [batch]))(batch)[0], batch.clip(0))


def test_onnx_rounds_as_the_copy_does(copy: ov.Model):
    every = copy.clone()
    written = to_onnx(every, ["images", "chance", "features"])
    assert [one.name for one in (*written.graph.input, *written.graph.output)] == [
        "images",
        "chance",
        "features",
    ]
    kinds = [node.op_type for node in written.graph.node]
    assert kinds.count("QuantizeLinear") > 0
    weights = [
        one for one in written.graph.initializer if one.data_type == onnx.TensorProto.INT8 and one.dims
    ]
    assert len([one for one in weights if len(one.dims) == 4]) == len(rounded(copy))
    read = ov.Core().read_model(written.SerializeToString())
    for size in (SIZE, (64, 48)):
        batch = np.concatenate(soft(2, size))
        for one, other in zip(in_f32(copy)(batch), in_f32(read)(batch), strict=True):
            assert decibels(one, other) > 35


def test_what_onnx_cannot_say_is_refused():
    values = ops.parameter([-1, 4], ov.Type.f32)
    with pytest.raises(SepcamError, match="the operation Selu cannot be written as int8 ONNX: use --format"):
        to_onnx(
            ov.Model([ops.selu(values, np.float32(1), np.float32(1))], [values]), ["values", "values_out"]
        )
