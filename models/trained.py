"""Networks in files of the user's own, as ``sepcam train`` writes them, with their cards inside."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cache import sha256_of
from .errors import SepcamError
from .files import atomic_write

if TYPE_CHECKING:
    import torch

SUFFIX = ".safetensors"

_CARD = "sepcam"  # key of the card in the file's metadata


def save_trained(path: Path, weights: "Mapping[str, torch.Tensor]", card: Mapping[str, Any]) -> None:
    """Writes a network's weights in float16, whole or not at all; replaces a file of that name.

    Args:
        path: of the file.
        weights: its state dict.
        card: what it is, as JSON; ``network`` names the one in the registry that it is a version of.

    Raises:
        SepcamError: If it cannot be written.
    """
    from safetensors.torch import save

    content = save({name: value.half() for name, value in weights.items()}, {_CARD: json.dumps(card)})
    with atomic_write(path, overwrite=True) as hidden:
        hidden.write_bytes(content)


@dataclass(frozen=True, slots=True)
class Trained:
    """A network in a file.

    Attributes:
        card: what it is, see `save_trained`.
        sha256: of the file.
    """

    card: Mapping[str, Any]
    sha256: str

    @property
    def network(self) -> str:
        """The name in the registry of what it is a version of."""
        return self.card["network"]


def read_trained(path: Path) -> Trained:
    """What a file holds; a file that has not changed is read once.

    Raises:
        SepcamError: If the file cannot be read, or is none of ``sepcam train``.
    """
    try:
        state = path.stat()
        return _read(path, state.st_mtime_ns, state.st_size)
    except OSError as error:
        raise SepcamError(f"{path} cannot be read: {error.strerror or error}") from error


@lru_cache(16)
def _read(path: Path, changed: int, size: int) -> Trained:
    from safetensors import SafetensorError, safe_open

    del changed, size  # of the file that is remembered
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
    except SafetensorError as error:
        raise SepcamError(f"{path} is not a safetensors file: {error}") from error
    try:
        card = json.loads(metadata[_CARD])
        if isinstance(card["network"], str):
            return Trained(card, sha256_of(path))
    except (KeyError, ValueError, TypeError):
        pass
    raise SepcamError(f"{path} has no card of 'sepcam train': which network is it?")
