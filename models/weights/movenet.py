"""Google's MoveNet weights, put into the order of our modules."""

import re
from collections.abc import Sequence

from torch import nn

from .importers import ConvWeights

_PLACES = (
    (r"/model/Conv1_relu/", "trunk.stem"),
    (r"/model/expanded_conv_depthwise/", "trunk.blocks.0.separable.depthwise"),
    (r"/model/expanded_conv_project_", "trunk.blocks.0.separable.pointwise"),
    (r"/model/block_(\d+)_expand_", r"trunk.blocks.\1.expand"),
    (r"/model/block_(\d+)_depthwise/", r"trunk.blocks.\1.separable.depthwise"),
    (r"/model/block_(\d+)_project_", r"trunk.blocks.\1.separable.pointwise"),
    (r"/model/out_relu/", "trunk.last"),
    (r"/model_1/conv2d_?(\d*)/", r"pyramid.laterals.\1"),
    (r"/model_1/separable_conv2d_?(\d*)/", r"pyramid.merges.\1.depthwise"),
    (r"/model_1/re_lu_?(\d*)/", r"pyramid.merges.\1.pointwise"),
    (r"/(\w+)_0/separable_conv2d", r"heads.\1.separable.depthwise"),
    (r"/(\w+)_0/re_lu", r"heads.\1.separable.pointwise"),
    (r"/(\w+)_0/conv2d", r"heads.\1.last"),
)
"""How Google's graph and `networks.movenet` call the same convolution. The graph leaves out the number 0."""


def in_module_order(module: nn.Module, convs: Sequence[ConvWeights]) -> list[ConvWeights]:
    """The convolutions of one of Google's MoveNets in the order of ours, for `importers.load_convs`.

    Args:
        module: a `networks.movenet.MoveNet`.
        convs: what `tfjs.read_tfjs` read.

    Raises:
        ValueError: If the file has others than the module.
    """
    found = {_place(conv.name): conv for conv in convs}
    wanted = [name for name, layer in module.named_modules() if isinstance(layer, nn.Conv2d)]
    lacking, left = set(wanted) - set(found), set(found) - set(wanted)
    if lacking or left:
        names = ", ".join(sorted(lacking or left)[:3])
        raise ValueError(f"not the weights of this MoveNet: it {'lacks' if lacking else 'also has'} {names}")
    return [found[name] for name in wanted]


def _place(name: str) -> str:
    """Our name of a convolution of Google's graph, or its own where there is none."""
    for pattern, place in _PLACES:
        match = re.search(pattern, name)
        if match:
            return match.expand(place + ".conv").replace("..", ".0.")
    return name
