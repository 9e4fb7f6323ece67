"""ONNX graphs for a browser: both forms of a network on one file of float16 weights.

A graph has no weights of its own. It names places in a file that all graphs share, and converts what is there
to float32. The standard form is made of the same bytes: the graph puts each depthwise kernel on the diagonal
of a full one, which a runtime computes once, when it loads the graph. So nobody downloads millions of zeros.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from ..errors import SepcamError
from ..types import F32, U8, ConvKind
from .export import Axes, Difference, compare, trace_onnx

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, TensorProto

WEIGHTS = "weights"
"""Name by which graphs refer to the file of weights."""

_LEAST = 64  # values that a constant has which is worth a place in the file
_EYE = "eye"


class SharedWeights:
    """The bytes of the file of weights; equal arrays lie there once."""

    def __init__(self) -> None:
        self._content = bytearray()
        self._places: dict[bytes, int] = {}

    def place(self, values: bytes) -> int:
        """Offset of these bytes in the file, to which they are added if they are not there yet."""
        if values not in self._places:
            self._places[values] = len(self._content)
            self._content += values
        return self._places[values]

    @property
    def content(self) -> bytes:
        """The file: little-endian float16 values."""
        return bytes(self._content)


class BrowserGraph:
    """A traced network, from which graphs of both kinds are made.

    Args:
        network: takes one tensor and gives a tuple of tensors.
        example: an input of it.
        names: of its input, then of its outputs.
        axes: names of the axes that may have other sizes than those of the example.

    Raises:
        SepcamError: If the package onnx is missing.
    """

    def __init__(self, network: nn.Module, example: torch.Tensor, names: Sequence[str], axes: Axes) -> None:
        self._network = network.eval()
        self._names = names
        with tempfile.TemporaryDirectory(prefix="sepcam-") as folder:
            path = Path(folder, "graph.onnx")
            trace_onnx(self._network, example, names, axes, path)
            self._traced = path.read_bytes()

    def of_kind(self, kind: ConvKind, weights: SharedWeights) -> bytes:
        """The graph as an ONNX file, with its weights in ``weights``."""
        import onnx

        model = onnx.load_model_from_string(self._traced)
        graph = model.graph
        _reorder_by_gathering(graph)
        halves = _move_weights(graph, weights)
        if kind == "standard":
            _fill_diagonals(graph, halves)
        return model.SerializeToString()

    def check(self, graph: bytes, weights: SharedWeights, example: "U8 | F32") -> list[Difference]:
        """Runs a graph of either kind on an input, and compares the outputs with the network's.

        Raises:
            SepcamError: If they differ.
        """
        with tempfile.TemporaryDirectory(prefix="sepcam-") as folder:
            path = Path(folder, "graph.onnx")
            path.write_bytes(graph)
            Path(folder, WEIGHTS).write_bytes(weights.content)
            return compare(self._network, example, self._names[1:], _reader(path))


def _reader(path: Path) -> Callable[["U8 | F32"], Sequence[F32]]:
    import openvino as ov

    compiled = ov.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(images: "U8 | F32") -> Sequence[F32]:
        results = compiled(images)
        return [np.array(results[output], np.float32) for output in compiled.outputs]

    return run


def _move_weights(graph: "GraphProto", weights: SharedWeights) -> dict[str, "TensorProto"]:
    """Moves large float32 constants to the file, as float16; what is left of them, by name.

    Raises:
        SepcamError: If float16 does not hold a value.
    """
    from onnx import TensorProto, helper, numpy_helper

    moved: dict[str, TensorProto] = {}
    casts: list[NodeProto] = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < _LEAST:
            continue
        values = numpy_helper.to_array(tensor)
        halves = values.astype("<f2")
        if not np.array_equal(halves.astype(np.float32), values):
            raise SepcamError(f"float16 does not hold the weights of {tensor.name}")
        name, content = tensor.name, halves.tobytes()
        tensor.Clear()
        tensor.name, tensor.data_type = f"{name}.half", TensorProto.FLOAT16
        tensor.dims.extend(values.shape)
        tensor.data_location = TensorProto.EXTERNAL
        place = {"location": WEIGHTS, "offset": weights.place(content), "length": len(content)}
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
        moved[name] = tensor
    _insert(graph, casts, after=0)
    return moved


def _reorder_by_gathering(graph: "GraphProto") -> None:
    """Replaces the flip of three color channels, which ONNX Runtime Web computes wrongly on WebGPU (1.22)."""
    from onnx import TensorProto, helper, numpy_helper

    constants = {node.output[0]: node.attribute[0].t for node in graph.node if node.op_type == "Constant"}
    constants |= {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type != "Slice" or len(node.input) < 5:
            continue
        axis, step = (numpy_helper.to_array(constants[name]).tolist() for name in node.input[3:5])
        if (axis, step) != ([1], [-1]):  # others reverse the sides of a padding
            continue
        output = node.output[0]
        order = helper.make_tensor(f"{output}.order", TensorProto.INT64, [3], [2, 1, 0])
        graph.initializer.append(order)
        node.CopyFrom(helper.make_node("Gather", [node.input[0], order.name], [output], axis=1))
    used = {name for node in graph.node for name in node.input}
    for node in list(graph.node):
        if node.op_type == "Constant" and node.output[0] not in used:
            graph.node.remove(node)


def _fill_diagonals(graph: "GraphProto", halves: dict[str, "TensorProto"]) -> None:
    """Makes full convolutions of the depthwise ones, as `layers.conversion.to_standard` does."""
    from onnx import helper

    eyes: dict[int, str] = {}
    made: list[NodeProto] = []
    for conv in graph.node:
        group = next((a for a in conv.attribute if a.name == "group"), None)
        if conv.op_type != "Conv" or group is None or group.i == 1:
            continue
        channels, name = group.i, conv.input[1]
        if tuple(halves[name].dims[:2]) != (channels, 1):
            raise SepcamError(f"{conv.name} is neither a depthwise convolution nor a full one")
        if channels not in eyes:
            eyes[channels] = f"{_EYE}{channels}"
            made += _eye(channels, eyes[channels])
        full = f"{name}.full"
        made.append(helper.make_node("Mul", [name, eyes[channels]], [full]))
        conv.input[1], group.i = full, 1
    _insert(graph, made, after=len(halves))


def _eye(channels: int, name: str) -> list["NodeProto"]:
    """Nodes that make a (channels, channels, 1, 1) float32 matrix with ones on its diagonal."""
    from onnx import TensorProto, helper

    def constant(values: Sequence[int], shape: Sequence[int], suffix: str) -> Any:  # noqa: ANN401
        tensor = helper.make_tensor(name + suffix, TensorProto.INT64, shape, values)
        return helper.make_node("Constant", [], [name + suffix], value=tensor)

    return [
        constant([0], [], ".first"),
        constant([channels], [], ".end"),
        constant([1], [], ".step"),
        constant([-1, 1, 1, 1], [4], ".rows"),
        constant([1, -1, 1, 1], [4], ".columns"),
        helper.make_node("Range", [name + ".first", name + ".end", name + ".step"], [name + ".range"]),
        helper.make_node("Reshape", [name + ".range", name + ".rows"], [name + ".row"]),
        helper.make_node("Reshape", [name + ".range", name + ".columns"], [name + ".column"]),
        helper.make_node("Equal", [name + ".row", name + ".column"], [name + ".equal"]),
        helper.make_node("Cast", [name + ".equal"], [name], to=TensorProto.FLOAT),
    ]


def _insert(graph: "GraphProto", nodes: Sequence["NodeProto"], after: int) -> None:
    """Puts nodes behind the first few of a graph, which are in the order in which they are computed."""
    later = list(graph.node)
    del graph.node[:]
    graph.node.extend([*later[:after], *nodes, *later[after:]])
