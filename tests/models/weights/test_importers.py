"""Weights come out of other frameworks' files as they went in. The files are made here, byte by byte."""

import struct
from pathlib import Path

import flatbuffers
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import tflite
import torch
from hypothesis import HealthCheck, given, settings
from sepcam.models.weights.importers import (
    ConvWeights,
    load_convs,
    read_onnx,
    read_tf_graph,
    read_tflite,
)
from sepcam.models.weights.protobuf import Message
from torch import nn

RNG = np.random.default_rng(0)


# --- a writer of protocol buffers ---


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | float | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def message(*fields: tuple[int, int | float | str | bytes]) -> bytes:
    return b"".join(field(*f) for f in fields)


@given(st.integers(-(2**63), 2**63 - 1), st.text(), st.lists(st.floats(width=32, allow_nan=False)))
def test_wire_values_are_read_as_they_were_written(number, text, floats):
    packed = b"".join(struct.pack("<f", x) for x in floats)
    read = Message(memoryview(message((1, number), (2, text), (3, packed), (2, "last"), (200, -1))))
    assert read.integer(1) == number
    assert (read.texts(2), read.text(2)) == ([text, "last"], "last")
    assert read.floats(3) == floats
    assert (read.ints(200), read.integer(9, default=7), read.data(9)) == ([-1], 7, None)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data):
    try:
        Message(memoryview(data))
    except ValueError as error:
        assert str(error)


# --- ONNX ---


def onnx_tensor(name: str, values: np.ndarray, *, raw: bool = True) -> bytes:
    dims = [(1, d) for d in values.shape]
    data = (9, values.tobytes()) if raw else (4, values.astype("<f4").tobytes())
    return message(*dims, (2, {"float32": 1, "float16": 10}[values.dtype.name]), (8, name), data)


def onnx_file(folder: Path, *nodes: bytes, tensors: list[bytes]) -> Path:
    graph = message(*((1, n) for n in nodes), *((5, t) for t in tensors))
    path = folder / "net.onnx"
    path.write_bytes(message((1, 8), (7, graph)))
    return path


def onnx_node(op: str, name: str, inputs: list[str], group: int = 1) -> bytes:
    attribute = message((1, "group"), (3, group), (20, 2))
    return message(*((1, i) for i in inputs), (2, name + "_out"), (3, name), (4, op), (5, attribute))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(hnp.arrays(np.float32, (4, 1, 3, 3), elements=st.floats(width=32, allow_nan=False)), st.booleans())
def test_onnx_convolutions_come_in_graph_order(tmp_path, kernel, raw):
    half = RNG.normal(size=(2, 4, 1, 1)).astype(np.float16)
    up = RNG.normal(size=(2, 3, 2, 2)).astype(np.float32)
    bias = np.array([1, 2], np.float32)
    path = onnx_file(
        tmp_path,
        onnx_node("Conv", "depthwise", ["x", "k"], group=4),
        onnx_node("Relu", "act", ["depthwise_out"]),
        onnx_node("Conv", "pointwise", ["act_out", "h", "b"]),
        onnx_node("ConvTranspose", "up", ["pointwise_out", "u"]),
        tensors=[
            onnx_tensor("b", bias),
            onnx_tensor("h", half),
            onnx_tensor("k", kernel, raw=raw),
            onnx_tensor("u", up),
        ],
    )
    depthwise, pointwise, transposed = read_onnx(path)
    assert (depthwise.name, depthwise.depthwise, pointwise.depthwise) == ("depthwise", True, False)
    assert np.array_equal(depthwise.weight, kernel) and not depthwise.bias.any()
    assert np.array_equal(pointwise.weight, half.astype(np.float32))
    assert np.array_equal(pointwise.bias, bias)
    assert transposed.transposed and np.array_equal(transposed.weight, up) and transposed.bias.shape == (3,)


def test_an_onnx_file_with_batch_norms_is_refused(tmp_path):
    with pytest.raises(ValueError, match="bn1 is a batch norm"):
        read_onnx(onnx_file(tmp_path, onnx_node("BatchNormalization", "bn1", ["x"]), tensors=[]))


# --- TensorFlow ---


def tf_node(name: str, op: str, *inputs: str, **attributes: bytes) -> bytes:
    entries = [(5, message((1, key), (2, value))) for key, value in attributes.items()]
    return field(1, message((1, name), (2, op), *((3, i) for i in inputs), *entries))


def tf_const(name: str, values: np.ndarray, *, fill: bool = False) -> bytes:
    shape = message(*((2, field(1, d)) for d in values.shape))
    content = (5, float(values.flat[0])) if fill else (4, values.astype("<f4").tobytes())
    return tf_node(name, "Const", value=field(8, message((1, 1), (2, shape), content)))


def test_tensorflow_batch_norms_are_folded_with_the_epsilon_of_their_node(tmp_path):
    kernel, multiplied = RNG.normal(size=(3, 3, 4, 5)), RNG.normal(size=(3, 3, 5, 2))
    gamma, beta, mean = RNG.normal(size=(3, 5))
    variance, bias = np.full(5, 0.7), RNG.normal(size=10)
    path = tmp_path / "graph.pb"
    path.write_bytes(
        tf_const("w", kernel)
        + tf_node("w/read", "Identity", "w")
        + tf_node("conv", "Conv2D", "x", "w/read")
        + b"".join(tf_const(n, v) for n, v in {"g": gamma, "b": beta, "m": mean}.items())
        + tf_const("v", variance, fill=True)
        + tf_node("bn", "FusedBatchNorm", "conv", "g", "b", "m", "v", epsilon=field(4, 0.25))
        + tf_node("act", "Relu6", "bn:0")
        + tf_const("d", multiplied)
        + tf_node("dw", "DepthwiseConv2dNative", "act", "d")
        + tf_const("bias", bias)
        + tf_node("add", "BiasAdd", "dw", "bias")
    )
    conv, depthwise = read_tf_graph(path)

    scale = gamma / np.sqrt(0.7 + 0.25)
    np.testing.assert_allclose(conv.weight, (kernel * scale).transpose(3, 2, 0, 1), rtol=1e-5)
    np.testing.assert_allclose(conv.bias, beta - mean * scale, rtol=1e-5, atol=1e-6)
    assert depthwise.depthwise and depthwise.weight.shape == (10, 1, 3, 3)
    for channel in range(5):
        for copy in range(2):  # TensorFlow numbers outputs channel * multiplier + copy
            np.testing.assert_allclose(
                depthwise.weight[channel * 2 + copy, 0], multiplied[:, :, channel, copy], rtol=1e-6
            )
    np.testing.assert_allclose(depthwise.bias, bias, rtol=1e-6)


def test_a_graph_that_is_not_frozen_is_refused(tmp_path):
    path = tmp_path / "graph.pb"
    path.write_bytes(tf_node("w", "VariableV2") + tf_node("conv", "Conv2D", "x", "w"))
    with pytest.raises(ValueError, match="w is not a constant"):
        read_tf_graph(path)


# --- TensorFlow Lite ---


class TFLiteWriter:
    """A file of one subgraph; tensors and operators are added in order."""

    def __init__(self) -> None:
        self.b = flatbuffers.Builder()
        self.tensors: list[int] = []
        self.buffers = [self._table("Buffer")]
        self.operators: list[int] = []
        self.codes: list[int] = []

    def tensor(
        self, values: np.ndarray | None, type_: int, shape=None, quantization=None, sparsity=None
    ) -> int:
        buffer = 0
        if values is not None:
            self.buffers.append(
                self._table("Buffer", Data=self.b.CreateNumpyVector(values.ravel().view(np.uint8)))
            )
            buffer = len(self.buffers) - 1
        shape_at = self._ints(shape if shape is not None else values.shape)
        name = self.b.CreateString(f"t{len(self.tensors)}")
        options = {"Quantization": quantization, "Sparsity": sparsity}
        fields = {k: v for k, v in options.items() if v is not None}
        self.tensors.append(
            self._table("Tensor", Shape=shape_at, Type=type_, Buffer=buffer, Name=name, **fields)
        )
        return len(self.tensors) - 1

    def operator(self, code: int, inputs: list[int], outputs: list[int], custom: str | None = None) -> None:
        fields = {"CustomCode": self.b.CreateString(custom)} if custom else {}
        self.codes.append(self._table("OperatorCode", DeprecatedBuiltinCode=code, BuiltinCode=code, **fields))
        self.operators.append(
            self._table(
                "Operator",
                OpcodeIndex=len(self.codes) - 1,
                Inputs=self._ints(inputs),
                Outputs=self._ints(outputs),
            )
        )

    def quantization(self, scales: list[float], zeros: list[int], dimension: int = 0) -> int:
        scale = self.b.CreateNumpyVector(np.array(scales, np.float32))
        zero = self.b.CreateNumpyVector(np.array(zeros, np.int64))
        return self._table(
            "QuantizationParameters", Scale=scale, ZeroPoint=zero, QuantizedDimension=dimension
        )

    def sparsity(
        self, order: list[int], blocks: list[int], dims: list[int | tuple[list[int], list[int]]]
    ) -> int:
        metadata = []
        for dim in dims:
            if isinstance(dim, int):
                metadata.append(self._table("DimensionMetadata", Format=0, DenseSize=dim))
                continue
            vectors = [
                self._table("Uint8Vector", Values=self.b.CreateNumpyVector(np.array(v, np.uint8)))
                for v in dim
            ]
            metadata.append(
                self._table(
                    "DimensionMetadata",
                    Format=1,
                    ArraySegmentsType=3,
                    ArraySegments=vectors[0],
                    ArrayIndicesType=3,
                    ArrayIndices=vectors[1],
                )
            )
        return self._table(
            "SparsityParameters",
            TraversalOrder=self._ints(order),
            BlockMap=self._ints(blocks),
            DimMetadata=self._tables(metadata),
        )

    def write(self, path: Path) -> Path:
        graph = self._table(
            "SubGraph", Tensors=self._tables(self.tensors), Operators=self._tables(self.operators)
        )
        model = self._table(
            "Model",
            Version=3,
            OperatorCodes=self._tables(self.codes),
            Subgraphs=self._tables([graph]),
            Buffers=self._tables(self.buffers),
        )
        self.b.Finish(model, b"TFL3")
        path.write_bytes(bytes(self.b.Output()))
        return path

    def _ints(self, values) -> int:
        return self.b.CreateNumpyVector(np.array(list(values), np.int32))

    def _tables(self, offsets: list[int]) -> int:
        self.b.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.b.PrependUOffsetTRelative(offset)
        return self.b.EndVector()

    def _table(self, kind: str, **fields: int) -> int:
        getattr(tflite, f"{kind}Start")(self.b)
        for name, value in fields.items():
            getattr(tflite, f"{kind}Add{name}")(self.b, value)
        return getattr(tflite, f"{kind}End")(self.b)


FLOAT32, FLOAT16, INT32, UINT8, INT8 = 0, 1, 2, 3, 9
CONV, DEPTHWISE, DEQUANTIZE, CUSTOM, DENSIFY = 3, 4, 6, 32, 124


def test_tflite_convolutions_are_read_in_float_half_and_custom_forms(tmp_path):
    w = TFLiteWriter()
    kernel = RNG.normal(size=(4, 3, 3, 2)).astype(np.float16)
    depthwise = RNG.normal(size=(1, 3, 3, 4)).astype(np.float32)
    up, bias = RNG.normal(size=(5, 2, 2, 4)).astype(np.float32), RNG.normal(size=5).astype(np.float32)
    x = w.tensor(None, FLOAT32, (1, 8, 8, 2))
    half = w.tensor(kernel, FLOAT16)
    single = w.tensor(None, FLOAT32, kernel.shape)
    w.operator(DEQUANTIZE, [half], [single])
    y = w.tensor(None, FLOAT32, (1, 6, 6, 4))
    w.operator(CONV, [x, single, -1], [y])
    z = w.tensor(None, FLOAT32, (1, 4, 4, 4))
    w.operator(DEPTHWISE, [y, w.tensor(depthwise, FLOAT32)], [z])
    up_at, bias_at, out = (
        w.tensor(up, FLOAT32),
        w.tensor(bias, FLOAT32),
        w.tensor(None, FLOAT32, (1, 8, 8, 5)),
    )
    w.operator(CUSTOM, [z, up_at, bias_at], [out], custom="Convolution2DTransposeBias")

    first, second, third = read_tflite(w.write(tmp_path / "net.tflite"))

    assert np.array_equal(first.weight, kernel.astype(np.float32).transpose(0, 3, 1, 2))
    assert first.bias.shape == (4,) and not first.bias.any()
    assert second.depthwise and np.array_equal(second.weight[:, 0], depthwise[0].transpose(2, 0, 1))
    assert third.transposed and np.array_equal(third.weight, up.transpose(3, 0, 1, 2))
    assert np.array_equal(third.bias, bias)


def test_tflite_quantized_weights_become_real_numbers(tmp_path):
    w = TFLiteWriter()
    x, y, z = (w.tensor(None, UINT8, (1, 4, 4, 2)) for _ in range(3))
    kernel = RNG.integers(0, 256, (2, 1, 1, 2), np.uint8)
    bias = np.array([-1000, 70000], np.int32)
    per_tensor = w.tensor(kernel, UINT8, quantization=w.quantization([0.5], [128]))
    w.operator(CONV, [x, per_tensor, w.tensor(bias, INT32, quantization=w.quantization([0.25], [0]))], [y])
    channels = RNG.integers(-128, 128, (1, 3, 3, 2)).astype(np.int8)
    per_channel = w.tensor(channels, INT8, quantization=w.quantization([0.5, 2.0], [0, 3], dimension=3))
    w.operator(DEPTHWISE, [y, per_channel], [z])

    conv, depthwise = read_tflite(w.write(tmp_path / "net.tflite"))

    assert np.array_equal(conv.weight[:, :, 0, 0], (kernel[:, 0, 0].astype(np.float32) - 128) * 0.5)
    assert conv.bias.tolist() == [-250, 17500]
    assert np.array_equal(depthwise.weight[0, 0], channels[0, :, :, 0] * np.float32(0.5))
    assert np.array_equal(depthwise.weight[1, 0], (channels[0, :, :, 1].astype(np.float32) - 3) * 2)


def test_tflite_sparse_weights_are_put_in_their_places(tmp_path):
    dense = np.zeros((4, 1, 1, 6), np.float32)
    dense[0, 0, 0, :2], dense[0, 0, 0, 4:], dense[3, 0, 0, 2:4] = (1, 2), (0, 3), (4, 5)
    stored = np.array(
        [1, 2, 0, 3, 4, 5], np.float32
    )  # the three blocks of 2 input channels that hold something
    w = TFLiteWriter()
    x, y = w.tensor(None, FLOAT32, (1, 4, 4, 6)), w.tensor(None, FLOAT32, (1, 4, 4, 4))
    # Rows and the kernel's sides are dense; of the blocks, row 0 has numbers 0 and 2, row 3 has number 1.
    sparsity = w.sparsity([0, 1, 2, 3, 4], [3], [4, 1, 1, ([0, 2, 2, 2, 3], [0, 2, 1]), 2])
    sparse = w.tensor(stored, FLOAT32, dense.shape, sparsity=sparsity)
    densified = w.tensor(None, FLOAT32, dense.shape)
    w.operator(DENSIFY, [sparse], [densified])
    w.operator(CONV, [x, densified], [y])

    (conv,) = read_tflite(w.write(tmp_path / "net.tflite"))

    assert np.array_equal(conv.weight, dense.transpose(0, 3, 1, 2))


# --- files that are something else, and networks that do not fit ---


@pytest.mark.parametrize("read", [read_onnx, read_tf_graph, read_tflite])
@pytest.mark.parametrize("data", [b"\x00not a model\xff" * 9, b"\x0a\xff", b"PK\x03\x04" + bytes(60)])
def test_another_file_is_refused(tmp_path, read, data):
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(ValueError):
        read(path)


def test_a_cut_tflite_file_is_refused(tmp_path):
    w = TFLiteWriter()
    kernel = w.tensor(
        np.ones((1, 3, 3, 1), np.float32), FLOAT32
    )  # written first, it ends up last in the file
    x, y = w.tensor(None, FLOAT32, (1, 4, 4, 1)), w.tensor(None, FLOAT32, (1, 4, 4, 1))
    w.operator(CONV, [x, kernel], [y])
    whole = w.write(tmp_path / "net.tflite").read_bytes()
    assert len(read_tflite(tmp_path / "net.tflite")) == 1
    for length in range(8, len(whole) - kernel_size(whole), 16):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(ValueError):
            read_tflite(tmp_path / "cut")


def kernel_size(file: bytes) -> int:
    return len(file) - file.index(np.ones(9, np.float32).tobytes())


def conv_weights(*shape: int, **kind: bool) -> ConvWeights:
    weight = RNG.normal(size=shape).astype(np.float32)
    return ConvWeights("theirs", weight, RNG.normal(size=shape[0]).astype(np.float32), **kind)


def test_convolutions_fill_a_network_in_the_order_of_its_definition():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.ReLU()))
    convs = [conv_weights(4, 3, 3, 3), conv_weights(4, 1, 3, 3, depthwise=True)]
    load_convs(network, convs)
    assert np.array_equal(network[0].weight.detach(), convs[0].weight)
    assert np.array_equal(network[1][0].bias.detach(), convs[1].bias)


@pytest.mark.parametrize(
    ("convs", "message"),
    [
        ([conv_weights(4, 3, 3, 3)], "has 1 convolutions, the network 2"),
        ([conv_weights(4, 3, 3, 3), conv_weights(4, 4, 3, 3)], "shapes differ"),
        ([conv_weights(4, 3, 3, 3), conv_weights(4, 1, 3, 3)], "only one is depthwise"),
        ([conv_weights(4, 3, 3, 3), conv_weights(4, 1, 3, 3, transposed=True)], "transposed"),
        (
            [
                conv_weights(4, 3, 3, 3),
                ConvWeights("theirs", np.ones((4, 1, 3, 3), np.float32), np.ones(1), True),
            ],
            "shapes differ",
        ),
    ],
)
def test_convolutions_that_do_not_fit_change_nothing(convs, message):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3, groups=4))
    before = network[0].weight.detach().clone()
    with pytest.raises(ValueError, match=message):
        load_convs(network, convs)
    assert torch.equal(network[0].weight, before)
