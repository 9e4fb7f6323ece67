"""Writes an int8 copy of a network as ONNX, with QuantizeLinear and DequantizeLinear where it rounds."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import openvino as ov

from ..errors import SepcamError
from ..types import F32
from .convolutions import is_constant, values
from .rounding import WEIGHT_STEPS

if TYPE_CHECKING:
    import onnx

_OPSET: Final = 17
_IR_VERSION: Final = 8  # of the file format, as that opset has it
_BIAS_LIMIT: Final = 2**31 - 1
_SAME: Final = {
    "Add": "Add",
    "Subtract": "Sub",
    "Multiply": "Mul",
    "Divide": "Div",
    "Relu": "Relu",
    "Sigmoid": "Sigmoid",
    "HSwish": "HardSwish",
    "Exp": "Exp",
    "Tanh": "Tanh",
}
"""Operations with the same inputs in OpenVINO and ONNX."""


def to_onnx(model: ov.Model, names: Sequence[str]) -> "onnx.ModelProto":
    """An int8 copy of a network as an ONNX graph.

    Args:
        model: from `quantize.quantize`, with one input.
        names: of the input, then of the outputs.

    Raises:
        SepcamError: If it has an operation that this cannot write, or the package onnx is missing.
    """
    try:
        import onnx
    except ImportError as error:
        raise SepcamError("the format onnx needs the package onnx: pip install 'sepcam[export]'") from error
    return _Writer(onnx, model, names).model()


class _Writer:
    """Translates nodes in the order in which they are computed."""

    def __init__(self, onnx: Any, model: ov.Model, names: Sequence[str]) -> None:  # noqa: ANN401 - a module
        self._onnx, self._ov, self._names = onnx, model, names
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._known: dict[tuple[str, int], str] = {}
        self._steps: dict[str, float] = {}  # of activations, by their names
        self._biased: dict[str, ov.Node] = {}  # additions that became biases, by their names

    def model(self) -> "onnx.ModelProto":
        """The graph, checked."""
        helper = self._onnx.helper
        source = self._ov.inputs[0]
        self._known[source.get_node().get_friendly_name(), 0] = self._names[0]
        for node in self._ov.get_ordered_ops():
            self._translate(node)
        results = self._ov.get_results()
        for result, name in zip(results, self._names[1:], strict=True):
            self._nodes.append(helper.make_node("Identity", [self._name(result.input_value(0))], [name]))
        graph = helper.make_graph(
            self._nodes,
            "sepcam",
            [self._value(self._names[0], source)],
            [
                self._value(name, one.input_value(0))
                for name, one in zip(self._names[1:], results, strict=True)
            ],
            self._constants,
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
        made.ir_version = _IR_VERSION
        self._onnx.checker.check_model(made)
        return made

    def _translate(self, node: ov.Node) -> None:
        kind = node.get_type_name()
        if kind in ("Parameter", "Constant", "Result") or node.get_friendly_name() in self._biased:
            return
        if kind in _SAME:
            self._emit(node, _SAME[kind], [self._name(value) for value in node.input_values()])
            return
        special: dict[str, Callable[[ov.Node], None]] = {
            "FakeQuantize": self._round,
            "Convolution": self._convolve,
            "GroupConvolution": self._convolve,
            "GroupConvolutionBackpropData": self._upsample,
            "Clamp": self._clip,
            "Convert": self._convert,
            "Concat": self._concatenate,
            "Gather": self._gather,
            "MatMul": self._multiply,
            "Pad": self._pad,
            "Reshape": self._reshape,
            "Slice": self._slice,
            "Swish": self._swish,
            "Transpose": self._transpose,
        }
        if kind not in special:
            raise SepcamError(f"the operation {kind} cannot be written as int8 ONNX: use --format openvino")
        special[kind](node)

    def _round(self, node: ov.Node) -> None:
        if is_constant(node.input_value(0)):
            return  # weights, which the convolution writes
        low, high = (float(values(node.input_value(i)).reshape(-1)[0]) for i in (1, 2))
        step = (high - low) / (node.get_attributes()["levels"] - 1)
        zero = np.uint8(round(-low / step))
        parameters = [self._constant(np.float32(step)), self._constant(zero)]
        rounded = self._add("QuantizeLinear", [self._name(node.input_value(0)), *parameters])
        name = self._emit(node, "DequantizeLinear", [rounded, *parameters])
        self._steps[name] = step

    def _convolve(self, node: ov.Node) -> None:
        grouped = node.get_type_name() == "GroupConvolution"
        weights = node.input_value(1)
        quantized = weights.get_node().get_type_name() == "FakeQuantize"
        source = weights.get_node().input_value(0) if quantized else weights
        given = values(source)
        groups = len(given) if grouped else 1
        kernels = given.reshape(-1, *given.shape[2:]) if grouped else given
        read = self._name(node.input_value(0))
        if quantized:
            steps = values(weights.get_node().input_value(2)).reshape(-1) / np.float32(WEIGHT_STEPS)
            name = self._rounded_weights(kernels, steps)
        else:
            name, steps = self._constant(kernels), None
        inputs, output = [read, name], node
        addition = _addition(node)
        if addition is not None:
            bias = values(addition.input_value(1)).reshape(-1)
            scale = (
                None if steps is None or read not in self._steps else steps * np.float32(self._steps[read])
            )
            if len(bias) == len(kernels):
                inputs.append(self._bias(bias, scale))
                self._biased[addition.get_friendly_name()] = output = addition
        self._emit(output, "Conv", inputs, **_window(node), group=groups)

    def _rounded_weights(self, weights: F32, steps: F32) -> str:
        whole = np.round(weights / steps.reshape(-1, *[1] * (weights.ndim - 1)))
        limited = whole.clip(-WEIGHT_STEPS, WEIGHT_STEPS).astype(np.int8)
        constants = [limited, steps.astype(np.float32), np.zeros(len(steps), np.int8)]
        return self._add("DequantizeLinear", [self._constant(one) for one in constants], axis=0)

    def _bias(self, bias: F32, scale: F32 | None) -> str:
        """In 32 bits where the convolution is in 8, as ONNX Runtime wants it, and where they suffice."""
        if scale is None or (np.abs(bias / scale) > _BIAS_LIMIT).any():
            return self._constant(bias)
        whole = np.round(bias.astype(np.float64) / scale).astype(np.int32)
        constants = [whole, scale.astype(np.float32), np.zeros(len(scale), np.int32)]
        return self._add("DequantizeLinear", [self._constant(one) for one in constants], axis=0)

    def _upsample(self, node: ov.Node) -> None:
        weights = values(node.input_value(1))
        kernels = self._constant(weights.reshape(-1, *weights.shape[2:]))
        more = node.get_attributes()["output_padding"]
        self._emit(
            node,
            "ConvTranspose",
            [self._name(node.input_value(0)), kernels],
            **_window(node),
            group=len(weights),
            output_padding=more,
        )

    def _clip(self, node: ov.Node) -> None:
        bounds = [self._constant(np.float32(node.get_attributes()[name])) for name in ("min", "max")]
        self._emit(node, "Clip", [self._name(node.input_value(0)), *bounds])

    def _convert(self, node: ov.Node) -> None:
        types = {"f32": self._onnx.TensorProto.FLOAT, "i64": self._onnx.TensorProto.INT64}
        wanted = node.get_attributes()["destination_type"]
        if wanted not in types:
            raise SepcamError(f"the type {wanted} cannot be written as int8 ONNX: use --format openvino")
        self._emit(node, "Cast", [self._name(node.input_value(0))], to=types[wanted])

    def _concatenate(self, node: ov.Node) -> None:
        inputs = [self._name(value) for value in node.input_values()]
        self._emit(node, "Concat", inputs, axis=node.get_attributes()["axis"])

    def _gather(self, node: ov.Node) -> None:
        inputs = [self._name(node.input_value(i)) for i in range(2)]
        self._emit(node, "Gather", inputs, axis=int(values(node.input_value(2)).reshape(-1)[0]))

    def _multiply(self, node: ov.Node) -> None:
        names = []
        for value, which in zip(node.input_values(), "ab", strict=True):
            name, rank = self._name(value), len(value.get_partial_shape())
            if node.get_attributes()[f"transpose_{which}"]:
                name = self._add("Transpose", [name], perm=[*range(rank - 2), rank - 1, rank - 2])
            names.append(name)
        self._emit(node, "MatMul", names)

    def _pad(self, node: ov.Node) -> None:
        mode = node.get_attributes()["pad_mode"]
        amounts = np.concatenate([values(node.input_value(i)).reshape(-1) for i in (1, 2)])
        inputs = [self._name(node.input_value(0)), self._constant(amounts.astype(np.int64))]
        if mode == "constant":
            inputs.append(self._name(node.input_value(3)))
        self._emit(node, "Pad", inputs, mode=mode)

    def _reshape(self, node: ov.Node) -> None:
        shape = self._constant(values(node.input_value(1)).reshape(-1).astype(np.int64))
        self._emit(node, "Reshape", [self._name(node.input_value(0)), shape])

    def _slice(self, node: ov.Node) -> None:
        start, stop, step, axes = (
            self._constant(values(node.input_value(i)).reshape(-1).astype(np.int64)) for i in range(1, 5)
        )
        self._emit(node, "Slice", [self._name(node.input_value(0)), start, stop, axes, step])

    def _swish(self, node: ov.Node) -> None:
        read = self._name(node.input_value(0))
        self._emit(node, "Mul", [read, self._add("Sigmoid", [read])])

    def _transpose(self, node: ov.Node) -> None:
        order = values(node.input_value(1)).reshape(-1).tolist()
        self._emit(node, "Transpose", [self._name(node.input_value(0))], perm=order)

    def _name(self, output: ov.Output) -> str:
        key = output.get_node().get_friendly_name(), output.get_index()
        if key not in self._known and is_constant(output):
            self._known[key] = self._constant(values(output))
        return self._known[key]

    def _emit(self, node: ov.Node, kind: str, inputs: list[str], **attributes: Any) -> str:  # noqa: ANN401
        """Adds an operation that gives what a node gives."""
        name = self._known[node.get_friendly_name(), 0] = self._add(kind, inputs, **attributes)
        return name

    def _add(self, kind: str, inputs: list[str], **attributes: Any) -> str:  # noqa: ANN401
        name = f"{kind}_{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def _constant(self, value: Any) -> str:  # noqa: ANN401 - an array or a number of numpy's
        name = f"constant_{len(self._constants)}"
        self._constants.append(self._onnx.numpy_helper.from_array(np.array(value), name))
        return name

    def _value(self, name: str, output: ov.Output) -> Any:  # noqa: ANN401
        """The description of an input or output; what has no fixed size is named."""
        types = {"u8": self._onnx.TensorProto.UINT8, "f32": self._onnx.TensorProto.FLOAT}
        sizes = [
            dimension.get_length() if dimension.is_static else "batch" if not axis else f"{name}_{axis}"
            for axis, dimension in enumerate(list(output.get_partial_shape()))
        ]
        kind = types[output.get_element_type().get_type_name()]
        return self._onnx.helper.make_tensor_value_info(name, kind, sizes)


def _addition(node: ov.Node) -> ov.Node | None:
    """What adds constants to the channels of a convolution, if anything does and nothing else reads it."""
    targets = list(node.output(0).get_target_inputs())
    if len(targets) != 1:
        return None
    reader = targets[0].get_node()
    added = reader.get_type_name() == "Add" and is_constant(reader.input_value(1))
    return reader if added and list(reader.input_value(1).get_shape())[:1] == [1] else None


def _window(node: ov.Node) -> dict[str, list[int]]:
    attributes = node.get_attributes()
    return {
        "strides": list(attributes["strides"]),
        "dilations": list(attributes["dilations"]),
        "pads": [*attributes["pads_begin"], *attributes["pads_end"]],
    }
