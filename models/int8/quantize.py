"""Makes int8 copies of converted networks after training.

Channels are rescaled (`equalize`), weights rounded by output channel and activations by tensor (`rounding`),
and biases corrected for what rounding the weights does to the mean (Nagel et al. 2019, section 4.2). Layers
that add too much noise for the time they save stay in float32.
"""

from collections.abc import Callable, Collection, Mapping

import numpy as np
import openvino as ov

from ..types import F32, U8
from .calibration import Inputs, in_f32, ranges
from .convolutions import Convolution, convolutions, place
from .equalize import equalize
from .rounding import insert, rounding_errors

TARGET = 30.0
"""Decibels by which every output is to be stronger than the noise that quantization adds.

Below, `people` loses more than 1 OKS AP: see EXPERIMENTS.md.
"""

_MEASURED = 6  # inputs that the noise is measured on
_ROUNDS = 4


def quantize(model: ov.Model, inputs: Inputs) -> ov.Model:
    """A copy of a network whose convolutions are computed in int8, where that adds little noise.

    Args:
        model: converted, in float32; stays as it is.
        inputs: what it is given.

    Returns:
        The copy: the layers in int8 have FakeQuantize operations at their weights and inputs.
    """
    base = model.clone()
    equalize(base, inputs)
    every = convolutions(base)
    seen = ranges(base, [one.input for one in every], inputs)
    means = {one.name: seen[place(one.input)].mean for one in every}

    def copy(names: Collection[str]) -> ov.Model:
        made = base.clone()
        for one in convolutions(made):
            if one.name in names:
                one.shift_outputs(-_mean_error(one, means[one.name]))
        insert(made, seen, names)
        return made

    reference = _Reference(model, inputs[:: max(len(inputs) // _MEASURED, 1)][:_MEASURED])
    return copy(_chosen(_multiply_adds(base, inputs[0]), lambda names: _noise(reference, copy(names))))


def _chosen(costs: Mapping[str, float], noise: Callable[[Collection[str]], F32]) -> Collection[str]:
    """The convolutions that can be quantized together.

    Args:
        costs: multiply-adds of each of them.
        noise: tells what quantizing some adds to each output, see `_noise`.
    """
    limit = 10 ** (-TARGET / 10)
    if not costs or (total := noise(costs)).max() <= limit:
        return set(costs)
    alone = {name: noise({name}) for name in costs}
    price = {name: (alone[name] / total).max() / costs[name] for name in costs}
    worst_last = sorted(costs, key=lambda name: price[name])
    allowed = limit
    chosen = worst_last
    for _ in range(_ROUNDS):
        chosen = worst_last.copy()
        while chosen and np.sum([alone[name] for name in chosen], axis=0).max() > allowed:
            chosen.pop()
        if not chosen or (total := noise(chosen).max()) <= limit:
            break
        # Noise of several layers does not quite add up.
        allowed *= min(limit / total, 0.8)
    return set(chosen)


def _multiply_adds(model: ov.Model, batch: U8 | F32) -> dict[str, float]:
    """Those of each convolution for an input."""
    sized = model.clone()
    sized.reshape(list(batch.shape))
    return {
        one.name: float(one.weights.size * np.prod(list(one.output.get_shape())[2:]))
        for one in convolutions(sized)
    }


def _mean_error(one: Convolution, mean: F32) -> F32:
    """What rounding the weights of a convolution adds to each output channel on average."""
    error = rounding_errors(one)
    if one.depthwise:
        return error.reshape(len(error), -1).sum(1) * mean
    return error.sum((2, 3)) @ mean


class _Reference:
    """What a network computes in float32."""

    def __init__(self, model: ov.Model, inputs: Inputs) -> None:
        self.inputs = inputs
        run = in_f32(_without_sigmoids(model))
        self.outputs = [run(batch) for batch in inputs]


def _noise(reference: _Reference, model: ov.Model) -> F32:
    """(outputs,) the power of a copy's errors, as a share of the power of what it should give."""
    run = in_f32(_without_sigmoids(model))
    shares = []
    for batch, wanted in zip(reference.inputs, reference.outputs, strict=True):
        shares.append(
            [
                float(np.square(one - other).mean() / max(np.square(one).mean(), 1e-20))
                for one, other in zip(wanted, run(batch), strict=True)
            ]
        )
    return np.mean(shares, axis=0)


def _without_sigmoids(model: ov.Model) -> ov.Model:
    """A network's outputs before the sigmoids that end it, which hide noise where they saturate."""
    clone = model.clone()
    for result in clone.get_results():
        last = result.input_value(0).get_node()
        if last.get_type_name() == "Sigmoid":
            result.input(0).replace_source_output(last.input_value(0))
    return clone
