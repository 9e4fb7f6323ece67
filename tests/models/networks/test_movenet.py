"""The MoveNets give TensorFlow.js's outputs, in both forms, in both runtimes, at any size."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from sepcam.models.layers.conversion import to_standard
from sepcam.models.networks.movenet import BOX_HEADS, HEADS, lightning, multipose, thunder
from sepcam.models.networks.people import PeopleMaps
from sepcam.models.profiling.cost import profile
from sepcam.models.profiling.equivalence import verify
from sepcam.models.runtime.compile import compile_network
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.models.weights.bundled import read_bundled
from sepcam.models.weights.importers import load_convs
from sepcam.models.weights.movenet import in_module_order
from sepcam.models.weights.store import WeightStore
from sepcam.models.weights.tfjs import read_tfjs

WEIGHTS = WeightStore().path("people")

GOLDEN = Path(__file__).parents[2] / "golden"
FRAME = cv2.imread(str(GOLDEN / "market_street.png"))
NETWORKS = {"lightning": lightning, "thunder": thunder, "multipose": multipose}


def golden_crop(golden):
    y, x, h, w = golden["crop"]
    return torch.from_numpy(np.ascontiguousarray(FRAME[None, y : y + h, x : x + w]))


def check_parity(network, golden, atol):
    """Every head's own outputs, before any sigmoid, at the cells that the reference has."""
    step = int(golden["step"])
    with torch.inference_mode():
        features = network.features(golden_crop(golden))
        for name, head in network.heads.items():
            ours = head(features)[0].permute(1, 2, 0).numpy()[::step, ::step]
            np.testing.assert_allclose(ours, golden[name], atol=atol, rtol=0, err_msg=name)


@pytest.mark.parametrize("name", NETWORKS)
def test_googles_files_give_the_outputs_of_tensorflow_js(name, movenet_files):
    network = NETWORKS[name]().eval()
    load_convs(network, in_module_order(network, read_tfjs(movenet_files / f"movenet-{name}.json")))
    golden = np.load(GOLDEN / f"movenet-{name}.npz")
    # Thunder's logits are up to ten times larger than the others'.
    check_parity(network, golden, atol=5e-3 if name == "thunder" else 1e-3)


def test_the_weights_that_ship_give_the_outputs_of_tensorflow_js():
    network = PeopleMaps().eval()
    network.load_state_dict(read_bundled(WEIGHTS, "people"))
    check_parity(network, np.load(GOLDEN / "people.npz"), atol=1e-2)


@pytest.mark.parametrize(
    ("name", "size", "parameters", "macs"),
    [("lightning", 192, 2.32e6, 271e6), ("thunder", 256, 6.24e6, 1_220e6), ("multipose", 256, 4.72e6, 971e6)],
)
def test_its_cost_is_googles(name, size, parameters, macs):
    cost = profile(NETWORKS[name](), (1, size, size, 3))
    assert cost.params == pytest.approx(parameters, rel=5e-3)
    assert cost.macs == pytest.approx(macs, rel=2e-3)


@pytest.mark.parametrize("name", NETWORKS)
def test_separable_and_standard_are_the_same_function(name):
    torch.manual_seed(0)
    network = NETWORKS[name]().eval()
    verdict = verify(network, to_standard(network), torch.randint(0, 256, (1, 64, 64, 3), dtype=torch.uint8))
    assert verdict.same_function, verdict
    assert verdict.depthwise_layers == 17 + 3 + len(network.heads)


@pytest.mark.parametrize("size", [(32, 32), (96, 64), (256, 416), (480, 640)])
def test_any_multiple_of_32_gives_a_cell_for_every_4_pixels(size):
    network = multipose().to("meta")
    outputs = network(torch.empty((2, *size, 3), dtype=torch.uint8, device="meta"))
    channels = [*HEADS.values(), *BOX_HEADS.values()]
    assert [tuple(out.shape) for out in outputs] == [(2, c, size[0] // 4, size[1] // 4) for c in channels]


def test_torch_and_openvino_agree(tmp_path):
    network = PeopleMaps().eval()
    network.load_state_dict(read_bundled(WEIGHTS, "people"))
    images = cv2.resize(FRAME, (160, 96))[None]
    outputs = []
    for runtime in ("torch", "openvino"):
        options = RuntimeOptions(runtime=runtime, device="cpu")
        outputs.append(compile_network(network, (96, 160), options, cache_dir=tmp_path)(images))
    for one, other in zip(*outputs, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3, rtol=1e-4)
