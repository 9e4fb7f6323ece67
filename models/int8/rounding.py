"""8-bit numbers for weights and activations, put into a network as its FakeQuantize operations."""

from collections.abc import Collection, Mapping

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from ..types import F32
from .calibration import Range
from .convolutions import Convolution, Place, convolutions, place

WEIGHT_STEPS = 127
"""Weights are -127 to 127 steps."""

_STEPS = 255  # of activations, from 0
_MARGIN = 1.2
_PAIR = 128  # steps of two weights that are added up: 255 * 128 < 2 ** 15


def insert(model: ov.Model, seen: Mapping[Place, Range], names: Collection[str]) -> None:
    """Quantizes some convolutions of a network, in place: their weights, and what they read.

    Args:
        model: of which the convolutions are part.
        seen: the ranges of what they read.
        names: of the convolutions.
    """
    rounded: dict[Place, ov.Output] = {}
    for one in convolutions(model):
        if one.name not in names:
            continue
        read = place(one.input)
        if read not in rounded:
            rounded[read] = _activations(one.input, seen[read])
        one.read(rounded[read])
        weights = one.weights
        bound = WEIGHT_STEPS * weight_steps(one).reshape(-1, *[1] * (weights.ndim - 1))
        one.weigh(_fake_quantize(ops.constant(weights).output(0), -bound, bound, 2 * WEIGHT_STEPS + 1))
    model.validate_nodes_and_infer_types()


def rounding_errors(one: Convolution) -> F32:
    """What rounding adds to the weights of a convolution."""
    weights = one.weights
    step = weight_steps(one).reshape(-1, *[1] * (weights.ndim - 1))
    return np.round(weights / step) * step - weights


def weight_steps(one: Convolution) -> F32:
    """(outputs,) float32, the weights' difference from one 8-bit number to the next, by output channel.

    Processors without VNNI add up the products of two neighboring input channels in 16 bits, which overflow
    where both weights are large. There, the step is as much larger as it takes.
    """
    magnitudes = np.abs(one.weights)
    largest = np.maximum(magnitudes.reshape(len(magnitudes), -1).max(1) / WEIGHT_STEPS, 1e-12)
    if one.depthwise:
        return largest
    if magnitudes.shape[1] % 2:
        magnitudes = np.pad(magnitudes, ((0, 0), (0, 1), (0, 0), (0, 0)))
    # Half a step each for rounding.
    pairs = (magnitudes[:, 0::2] + magnitudes[:, 1::2]).reshape(len(magnitudes), -1).max(1)
    return np.maximum(largest, pairs / (_PAIR - 1))


def _activations(output: ov.Output, seen: Range) -> ov.Output:
    """An output in 256 steps, one of which is zero."""
    # Nothing exceeds an activation's limit. Elsewhere, other inputs may give larger values.
    margin = 1.0 if output.get_node().get_type_name() == "Clamp" else _MARGIN
    low, high = min(float(seen.low.min()) * margin, 0.0), max(float(seen.high.max()) * margin, 1e-6)
    step = (high - low) / _STEPS
    below = round(-low / step)
    first, last = (np.full((1, 1, 1, 1), n * step, np.float32) for n in (-below, _STEPS - below))
    return _fake_quantize(output, first, last, _STEPS + 1)


def _fake_quantize(output: ov.Output, low: F32, high: F32, levels: int) -> ov.Output:
    first, last = (ops.constant(bound.astype(np.float32)) for bound in (low, high))
    return ops.fake_quantize(output, first, last, first, last, levels).output(0)
