"""Convolution weights out of other projects' files: TFLite, frozen TensorFlow graphs, ONNX.

`checkpoints` reads torch files. Each reader returns the file's convolutions in graph order, as float32 in
PyTorch's layout; `load_convs` puts them into one of our networks, whose modules are defined in that order.
Nothing here runs a graph.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ..types import F32
from .protobuf import Message

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class ConvWeights:
    """One convolution of a foreign graph, with batch norm folded in.

    Attributes:
        name: what the file calls it.
        weight: float32, (O, I / groups, kh, kw); of a transposed convolution (I, O, kh, kw).
        bias: (O,) float32, zeros where the file has none.
        depthwise: each input channel has its own kernels (groups == I).
        transposed: it is a transposed convolution.
    """

    name: str
    weight: F32
    bias: F32
    depthwise: bool = False
    transposed: bool = False


def load_convs(module: nn.Module, convs: Sequence[ConvWeights]) -> None:
    """Fill a network's convolutions, in the order in which its modules are defined.

    Args:
        module: network whose Conv2d and ConvTranspose2d layers all have a bias, or a zero one in ``convs``.
        convs: as a reader of this module returns them.

    Raises:
        ValueError: If their number, a shape or a kind differs; the network is then left as it was.
    """
    layers = [(n, m) for n, m in module.named_modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    if len(layers) != len(convs):
        raise ValueError(f"the file has {len(convs)} convolutions, the network {len(layers)}")
    for (name, layer), conv in zip(layers, convs, strict=True):
        _check_fit(name, layer, conv)
    with torch.no_grad():
        for (_, layer), conv in zip(layers, convs, strict=True):
            layer.weight.copy_(torch.from_numpy(conv.weight))
            if layer.bias is not None:
                layer.bias.copy_(torch.from_numpy(conv.bias))


def _check_fit(name: str, layer: nn.Conv2d | nn.ConvTranspose2d, conv: ConvWeights) -> None:
    ours = f"{name} {tuple(layer.weight.shape)}"
    theirs = f"{conv.name} {conv.weight.shape}, bias {conv.bias.shape}"
    if tuple(layer.weight.shape) != conv.weight.shape or conv.bias.shape != (layer.out_channels,):
        raise ValueError(f"shapes differ: network {ours}, file {theirs}")
    if isinstance(layer, nn.ConvTranspose2d) != conv.transposed:
        raise ValueError(f"only one is a transposed convolution: network {ours}, file {theirs}")
    depthwise = layer.groups > 1 and layer.groups == layer.in_channels
    if depthwise != conv.depthwise:
        raise ValueError(f"only one is depthwise: network {ours}, file {theirs}")
    if layer.bias is None and conv.bias.any():
        raise ValueError(f"the file has a bias that the network lacks: network {ours}, file {theirs}")


# --- ONNX -------------------------------------------------------------------------------------------------

_ONNX_DTYPES = {1: np.float32, 6: np.int32, 7: np.int64, 10: np.float16, 11: np.float64}


def read_onnx(path: Path | str) -> list[ConvWeights]:
    """Convolutions of an ONNX file, in graph order.

    Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is no ONNX file, or has batch norms that are not folded into its convolutions.
    """
    graphs = Message(memoryview(Path(path).read_bytes())).messages(7)
    if len(graphs) != 1:
        raise ValueError("not an ONNX file")
    tensors = {m.text(8): m for m in graphs[0].messages(5)}
    convs = []
    for node in graphs[0].messages(1):
        kind, inputs = node.text(4), node.texts(1)
        if kind == "BatchNormalization":
            raise ValueError(f"{node.text(3) or 'a node'} is a batch norm: export with batch norms folded")
        if kind in ("Conv", "ConvTranspose"):
            convs.append(_onnx_conv(node, [tensors[i] for i in inputs[1:] if i in tensors]))
    return convs


def _onnx_conv(node: Message, parameters: list[Message]) -> ConvWeights:
    name = node.text(3) or (node.texts(2) or ["conv"])[0]
    if not parameters:
        raise ValueError(f"{name} has no constant weights")
    weight, *rest = [_onnx_tensor(m) for m in parameters]
    groups = next((a.integer(3, 1) for a in node.messages(5) if a.text(1) == "group"), 1)
    transposed = node.text(4) == "ConvTranspose"
    channels = weight.shape[1] * groups if transposed else weight.shape[0]
    bias = rest[0] if rest else np.zeros(channels, np.float32)
    depthwise = groups > 1 and not transposed and weight.shape[1] == 1
    return ConvWeights(name, weight, bias, depthwise=depthwise, transposed=transposed)


def _onnx_tensor(tensor: Message) -> F32:
    dtype = _ONNX_DTYPES.get(tensor.integer(2))
    if dtype is None:
        raise ValueError(f"tensor {tensor.text(8)} has an unsupported type {tensor.integer(2)}")
    raw = tensor.data(9)
    flat = np.frombuffer(raw, dtype) if raw is not None else np.array(tensor.floats(4), np.float32)
    return np.array(flat.reshape(tensor.ints(1)), np.float32)


# --- TensorFlow -------------------------------------------------------------------------------------------

_TF_CONVS = ("Conv2D", "DepthwiseConv2dNative")
_TF_NORMS = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")


@dataclass(frozen=True, slots=True)
class _TFNode:
    name: str
    op: str
    inputs: list[str]
    attributes: dict[str, Message]


def read_tf_graph(path: Path | str) -> list[ConvWeights]:
    """Convolutions of a frozen TensorFlow graph (GraphDef), in graph order, batch norms folded in.

    Field numbers are those of tensorflow/core/framework/{graph,node_def,attr_value,tensor}.proto.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is no frozen graph.
    """
    nodes = [_tf_node(m) for m in Message(memoryview(Path(path).read_bytes())).messages(1)]
    by_name = {node.name: node for node in nodes}
    consumers: dict[str, list[_TFNode]] = {}
    for node in nodes:
        for name in node.inputs:
            consumers.setdefault(name, []).append(node)
    return [_tf_conv(node, by_name, consumers) for node in nodes if node.op in _TF_CONVS]


def _tf_node(message: Message) -> _TFNode:
    inputs = [name.split(":")[0].lstrip("^") for name in message.texts(3)]
    attributes = {entry.text(1): entry.messages(2)[0] for entry in message.messages(5)}
    return _TFNode(message.text(1), message.text(2), inputs, attributes)


def _tf_conv(node: _TFNode, by_name: dict[str, _TFNode], consumers: dict[str, list[_TFNode]]) -> ConvWeights:
    weight = _tf_constant(node.inputs[1], by_name)
    depthwise = node.op != "Conv2D"
    if depthwise:  # HWIM -> (I * M, 1, H, W)
        kh, kw, channels, multiplier = weight.shape
        weight = weight.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, kh, kw)
    else:  # HWIO -> OIHW
        weight = weight.transpose(3, 2, 0, 1)
    bias = np.zeros(len(weight))
    after = consumers.get(node.name, [])
    if len(after) == 1 and after[0].op in _TF_NORMS:
        norm = after[0]
        gamma, beta, mean, variance = (_tf_constant(name, by_name) for name in norm.inputs[1:5])
        epsilon = norm.attributes["epsilon"].floats(4)[0] if "epsilon" in norm.attributes else 1e-4
        scale = gamma / np.sqrt(variance + epsilon)
        weight, bias = weight * scale[:, None, None, None], beta - mean * scale
    elif len(after) == 1 and after[0].op == "BiasAdd":
        bias = _tf_constant(after[0].inputs[1], by_name)
    return ConvWeights(node.name, _contiguous(weight), _contiguous(bias), depthwise=depthwise)


def _tf_constant(name: str, by_name: dict[str, _TFNode]) -> npt.NDArray[np.float64]:
    node = by_name.get(name)
    while node is not None and node.op == "Identity":
        node = by_name.get(node.inputs[0])
    if node is None or node.op != "Const":
        raise ValueError(f"{name} is not a constant: not a frozen graph")
    tensor = node.attributes["value"].messages(8)[0]
    if tensor.integer(1) != 1:
        raise ValueError(f"{name} is not a float32 tensor")
    shape = [dim.integer(1) for shape in tensor.messages(2) for dim in shape.messages(2)]
    content = tensor.data(4)
    flat = np.frombuffer(content, "<f4") if content else np.array(tensor.floats(5), np.float32)
    if flat.size == 1:  # TensorFlow stores a constant fill as its one value
        flat = np.full(int(np.prod(shape)), flat[0])
    return flat.reshape(shape).astype(np.float64)


def _contiguous(values: npt.NDArray[np.float64]) -> F32:
    return np.ascontiguousarray(values, np.float32)


# --- TensorFlow Lite --------------------------------------------------------------------------------------

_TFLITE_DTYPES = {0: np.float32, 1: np.float16, 2: np.int32, 3: np.uint8, 4: np.int64, 9: np.int8}
_TFLITE_CUSTOM = 32
_TFLITE_OPS = {3: "CONV_2D", 4: "DEPTHWISE_CONV_2D", 6: "DEQUANTIZE", 124: "DENSIFY"}
_TFLITE_TRANSPOSED = "Convolution2DTransposeBias"
_TFLITE_CONVS = ("CONV_2D", "DEPTHWISE_CONV_2D", _TFLITE_TRANSPOSED)


def read_tflite(path: Path | str) -> list[ConvWeights]:
    """Convolutions of a TensorFlow Lite file, in graph order.

    fp16 (DEQUANTIZE), sparse (DENSIFY) and quantized weights, per tensor or per channel, all become float32.
    MediaPipe's custom op Convolution2DTransposeBias is read as a transposed convolution.
    Format: tensorflow/compiler/mlir/lite/schema/schema.fbs.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is no TFLite file, or has weights of an unsupported type.
    """
    import tflite

    data = Path(path).read_bytes()
    if data[4:8] != b"TFL3":
        raise ValueError("not a TensorFlow Lite file")
    try:
        return _TFLiteFile(tflite.Model.GetRootAs(data, 0)).convs()
    except (struct.error, IndexError, AttributeError) as error:  # what flatbuffers does with a cut file
        raise ValueError(f"the TensorFlow Lite file is damaged: {error}") from error


class _TFLiteFile:
    def __init__(self, model: Any) -> None:  # noqa: ANN401 - generated flatbuffers classes have no types
        self._model = model
        self._graph = model.Subgraphs(0)
        self._source: dict[int, int] = {}  # output of a DEQUANTIZE or DENSIFY -> the constant behind it

    def convs(self) -> list[ConvWeights]:
        convs = []
        for i in range(self._graph.OperatorsLength()):
            operator = self._graph.Operators(i)
            name = self._op_name(operator)
            inputs: list[int] = [operator.Inputs(k) for k in range(operator.InputsLength())]
            if name in ("DEQUANTIZE", "DENSIFY"):
                self._source[operator.Outputs(0)] = self._source.get(inputs[0], inputs[0])
            elif name in _TFLITE_CONVS:
                convs.append(self._conv(name, inputs, operator.Outputs(0)))
        return convs

    def _op_name(self, operator: Any) -> str:  # noqa: ANN401
        code = self._model.OperatorCodes(operator.OpcodeIndex())
        builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        if builtin == _TFLITE_CUSTOM:
            return (code.CustomCode() or b"").decode()
        return _TFLITE_OPS.get(builtin, "")

    def _conv(self, op: str, inputs: list[int], output: int) -> ConvWeights:
        kernel = self._constant(inputs[1])
        depthwise, transposed = op == "DEPTHWISE_CONV_2D", op == _TFLITE_TRANSPOSED
        # (1, H, W, I * M) -> (I * M, 1, H, W); (O, H, W, I) -> (I, O, H, W) or (O, I, H, W)
        weight = kernel.transpose((3, 0, 1, 2) if depthwise or transposed else (0, 3, 1, 2))
        channels = kernel.shape[3] if depthwise else kernel.shape[0]
        has_bias = len(inputs) > 2 and inputs[2] >= 0
        bias = self._constant(inputs[2]) if has_bias else np.zeros(channels, np.float32)
        name = self._graph.Tensors(output).Name().decode()
        return ConvWeights(name, np.ascontiguousarray(weight), bias, depthwise, transposed)

    def _constant(self, index: int) -> F32:
        tensor = self._graph.Tensors(self._source.get(index, index))
        dtype = _TFLITE_DTYPES.get(tensor.Type())
        buffer = self._model.Buffers(tensor.Buffer())
        if dtype is None or buffer.DataLength() == 0:
            raise ValueError(f"{tensor.Name().decode()} is not a constant of a supported type")
        values = np.frombuffer(buffer.DataAsNumpy().tobytes(), dtype)
        shape = tuple(tensor.Shape(i) for i in range(tensor.ShapeLength()))
        sparsity = tensor.Sparsity()
        if sparsity is not None and sparsity.DimMetadataLength() > 0:
            values = _densify(values, shape, sparsity)
        return _dequantize(values.reshape(shape), tensor.Quantization())


def _dequantize(values: Array, quantization: Any) -> F32:  # noqa: ANN401
    """Real values: (q - zero point) * scale, with one scale for all or one per slice of a dimension."""
    if values.dtype.kind == "f" or quantization is None or quantization.ScaleLength() == 0:
        return values.astype(np.float32)
    scale = np.array([quantization.Scale(i) for i in range(quantization.ScaleLength())], np.float64)
    zero = np.array(
        [quantization.ZeroPoint(i) for i in range(quantization.ZeroPointLength())] or [0], np.int64
    )
    if len(scale) > 1:
        along = [1] * values.ndim
        along[quantization.QuantizedDimension()] = -1
        scale, zero = scale.reshape(along), zero.reshape(along)
    return ((values.astype(np.int64) - zero) * scale).astype(np.float32)


def _densify(values: Array, shape: tuple[int, ...], sparsity: Any) -> Array:  # noqa: ANN401
    """A sparse tensor's values in their places, zeros elsewhere.

    The dimensions are walked in traversal order, all stored values at once. ``position`` is the index of each
    value among those of the level reached, ``coordinates`` where it lies. Dimensions beyond the tensor's rank
    are blocks within the dimension that the block map names.
    """
    order = [sparsity.TraversalOrder(i) for i in range(sparsity.TraversalOrderLength())]
    block_map = [sparsity.BlockMap(i) for i in range(sparsity.BlockMapLength())]
    position = np.zeros(1, np.int64)
    coordinates = np.zeros((len(order), 1), np.int64)
    sizes: dict[int, int] = {}
    for level, dimension in enumerate(order):
        metadata = sparsity.DimMetadata(level)
        if metadata.Format() == 0:
            sizes[dimension] = size = metadata.DenseSize()
            parent, index = np.repeat(np.arange(len(position)), size), np.tile(np.arange(size), len(position))
            position = position[parent] * size + index
        else:
            segments = _index_vector(metadata.ArraySegmentsType(), metadata.ArraySegments())
            counts = segments[position + 1] - segments[position]
            parent = np.repeat(np.arange(len(position)), counts)
            within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            position = segments[position][parent] + within
            index = _index_vector(metadata.ArrayIndicesType(), metadata.ArrayIndices())[position]
        coordinates = coordinates[:, parent]
        coordinates[dimension] = index
    rank = len(shape)
    places = coordinates[:rank]
    for block, dimension in enumerate(block_map):
        places[dimension] = places[dimension] * sizes[rank + block] + coordinates[rank + block]
    dense = np.zeros(shape, values.dtype)
    dense[tuple(places)] = values[position]
    return dense


def _index_vector(kind: int, table: Any) -> npt.NDArray[np.int64]:  # noqa: ANN401
    import tflite

    vector = {1: tflite.Int32Vector, 2: tflite.Uint16Vector, 3: tflite.Uint8Vector}[kind]()
    vector.Init(table.Bytes, table.Pos)
    return vector.ValuesAsNumpy().astype(np.int64)
