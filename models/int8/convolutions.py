"""The convolutions of a converted network, and which of their channels can be rescaled together."""

from dataclasses import dataclass, field

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from ..types import F32

_ELEMENTWISE = ("Clamp", "Relu", "Pad", "GroupConvolutionBackpropData")
"""What treats each channel by itself, and alike when all of a channel is multiplied by a positive number."""

Place = tuple[str, int]
"""Names an output of a node: the node's name and the output's index."""


def place(output: ov.Output) -> Place:
    """The name of an output of a node, the same in every clone of the network."""
    return output.get_node().get_friendly_name(), output.get_index()


def is_constant(output: ov.Output) -> bool:
    """Whether a constant gives it."""
    return output.get_node().get_type_name() == "Constant"


def values(output: ov.Output) -> F32:
    """The values of a constant."""
    return np.array(output.get_node().data)  # pyright: ignore[reportAttributeAccessIssue]


class Convolution:
    """A convolution with constant float32 weights, dense or of each channel by itself, and its bias.

    Args:
        node: of the network.
    """

    def __init__(self, node: ov.Node) -> None:
        self._node = node
        self.name = node.get_friendly_name()
        self.depthwise = node.get_type_name() == "GroupConvolution"
        self._bias = _bias_of(node)
        self.output: ov.Output = (self._bias or node).output(0)
        """What it gives, its bias added."""

    @property
    def input(self) -> ov.Output:
        """What it reads."""
        return self._node.input_value(0)

    @property
    def weights(self) -> F32:
        """(outputs, inputs, h, w), or (channels, 1, 1, h, w) of a depthwise one."""
        return values(self._node.input_value(1))

    @property
    def bias(self) -> ov.Node | None:
        """The addition of its bias, where it has one."""
        return self._bias

    def read(self, output: ov.Output) -> None:
        """Makes it read something else."""
        self._node.input(0).replace_source_output(output)

    def weigh(self, weights: ov.Output | F32) -> None:
        """Gives it other weights."""
        _replace(self._node, weights)

    def scale_outputs(self, factors: F32) -> None:
        """Multiplies each channel that it gives by one of (channels,) positive factors."""
        weights = self.weights
        self.weigh(weights * factors.reshape(-1, *[1] * (weights.ndim - 1)))
        if self._bias is not None:
            _replace(self._bias, values(self._bias.input_value(1)) * factors.reshape(1, -1, 1, 1))

    def scale_inputs(self, factors: F32) -> None:
        """Multiplies its weights for each channel that it reads by one of (channels,) positive factors."""
        shape = (-1, 1, 1, 1, 1) if self.depthwise else (1, -1, 1, 1)
        self.weigh(self.weights * factors.reshape(shape))

    def shift_outputs(self, by: F32) -> None:
        """Adds (channels,) values to its bias, where it has one."""
        if self._bias is not None:
            _replace(self._bias, values(self._bias.input_value(1)) + by.reshape(1, -1, 1, 1))

    @property
    def largest_by_input(self) -> F32:
        """The largest magnitude of its weights for each channel that it reads."""
        weights = np.abs(self.weights)
        return weights.max((1, 2, 3, 4)) if self.depthwise else weights.max((0, 2, 3))


@dataclass(slots=True)
class Channels:
    """Convolutions that share their channels: what some give is, element by element, what others read.

    Attributes:
        givers: whose outputs have the channels.
        readers: whose inputs have them, and nobody else does.
        limit: at which an activation cuts the values of all channels; None where nothing does.
    """

    givers: list[Convolution] = field(default_factory=list)
    readers: list[Convolution] = field(default_factory=list)
    limit: float | None = None


def convolutions(model: ov.Model) -> list[Convolution]:
    """Those of a network that can be quantized, in the order in which they are computed."""
    return [Convolution(node) for node in model.get_ordered_ops() if _fits(node)]


def channel_groups(model: ov.Model) -> list[Channels]:
    """The channels of a network that can be rescaled without a change of what it computes."""
    found = convolutions(model)
    givers = {place(one.output): one for one in found}
    readers = {one.name: one for one in found}
    biases = {one.bias.get_friendly_name() for one in found if one.bias is not None}
    groups: list[Channels] = []
    for outputs in _connected(model, biases):
        group = Channels()
        if all(_add(output, group, givers, readers, biases) for output in outputs) and group.givers:
            groups.append(group)
    return groups


def _add(
    output: ov.Output,
    group: Channels,
    givers: dict[Place, Convolution],
    readers: dict[str, Convolution],
    biases: set[str],
) -> bool:
    """Adds what gives and what reads an output; whether that allows to rescale it."""
    node = output.get_node()
    if place(output) in givers:
        group.givers.append(givers[place(output)])
    elif node.get_friendly_name() not in readers and not _keeps_channels(node, biases):
        return False
    if node.get_type_name() == "Clamp":
        attributes = node.get_attributes()
        if attributes["min"] != 0 or group.limit not in (None, attributes["max"]):
            return False
        group.limit = attributes["max"]
    for target in output.get_target_inputs():
        reader = target.get_node()
        name = reader.get_friendly_name()
        if name in readers and target.get_index() == 0:
            group.readers.append(readers[name])
        elif name not in biases and not (_keeps_channels(reader, biases) and target.get_index() in (0, 1)):
            return False
    return True


def _connected(model: ov.Model, biases: set[str]) -> list[list[ov.Output]]:
    """The outputs of all nodes, those with the same channels together."""
    parents: dict[Place, Place] = {}

    def root(one: Place) -> Place:
        while parents.setdefault(one, one) != one:
            one = parents[one]
        return one

    nodes = model.get_ordered_ops()
    for node in nodes:
        joined = _keeps_channels(node, biases)
        # A convolution and the addition of its bias are one.
        if joined or node.get_friendly_name() in biases:
            for number in range(2 if joined and node.get_type_name() == "Add" else 1):
                parents[root(place(node.input_value(number)))] = root(place(node.output(0)))
    together: dict[Place, list[ov.Output]] = {}
    for node in nodes:
        for output in node.outputs():
            together.setdefault(root(place(output)), []).append(output)
    return list(together.values())


def _keeps_channels(node: ov.Node, biases: set[str]) -> bool:
    """Whether scaling all its inputs' channels by positive numbers scales its output's the same."""
    kind = node.get_type_name()
    if kind == "Add":
        return node.get_friendly_name() not in biases and _adds_channels(node)
    if kind == "Pad":
        return node.get_attributes()["pad_mode"] != "constant"
    if kind == "GroupConvolutionBackpropData":
        return is_constant(node.input_value(1)) and _one_by_one(node)
    return kind in _ELEMENTWISE


def _adds_channels(node: ov.Node) -> bool:
    """Whether it adds two tensors channel by channel."""
    one, other = (value.get_partial_shape() for value in node.input_values())
    constant = any(is_constant(value) for value in node.input_values())
    return not constant and len(one) == len(other) == 4 and one[1] == other[1] and one[1].is_static


def _fits(node: ov.Node) -> bool:
    kind = node.get_type_name()
    if kind not in ("Convolution", "GroupConvolution") or not is_constant(node.input_value(1)):
        return False
    weights = node.input_value(1)
    if weights.get_element_type() != ov.Type.f32 or len(node.output(0).get_partial_shape()) != 4:
        return False
    return kind == "Convolution" or _one_by_one(node)


def _one_by_one(node: ov.Node) -> bool:
    """Whether a convolution of groups has one channel in each."""
    return list(node.input_value(1).get_shape())[1:3] == [1, 1]


def _bias_of(node: ov.Node) -> ov.Node | None:
    targets = list(node.output(0).get_target_inputs())
    if len(targets) != 1 or targets[0].get_node().get_type_name() != "Add" or targets[0].get_index() != 0:
        return None
    addition = targets[0].get_node()
    constant = addition.input_value(1)
    channels = node.output(0).get_partial_shape()[1].get_length()
    if not is_constant(constant) or list(constant.get_shape()) != [1, channels, 1, 1]:
        return None
    return addition


def _replace(node: ov.Node, constant: ov.Output | F32) -> None:
    """Gives a node another second input."""
    if isinstance(constant, ov.Output):
        source = constant
    else:
        source: ov.Output = ops.constant(constant.astype(np.float32)).output(0)
    node.input(1).replace_source_output(source)
