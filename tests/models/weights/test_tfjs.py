"""The convolutions of TensorFlow.js graph models are read, and damaged files are refused clearly."""

import json
import re

import numpy as np
import pytest
import torch
from sepcam.models.networks.movenet import lightning, multipose
from sepcam.models.weights.importers import load_convs
from sepcam.models.weights.movenet import in_module_order
from sepcam.models.weights.tfjs import read_tfjs

from tests.models.weights.graph_model import GraphModel, write_movenet


@pytest.fixture
def model():
    """A convolution with a bias and a depthwise one without, in float32."""
    rng = np.random.default_rng(0)
    graph = GraphModel()
    kernel = graph.tensor("a/kernel", rng.normal(size=(3, 3, 2, 4)).astype(np.float32))
    bias = graph.tensor("a/bias", rng.normal(size=4).astype(np.float32))
    graph.conv("a", "_FusedConv2D", kernel, bias)
    graph.conv("b", "DepthwiseConv2dNative", graph.tensor("b/kernel", np.ones((3, 3, 4, 1), np.float32)))
    return graph


def test_convolutions_come_in_torchs_layout(model, tmp_path):
    one, two = read_tfjs(model.write(tmp_path))
    kernel = np.frombuffer(model.content, np.float32, 72).reshape(3, 3, 2, 4)
    np.testing.assert_array_equal(one.weight, kernel.transpose(3, 2, 0, 1))
    np.testing.assert_array_equal(one.bias, np.frombuffer(model.content, np.float32, 4, 72 * 4))
    assert (one.name, one.depthwise, two.name, two.depthwise) == ("a", False, "b", True)
    assert two.weight.shape == (4, 1, 3, 3) and two.bias.tolist() == [0, 0, 0, 0]


def test_weights_may_lie_in_several_files(model, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "many").mkdir()
    one, many = read_tfjs(model.write(tmp_path / "one")), read_tfjs(model.write(tmp_path / "many", shards=3))
    np.testing.assert_array_equal(one[0].weight, many[0].weight)


@pytest.mark.parametrize(("dtype", "levels"), [("float16", None), ("uint8", 255), ("uint16", 65535)])
def test_reduced_weights_become_float32(dtype, levels, tmp_path):
    exact = np.random.default_rng(1).normal(size=(1, 1, 8, 8)).astype(np.float32)
    graph = GraphModel()
    if levels is None:
        name = graph.tensor("k", exact.astype(dtype))
        step = 2e-3
    else:
        low, scale = float(exact.min()), float(np.ptp(exact)) / levels
        name = graph.tensor("k", np.round((exact - low) / scale).astype(dtype), min=low, scale=scale)
        step = 0.51 * scale
    graph.conv("a", "Conv2D", name)
    (conv,) = read_tfjs(graph.write(tmp_path))
    assert conv.weight.dtype == np.float32
    np.testing.assert_allclose(conv.weight, exact.transpose(3, 2, 0, 1), atol=step)


def damage_json(change):
    def damage(path):
        model = json.loads(path.read_text())
        change(model)
        path.write_text(json.dumps(model))

    return damage


def resize_bin(change):
    return lambda path: path.with_name("m0.bin").write_bytes(change(path.with_name("m0.bin").read_bytes()))


DAMAGES = {
    "cut weights": (resize_bin(lambda b: b[:-8]), "end within b/kernel"),
    "more weights": (resize_bin(lambda b: b + b"12"), "m0.bin should have"),
    "cut model": (lambda path: path.write_text(path.read_text()[:100]), "m.json is not JSON"),
    "bytes": (lambda path: path.write_bytes(b"\xff\xfe\x00\x80"), "m.json is not JSON"),
    "a list": (lambda path: path.write_text("[1]"), "not a graph model"),
    "no graph": (damage_json(lambda m: m.pop("modelTopology")), "not a graph model"),
    "no manifest": (damage_json(lambda m: m.pop("weightsManifest")), "not a graph model"),
    "strings": (
        damage_json(lambda m: m["weightsManifest"][0]["weights"][0].update(dtype="string")),
        "a/kernel has an unsupported type 'string'",
    ),
    "a negative side": (
        damage_json(lambda m: m["weightsManifest"][0]["weights"][0].update(shape=[3, 3, 2, -4])),
        "a/kernel has an unsupported",
    ),
    "a flat kernel": (
        damage_json(lambda m: m["weightsManifest"][0]["weights"][0].update(shape=[72])),
        "a has a kernel of shape (72,)",
    ),
    "another bias": (
        damage_json(lambda m: m["modelTopology"]["node"][2]["input"].__setitem__(2, "a/kernel")),
        "a has 4 outputs and a bias of shape (3, 3, 2, 4)",
    ),
    "computed weights": (
        damage_json(lambda m: m["modelTopology"]["node"][2]["input"].__setitem__(1, "b")),
        "b has no weights in the file",
    ),
    "a circle": (
        damage_json(
            lambda m: (
                m["modelTopology"]["node"][2].update(op="Identity", input=["a"])
                or m["modelTopology"]["node"][4]["input"].__setitem__(1, "a")
            )
        ),
        "a has no weights in the file",
    ),
    "files elsewhere": (
        damage_json(lambda m: m["weightsManifest"][0].update(paths=["../m0.bin"])),
        "must lie beside the model",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_model_is_refused(name, model, tmp_path):
    damage, message = DAMAGES[name]
    path = model.write(tmp_path)
    damage(path)
    with pytest.raises(ValueError, match=re.escape(message)):
        read_tfjs(path)


def test_a_missing_weights_file_is_an_os_error_that_names_it(model, tmp_path):
    path = model.write(tmp_path)
    (tmp_path / "m0.bin").unlink()
    with pytest.raises(OSError, match=r"m0\.bin"):
        read_tfjs(path)


def test_googles_names_find_their_place_whatever_their_order(tmp_path):
    torch.manual_seed(0)
    theirs, ours = lightning(), lightning()
    load_convs(ours, in_module_order(ours, read_tfjs(write_movenet(theirs, tmp_path))))
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), name


@pytest.mark.parametrize(
    ("file", "wanted", "message"),
    [(lightning, multipose, "it lacks heads.box"), (multipose, lightning, "it also has heads.box")],
)
def test_the_weights_of_another_movenet_are_refused(file, wanted, message, tmp_path):
    path = write_movenet(file(), tmp_path)
    with pytest.raises(ValueError, match=message):
        in_module_order(wanted(), read_tfjs(path))
