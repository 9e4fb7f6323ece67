"""The BlazePose network gives LiteRT's numbers, in torch and in OpenVINO, with and without its mask.

The references in golden/ are LiteRT's outputs for two crops (the mask at every second pixel, the heatmaps at
every fourth, both rounded to float16 when they were stored).
"""

import copy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from sepcam.models.layers.conversion import as_kind
from sepcam.models.networks.blazepose import BlazePoseLandmarks
from sepcam.models.profiling.cost import profile
from sepcam.models.runtime.compile import compile_network
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.models.weights.store import WeightStore

GOLDEN = sorted((Path(__file__).parents[2] / "golden").glob("blazepose_*.npz"))


@pytest.fixture(scope="module")
def network():
    network = BlazePoseLandmarks().eval()
    network.load_state_dict(WeightStore().load("blazepose-full"))
    return network


@pytest.fixture(scope="module", params=["torch", "openvino"])
def runner(request, network):
    options = RuntimeOptions(runtime=request.param, device="cpu", precision="f32", threads=2)
    return compile_network(copy.deepcopy(network), (256, 256), options, max_batch=2)


@pytest.fixture(scope="module")
def crops():
    pictures = [cv2.imdecode(np.load(path)["image_png"], cv2.IMREAD_COLOR) for path in GOLDEN]
    return np.stack(pictures)


def reference(name):
    return np.stack([np.load(path)[name] for path in GOLDEN]).astype(np.float32)


def run(network, images):
    with torch.inference_mode():
        return [output.numpy() for output in network(torch.from_numpy(images))]


def test_there_are_references():
    assert [path.name for path in GOLDEN] == ["blazepose_a.npz", "blazepose_b.npz"]


def test_agrees_with_litert_in_every_runtime(runner, crops):
    landmarks, presence, mask, heatmaps, world = runner(crops)
    np.testing.assert_allclose(landmarks, reference("landmarks")[:, 0], atol=0.05)
    np.testing.assert_allclose(presence, reference("presence")[:, 0], atol=1e-4)
    np.testing.assert_allclose(world, reference("world")[:, 0], atol=1e-4)
    # float16 is good to 0.5 at 1,500 and to 0.03 at 40.
    np.testing.assert_allclose(mask[:, ::2, ::2], reference("mask_logits_every_2nd"), atol=1)
    np.testing.assert_allclose(heatmaps[:, ::4, ::4], reference("heatmaps_every_4th"), atol=0.1)


def test_a_batch_gives_what_single_crops_give(network, crops):
    together = run(network, crops)
    for i in range(len(crops)):
        for batched, alone in zip(together, run(network, crops[i : i + 1]), strict=True):
            np.testing.assert_allclose(batched[i : i + 1], alone, rtol=1e-4, atol=0.02)


def test_without_its_mask_the_other_outputs_stay_and_the_work_shrinks(network, crops):
    slim = network.without_mask()
    landmarks, presence, _mask, heatmaps, world = run(network, crops)
    for got, wanted in zip(run(slim, crops), [landmarks, presence, heatmaps, world], strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert profile(slim, (1, 256, 256, 3)).macs < profile(network, (1, 256, 256, 3)).macs
    assert len(run(network, crops[:1])) == 5  # the original still has its mask


def test_costs_what_the_file_costs():
    cost = profile(BlazePoseLandmarks(), (1, 256, 256, 3))
    assert cost.macs == 386_148_736
    assert cost.params == 3_169_489


def test_standard_convolutions_give_the_same_predictions(network, crops):
    separable = run(network, crops[:1])
    standard = run(as_kind(network, "standard"), crops[:1])
    for name, tolerance, a, b in zip(
        ["landmarks", "presence", "mask", "heatmaps", "world"],
        [0.01, 1e-4, 0.5, 0.01, 1e-4],
        separable,
        standard,
        strict=True,
    ):
        np.testing.assert_allclose(a, b, atol=tolerance, err_msg=name)
