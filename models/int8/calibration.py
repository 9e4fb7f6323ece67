"""What a converted network computes inside, over many inputs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from ..types import F32, U8
from .convolutions import Place, place

Inputs = Sequence[U8 | F32]
"""Batches that a network takes, of any sizes that it takes."""


@dataclass(frozen=True, slots=True)
class Range:
    """The values of an output of a node, by channel, each (channels,).

    Attributes:
        low: the lowest.
        high: the highest.
        mean: the mean of the inputs' means.
    """

    low: F32
    high: F32
    mean: F32


def ranges(model: ov.Model, outputs: Sequence[ov.Output], inputs: Inputs) -> dict[Place, Range]:
    """The ranges of some (B, C, H, W) outputs of nodes of a network."""
    wanted = list({place(output): output for output in outputs}.values())
    if not wanted:
        return {}
    clone = model.clone()
    nodes = {node.get_friendly_name(): node for node in clone.get_ordered_ops()}
    axes = ops.constant(np.array([0, 2, 3], np.int64))
    results = []
    for output in wanted:
        copy = nodes[output.get_node().get_friendly_name()].output(output.get_index())
        results += [
            ops.reduce_min(copy, axes, keep_dims=False),
            ops.reduce_max(copy, axes, keep_dims=False),
            ops.reduce_mean(copy, axes, keep_dims=False),
        ]
    ends = [ops.result(one) for one in results]
    run = in_f32(ov.Model(ends, clone.get_parameters()))  # pyright: ignore[reportGeneralTypeIssues]
    every = [run(batch) for batch in inputs]
    low, high, mean = (
        [np.stack(values) for values in zip(*(one[kind::3] for one in every), strict=True)]
        for kind in range(3)
    )
    return {
        place(output): Range(low[i].min(0), high[i].max(0), mean[i].mean(0))
        for i, output in enumerate(wanted)
    }


def in_f32(model: ov.Model) -> Callable[[U8 | F32], list[F32]]:
    """What runs a network: its convolutions in int8 where they are quantized, the rest in float32."""
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(batch: U8 | F32) -> list[F32]:
        found = compiled(batch)
        return [np.array(found[output]) for output in compiled.outputs]

    return run
