"""Rescales channels so that eight bits hold all of them, without a change of what a network computes.

Where batch norm is folded into the weights, some channels of a tensor are a thousand times larger than
others, and a step that fits the largest is too coarse for the rest. Between two layers, a channel can be
divided by a number, if the weights that read it are multiplied by the same. The numbers are chosen so that
activations and weights gain alike.

Source: Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias Correction",
https://arxiv.org/abs/1906.04721. There, ReLU6 has to become ReLU. Here a channel that ReLU6 limits is only
ever enlarged, and at most until the largest value that was seen reaches the limit.
"""

import numpy as np
import openvino as ov

from ..types import F32
from .calibration import Inputs, Range, ranges
from .convolutions import Channels, channel_groups, place

_SMALLEST = 1e-3  # of the largest channel's range: what is smaller may well be noise
_MARGIN = 2.0  # other inputs may give larger values than those that were seen


def equalize(model: ov.Model, inputs: Inputs) -> None:
    """Rescales the channels of a network in place.

    Args:
        model: with convolutions.
        inputs: what it is given, which shows how large each channel gets.
    """
    groups = [group for group in channel_groups(model) if group.readers]
    seen = ranges(model, [one.input for group in groups for one in group.readers], inputs)
    for group in groups:
        factors = _factors(group, [seen[place(one.input)] for one in group.readers])
        for giver in {one.name: one for one in group.givers}.values():
            giver.scale_outputs(np.reciprocal(factors))
        for reader in {one.name: one for one in group.readers}.values():
            reader.scale_inputs(factors)
    model.validate_nodes_and_infer_types()


def _factors(group: Channels, seen: list[Range]) -> F32:
    """By what each channel is to be divided."""
    reach = np.max([np.maximum(np.abs(one.low), np.abs(one.high)) for one in seen], axis=0) * _MARGIN
    top = group.limit or max(float(reach.max()), 1e-6)
    share = np.clip(reach / top, _SMALLEST, 1)
    weights = np.max([one.largest_by_input for one in group.readers], axis=0)
    weights = np.maximum(weights / max(float(weights.max()), 1e-12), _SMALLEST)
    factors = np.maximum(np.sqrt(share / weights), share)
    return (factors if group.limit is None else np.minimum(factors, 1)).astype(np.float32)
