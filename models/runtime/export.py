"""Writes a network as a file that other programs run: ONNX, OpenVINO or TorchScript.

The file takes what the network takes, raw (B, H, W, 3) uint8 BGR images with any batch size, so that
nothing about normalization is left to know. What is written is read back and run before it gets its name.
"""

import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from ..errors import SepcamError
from ..types import F32, U8

Format = Literal["onnx", "openvino", "torchscript"]
Axes = Mapping[str, Mapping[int, str]]
"""Names of axes by their index, by the name of the input or output."""

SUFFIXES: dict[Format, str] = {"onnx": ".onnx", "openvino": ".xml", "torchscript": ".pt"}

INPUT = "images"
TOLERANCE = 1e-3
"""The largest difference from torch that is accepted, as a share of an output's largest value."""

_TRACED = 2  # images, so that no batch size is taken for a constant 1
_CHECKED = 3  # another batch size, which shows that none was
_OPSET = 17
_ONNX_LIMIT = 2**31 - 1  # bytes: of a protocol buffer, which an ONNX file is


@dataclass(frozen=True, slots=True)
class Difference:
    """How far one output of the written file is from torch's, over a few images.

    Attributes:
        output: its name.
        shape: its shape behind the batch.
        largest: the largest absolute difference.
        scale: the largest absolute value of torch's.
    """

    output: str
    shape: tuple[int, ...]
    largest: float
    scale: float

    @property
    def share(self) -> float:
        """The difference as a share of the scale."""
        return self.largest / max(self.scale, 1e-9)


def export(
    network: nn.Module, size: tuple[int, int], outputs: Sequence[str], format: Format, path: Path
) -> list[Difference]:
    """Writes a network, reads it back, and compares it with torch.

    Args:
        network: takes (B, H, W, 3) uint8 and returns a tuple of float32 tensors whose first axis is B.
        size: (height, width) of its input in pixels.
        outputs: names for its outputs.
        format: of the file. OpenVINO's has its weights in a second one, with the suffix ``.bin``.
        path: of the file, with the format's suffix; replaced if it exists.

    Returns:
        The difference of each output.

    Raises:
        SepcamError: If the file cannot be written, or computes something else than torch; none is left then.
    """
    check_suffix(path, format)
    size_of_weights = sum(values.nbytes for values in network.state_dict().values())
    if format == "onnx" and size_of_weights > _ONNX_LIMIT:
        raise SepcamError(
            f"{path} would have {size_of_weights / 1e9:.1f} GB, ONNX files have 2.1 at most: "
            "use --format openvino or torchscript, or --backbone separable"
        )
    network = network.eval()

    def write(draft: Path) -> list[Difference]:
        _write(network, size, outputs, format, draft)
        return _compare(network, size, outputs, READERS[format](draft))

    return place(path, write)


def check_suffix(path: Path, format: Format) -> None:
    """Makes sure that a file has the suffix of its format.

    Raises:
        SepcamError: If it has another.
    """
    if path.suffix != SUFFIXES[format]:
        raise SepcamError(f"{path}: a file in the format {format} ends in {SUFFIXES[format]}")


def place(path: Path, write: Callable[[Path], list[Difference]]) -> list[Difference]:
    """Lets a file, and those beside it, appear whole or not at all.

    Args:
        path: of the file; replaced if it exists.
        write: is called with another path, of the same name, to write to, and checks what it wrote.

    Returns:
        What `write` returns.

    Raises:
        SepcamError: If the disk refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Beside the target, so that it gets its name by renaming.
        folder = Path(tempfile.mkdtemp(prefix=f".{path.stem}.", dir=path.parent))
    except OSError as error:
        raise SepcamError(f"cannot write {path}: {error.strerror or error}") from error
    try:
        differences = write(folder / path.name)
        for file in sorted(folder.iterdir()):  # the weights (.bin) before the graph (.xml) that names them
            file.replace(path.with_name(file.name))
    except OSError as error:
        raise SepcamError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return differences


def _write(
    network: nn.Module, size: tuple[int, int], outputs: Sequence[str], format: Format, path: Path
) -> None:
    if format == "openvino":
        _write_openvino(network, size, outputs, path)
        return
    example = torch.zeros((_TRACED, *size, 3), dtype=torch.uint8)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch calls both ways deprecated, and comments on the trace
        if format == "torchscript":
            traced = torch.jit.trace(network, example, check_trace=False)
            torch.jit.save(traced, str(path))
            return
        names = [INPUT, *outputs]
        trace_onnx(network, example, names, {name: {0: "batch"} for name in names}, path)


def trace_onnx(
    network: nn.Module, example: torch.Tensor, names: Sequence[str], axes: Axes, path: Path
) -> None:
    """Writes a network with one input as ONNX.

    Args:
        network: in evaluation mode.
        example: an input.
        names: of the input, then of the outputs.
        axes: names of the axes that may have other sizes than those of the example.
        path: where to.

    Raises:
        SepcamError: If the package onnx is missing.
    """
    try:
        import onnx  # noqa: F401 - torch's exporter needs it
    except ImportError as error:
        raise SepcamError("the format onnx needs the package onnx: pip install 'sepcam[export]'") from error
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (example,),
            str(path),
            dynamo=False,  # the other exporter needs one more package and writes the same graph
            opset_version=_OPSET,
            input_names=list(names[:1]),
            output_names=list(names[1:]),
            dynamic_axes=axes,
        )


def _write_openvino(network: nn.Module, size: tuple[int, int], outputs: Sequence[str], path: Path) -> None:
    import openvino as ov

    from .openvino_backend import convert

    model = convert(network, size)
    model.inputs[0].get_tensor().set_names({INPUT})
    for output, name in zip(model.outputs, outputs, strict=True):
        output.get_tensor().set_names({name})
    ov.save_model(model, path, compress_to_fp16=False)


def _compare(
    network: nn.Module, size: tuple[int, int], outputs: Sequence[str], run: Callable[[U8], Sequence[F32]]
) -> list[Difference]:
    images = np.random.default_rng(0).integers(0, 256, (_CHECKED, *size, 3), np.uint8)
    return compare(network, images, outputs, run)


def compare(
    network: nn.Module, images: U8 | F32, outputs: Sequence[str], run: Callable[[Any], Sequence[F32]]
) -> list[Difference]:
    """How far the outputs of ``run`` are from torch's.

    Args:
        network: what torch runs.
        images: the input of both.
        outputs: names of the outputs.
        run: what is compared with it.

    Raises:
        SepcamError: If the shapes differ, or the values by more than ``TOLERANCE``.
    """
    with torch.inference_mode():
        wanted = [output.float().numpy() for output in network(torch.from_numpy(images))]
    differences = []
    for name, one, other in zip(outputs, wanted, run(images), strict=True):
        if one.shape != other.shape:
            raise SepcamError(f"the exported file returns {name} as {other.shape}, torch as {one.shape}")
        differences.append(
            Difference(name, one.shape[1:], float(np.abs(one - other).max()), float(np.abs(one).max()))
        )
    worst = largest(differences)
    if not worst.share <= TOLERANCE:
        raise SepcamError(
            f"the written file differs from torch in {worst.output} by {worst.largest:.1g} of "
            f"{worst.scale:.3g}: it is not kept"
        )
    return differences


def largest(differences: Sequence[Difference]) -> Difference:
    """The one with the largest share; one that is no number is larger than any."""
    return max(differences, key=lambda one: (np.isnan(one.share), one.share))


def _read_torchscript(path: Path) -> Callable[[U8], Sequence[F32]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.jit.load(str(path))

    def run(images: U8) -> Sequence[F32]:
        with torch.inference_mode():
            return [output.numpy() for output in module(torch.from_numpy(images))]

    return run


def _read_openvino(path: Path) -> Callable[[U8], Sequence[F32]]:
    import openvino as ov

    # OpenVINO reads ONNX too. From memory: the file must be free to be renamed.
    weights = path.with_suffix(".bin")
    content: Any = path.read_bytes()
    core = ov.Core()
    if weights.exists():
        model = core.read_model(content, ov.Tensor(np.frombuffer(weights.read_bytes(), np.uint8)))
    else:
        model = core.read_model(content)
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(images: U8) -> Sequence[F32]:
        results = compiled(images)
        return [np.array(results[output], np.float32) for output in compiled.outputs]

    return run


READERS: dict[Format, Callable[[Path], Callable[[U8], Sequence[F32]]]] = {
    "onnx": _read_openvino,
    "openvino": _read_openvino,
    "torchscript": _read_torchscript,
}
"""What reads a written file, from memory, and runs it."""
