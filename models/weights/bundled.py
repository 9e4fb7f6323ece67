"""Weights in safetensors files that need no download: those that ship with Sepcam, and the user's own."""

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SepcamError
from ..sources import BundledSource, FileSource
from ..spec import ModelSpec

if TYPE_CHECKING:
    import torch
    from torch import nn


def bundled_file(spec: ModelSpec) -> Path | None:
    """Where the weights of a network lie; None if they are neither the package's nor the user's own.

    Raises:
        SepcamError: If they are missing.
    """
    for source in spec.sources:
        if isinstance(source, FileSource):
            if not source.path.is_file():
                raise SepcamError(f"{source.path} is not a file")
            return source.path
        if isinstance(source, BundledSource):
            path = Path(str(resources.files("sepcam.assets") / source.file))
            if not path.is_file():
                raise SepcamError(f"{path} is missing: install Sepcam again")
            return path
    return None


def read_bundled(path: Path, part: str = "") -> "dict[str, torch.Tensor]":
    """The float32 weights of a safetensors file, for ``load_state_dict``.

    Args:
        path: the file.
        part: of the module whose weights are wanted, by its name in the whole network; all by default.

    Raises:
        SepcamError: If the file cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise SepcamError(f"{path} cannot be read ({error}): copy or install it again") from error
    prefix = f"{part}." if part else ""
    return {
        name.removeprefix(prefix): tensor.float()
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def read_fitting(path: Path, network: "nn.Module") -> "dict[str, torch.Tensor]":
    """The float32 weights of a safetensors file, for ``load_state_dict`` of this network.

    Raises:
        SepcamError: If the file cannot be read, or holds other weights.
    """
    weights, own = read_bundled(path), network.state_dict()
    for name in dict.fromkeys((*own, *weights)):
        is_, should_be = (tuple(one[name].shape) if name in one else "nothing" for one in (weights, own))
        if is_ != should_be:
            raise SepcamError(
                f"{path} does not fit this version of the network ({name} should be {should_be}, is {is_}): "
                "train it again"
            )
    return weights
