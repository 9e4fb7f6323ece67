"""Weights out of files that torch wrote, without running the code that such files may hold."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from .importers import ConvWeights

_TORCHVISION_EPSILON = 1e-3  # of the batch norms of its mobile networks
_MAKERS = {"_reconstruct": np.zeros(0).__reduce__()[0], "scalar": np.float64(0).__reduce__()[0]}
_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")  # by the numpy that wrote the file
_ARRAYS = [
    *((maker, f"{module}.{name}") for name, maker in _MAKERS.items() for module in _MODULES),
    np.ndarray,
    np.dtype,
    *(type(np.dtype(kind)) for kind in "?bBhHiIlLqQefdU"),
]
"""Plain arrays of numbers, which checkpoints of OpenMMLab keep beside their weights."""


def read_state(path: Path | str) -> dict[str, torch.Tensor]:
    """A state dict saved by torch, by itself or as the ``state_dict`` of a checkpoint, in float32.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it holds no state dict.
    """
    try:
        with torch.serialization.safe_globals(_ARRAYS):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # torch's reader meets other files with whatever comes up
        if "Unsupported global" in str(error):
            raise ValueError("holds code, which is not run: torch.save its state_dict alone") from error
        raise ValueError(f"not a torch state dict ({type(error).__name__})") from error
    state = content.get("state_dict", content) if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in state.items()
    ):
        raise ValueError("not a torch state dict")
    return {name: value.detach().float() for name, value in state.items()}


def convolutions(state: Mapping[str, torch.Tensor], epsilon: float) -> list[ConvWeights]:
    """The convolutions of a state dict in its order, the batch norm after each folded in.

    Args:
        state: as ``read_state`` returns it.
        epsilon: of the batch norms, which state dicts leave out.
    """
    convs: list[ConvWeights] = []
    for name, value in state.items():
        layer, _, kind = name.rpartition(".")
        if kind == "weight" and value.ndim == 4:
            bias = state.get(f"{layer}.bias", torch.zeros(len(value)))
            depthwise = len(value) > 1 and value.shape[1] == 1
            convs.append(ConvWeights(layer, value.numpy(), bias.numpy(), depthwise))
        elif kind == "weight" and value.ndim == 1 and f"{layer}.running_var" not in state:
            raise ValueError(f"{layer} lacks its statistics: torch.save the whole state_dict")
        elif kind == "running_var":
            norm = [state[f"{layer}.{part}"] for part in ("weight", "bias", "running_mean")]
            if not convs or value.shape != convs[-1].bias.shape:
                raise ValueError(f"{layer} is not the batch norm of a convolution")
            convs[-1] = _folded(convs[-1], norm, value + epsilon)
    return convs


def read_torch(path: Path | str) -> list[ConvWeights]:
    """The convolutions of a torch file, see ``convolutions``.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it holds no state dict.
    """
    return convolutions(read_state(path), _TORCHVISION_EPSILON)


def _folded(conv: ConvWeights, norm: list[torch.Tensor], variance: torch.Tensor) -> ConvWeights:
    gain, shift, mean = norm
    scale = gain / torch.sqrt(variance)
    weight, bias = conv.weight * scale.numpy()[:, None, None, None], conv.bias * scale.numpy()
    return replace(conv, weight=weight, bias=bias + (shift - mean * scale).numpy())
