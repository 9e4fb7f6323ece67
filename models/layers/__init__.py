"""Layers that networks are built of: convolution blocks in both forms, pooling, upsampling."""

from typing import TYPE_CHECKING

from ..lazy import lazy_exports

if TYPE_CHECKING:
    from .conv import Activation, ConvAct, DepthwiseSeparable, InvertedResidual, Normalize, conv_silu
    from .conversion import as_kind, is_depthwise, paper_baseline, to_standard
    from .fusion import fold_batch_norms
    from .pooling import SpatialPyramid
    from .upsample import Upsample2

__all__ = [
    "Activation",
    "ConvAct",
    "DepthwiseSeparable",
    "InvertedResidual",
    "Normalize",
    "SpatialPyramid",
    "Upsample2",
    "as_kind",
    "conv_silu",
    "fold_batch_norms",
    "is_depthwise",
    "paper_baseline",
    "to_standard",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Activation": "conv",
        "ConvAct": "conv",
        "DepthwiseSeparable": "conv",
        "InvertedResidual": "conv",
        "Normalize": "conv",
        "SpatialPyramid": "pooling",
        "Upsample2": "upsample",
        "as_kind": "conversion",
        "conv_silu": "conv",
        "fold_batch_norms": "fusion",
        "is_depthwise": "conversion",
        "paper_baseline": "conversion",
        "to_standard": "conversion",
    },
)
