"""The weights that ship with Sepcam, in the package's own files."""

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open

from ..errors import SepcamError

if TYPE_CHECKING:
    import torch


def bundled_file(name: str) -> Path:
    """Where the weights of that name lie, in a checkout as in an installed wheel.

    Raises:
        SepcamError: If the installation lacks them.
    """
    path = Path(str(resources.files("sepcam.assets") / f"{name}.safetensors"))
    if not path.is_file():
        raise SepcamError(f"{path} is missing: install sepcam again")
    return path


def read_part(path: Path, part: str) -> "dict[str, torch.Tensor]":
    """The float32 weights of one network of a file, for ``load_state_dict``.

    Args:
        path: a safetensors file whose tensors are named ``<part>.<name in the state dict>``.
        part: which network, e.g. ``people`` or ``mask``.

    Raises:
        SepcamError: If the file cannot be read or has no such part.
    """
    prefix = f"{part}."
    try:
        with safe_open(path, framework="pt") as file:
            names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118 - no mapping
            state = {name.removeprefix(prefix): file.get_tensor(name).float() for name in names}
    except (OSError, SafetensorError) as error:
        raise SepcamError(f"{path} cannot be read ({error}): install sepcam again") from error
    if not state:
        raise SepcamError(f"{path} has no weights of {part!r}: install sepcam again")
    return state
