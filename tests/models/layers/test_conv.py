"""The toggle computes the same function at another cost, and costs are those of the paper."""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from sepcam.models.layers.conv import Conv2dSame, DepthwiseSeparable, InvertedResidual, Normalize
from sepcam.models.layers.conversion import as_kind, is_depthwise, paper_baseline, to_standard
from sepcam.models.networks.mobilenet import MobileNetV1
from sepcam.models.networks.ssd import SSDLitePerson, SSDMobileNetV1
from sepcam.models.networks.yolox import YOLOXNano
from sepcam.models.profiling.cost import profile
from torch import nn
from torch.nn.utils.parametrizations import weight_norm
from torch.utils.flop_counter import FlopCounterMode

NETWORKS = [
    (SSDLitePerson, (300, 300)),
    (lambda: SSDLitePerson(heads=2), (332, 364)),
    (SSDMobileNetV1, (300, 300)),
    (YOLOXNano, (64, 96)),
    (MobileNetV1, (224, 224)),
]
CONVS = {
    False: {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d},
    True: {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d},
}


@pytest.fixture(autouse=True)
def _reproducible():
    torch.manual_seed(0)
    with torch.no_grad():
        yield


def picture(*size: int) -> torch.Tensor:
    return torch.randint(0, 256, (1, *size, 3), dtype=torch.uint8)


@settings(max_examples=60, deadline=None)
@given(
    dims=st.integers(1, 3),
    transposed=st.booleans(),
    channels=st.integers(2, 5),
    multiplier=st.integers(1, 3),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    padding=st.integers(0, 2),
    mode=st.sampled_from(["zeros", "reflect", "replicate", "circular"]),
    bias=st.booleans(),
)
def test_any_depthwise_convolution_becomes_a_full_one_of_the_same_function(
    dims, transposed, channels, multiplier, kernel, stride, dilation, padding, mode, bias
):
    options = {"padding_mode": "zeros" if transposed else mode, "bias": bias, "groups": channels}
    conv = CONVS[transposed][dims](
        channels, channels * multiplier, kernel, stride, padding, dilation=dilation, **options
    )
    x = torch.randn(2, channels, *[9] * dims)

    full = to_standard(conv)

    assert full.groups == 1
    with torch.no_grad():
        torch.testing.assert_close(full(x), conv(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("build", "size"), NETWORKS)
def test_a_network_predicts_the_same_in_both_kinds(build, size):
    network = build().eval()
    x = picture(*size)
    standard = as_kind(network, "standard")

    assert any(is_depthwise(m) for m in network.modules())
    assert not any(is_depthwise(m) for m in standard.modules())
    for separable_out, standard_out in zip(network(x), standard(x), strict=True):
        torch.testing.assert_close(standard_out, separable_out, atol=1e-5, rtol=1e-4)


def test_separable_is_the_network_itself():
    network = nn.Conv2d(4, 4, 3, groups=4)
    assert as_kind(network, "separable") is network


def test_another_kind_is_an_error():
    with pytest.raises(ValueError, match="'separable' or 'standard'"):
        as_kind(nn.Identity(), "dense")  # pyright: ignore[reportArgumentType]


def test_the_original_is_left_as_it_was():
    network = DepthwiseSeparable(4, 8)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    to_standard(network), paper_baseline(network)
    assert network.depthwise.conv.groups == 4
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_grouped_and_ordinary_convolutions_stay_as_they_are():
    network = nn.Sequential(nn.Conv2d(4, 4, 3, groups=2), nn.Conv2d(4, 8, 1), nn.Conv2d(1, 3, 3))
    standard = to_standard(network)
    assert [m.groups for m in standard] == [2, 1, 1]
    assert [m.weight.shape for m in standard] == [m.weight.shape for m in network]


def test_a_parametrised_weight_is_made_plain():
    conv = weight_norm(nn.Conv2d(3, 3, 3, groups=3))
    x = torch.randn(1, 3, 5, 5)
    torch.testing.assert_close(to_standard(conv)(x), conv(x))


def test_a_weight_that_a_hook_recomputes_is_refused():
    with pytest.warns(FutureWarning):
        conv = nn.utils.weight_norm(nn.Conv2d(3, 3, 3, groups=3))
    with pytest.raises(ValueError, match="weight norm"):
        to_standard(nn.Sequential(conv))


def test_a_convolution_that_occurs_twice_stays_one():
    shared = nn.Conv2d(3, 3, 1, groups=3)
    standard = to_standard(nn.Sequential(shared, shared))
    assert standard[0] is standard[1]


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation", "before"),
    [(6, 3, 2, 1, 0), (5, 3, 2, 1, 1), (6, 3, 1, 1, 1), (7, 5, 2, 1, 2), (8, 5, 2, 1, 1), (6, 3, 1, 2, 2)],
)
def test_same_padding_puts_the_odd_pixel_right_and_below(size, kernel, stride, dilation, before):
    conv = Conv2dSame(1, 1, kernel, stride, dilation=dilation, bias=False)
    conv.weight.fill_(0.0)[..., 0, 0] = 1.0  # copies the top left pixel under the kernel
    x = torch.arange(1.0, size * size + 1).reshape(1, 1, size, size)

    out = conv(x)

    outputs = -(-size // stride)
    positions = torch.arange(outputs) * stride - before
    padded = torch.nn.functional.pad(x, (9, 9, 9, 9))[0, 0]
    assert torch.equal(out[0, 0], padded[positions + 9][:, positions + 9])


def test_normalize_swaps_channels_and_scales():
    pixels = torch.tensor([[[[0, 51, 255]]]], dtype=torch.uint8)
    assert Normalize(1 / 255, 0.0, rgb=True)(pixels).flatten().tolist() == pytest.approx([1.0, 0.2, 0.0])
    assert Normalize(1.0, 0.0, rgb=False)(pixels).flatten().tolist() == [0, 51, 255]
    assert Normalize(2 / 255, -1.0, rgb=False)(pixels).shape == (1, 3, 1, 1)


def test_an_inverted_residual_adds_its_input_only_where_shapes_agree():
    x = torch.randn(1, 4, 6, 6)
    same = InvertedResidual(4, 4).eval()
    for parameter in same.parameters():
        parameter.zero_()
    assert torch.equal(same(x), x)
    assert InvertedResidual(4, 4, stride=2)(x).shape == (1, 4, 3, 3)
    assert InvertedResidual(4, 6, expansion=1)(x).shape == (1, 6, 6, 6)


def test_mobilenet_v1_costs_what_the_paper_says_in_both_forms():
    with torch.device("meta"):
        network = MobileNetV1()
    separable = profile(network, (1, 224, 224, 3))
    standard = profile(paper_baseline(network), (1, 224, 224, 3))
    assert (separable.macs, separable.params) == (
        pytest.approx(569e6, rel=0.01),
        pytest.approx(4.2e6, rel=0.01),
    )
    assert (standard.macs, standard.params) == (
        pytest.approx(4866e6, rel=0.01),
        pytest.approx(29.3e6, rel=0.01),
    )


@pytest.mark.parametrize(("build", "size"), NETWORKS)
@pytest.mark.parametrize("form", [lambda m: m, to_standard, paper_baseline])
def test_multiply_adds_are_half_of_what_torch_counts_as_operations(build, size, form):
    with torch.device("meta"):
        network = form(build())
    with FlopCounterMode(display=False) as counter:
        network(torch.empty((1, *size, 3), dtype=torch.uint8, device="meta"))
    assert profile(network, (1, *size, 3)).macs == counter.get_total_flops() // 2


def test_transposed_and_linear_layers_are_counted():
    up = nn.ConvTranspose2d(3, 5, 2, 2)
    assert profile(up, (1, 3, 7, 7), dtype=torch.float32).macs == 3 * 5 * 4 * 49
    linear = nn.Linear(6, 4)
    cost = profile(linear, (2, 10, 6), dtype=torch.float32)
    assert (cost.macs, cost.params) == (20 * 24, 28)


def test_the_paper_baseline_runs_and_has_no_separable_pair_left():
    network = SSDLitePerson().eval()
    twin = paper_baseline(network)
    x = picture(300, 300)
    assert [o.shape for o in twin(x)] == [o.shape for o in network(x)]
    assert not any(isinstance(m, DepthwiseSeparable) for m in twin.modules())
