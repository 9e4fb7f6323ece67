"""Writes the int8 copies that ``quantize`` made as files that other programs run: ONNX or OpenVINO.

A detector or pose estimator consists of one network or more; each becomes a file.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import openvino as ov

from ..errors import SepcamError
from ..int8.calibration import in_f32
from ..int8.onnx_writer import to_onnx
from ..types import F32, U8
from .compile import resolve
from .export import INPUT, READERS, Difference, check_suffix, largest, place
from .openvino_backend import OpenVinoRunner, compiled_path, load
from .options import InputSize, Runner, RuntimeOptions, TensorInput, as_module

if TYPE_CHECKING:
    from .compile import Network

TOLERANCE = 0.3
"""The largest difference from the copy that is accepted, as a share of an output (both RMS).

Where two programs round a value to neighboring steps, all that follows differs, by about as much as the copy
itself differs from float32.
"""

_CHECK_SQUARE = 16  # side in pixels of the squares of one color that files are checked with
_CHECKED = 2  # items, another number than 1


@dataclass(frozen=True, slots=True)
class Written:
    """A file.

    Attributes:
        path: where it is; OpenVINO's has its weights beside it, with the suffix ``.bin``.
        input: what its input is called.
        shape: of the input, with names for what has any size.
        dtype: of the input.
        differences: how far each of its outputs is from the copy's, on average (RMS).
    """

    path: Path
    input: str
    shape: tuple[int | str, ...]
    dtype: str
    differences: list[Difference]


@dataclass(frozen=True, slots=True)
class _Copy:
    part: str
    size: InputSize
    model: ov.Model


class Copies:
    """The int8 copies of every network that a detector or a pose estimator is made of, see ``compile``."""

    def __init__(self) -> None:
        self._found: dict[Path, _Copy] = {}

    def compile(
        self,
        network: "Network",
        size: InputSize,
        options: RuntimeOptions | None = None,
        *,
        key: str | None = None,
        max_batch: int = 1,
        cache_dir: Path | None = None,
    ) -> Runner:
        """Stands in for ``runtime.compile_network``, and remembers what it compiles.

        Raises:
            SepcamError: If a network has no copy.
        """
        assert key is not None, "a copy on disk needs a name"
        int8 = resolve(options or RuntimeOptions())
        model = load(lambda: as_module(network), size, "int8", key, cache_dir)
        part = key.rsplit("-", 2)[0]  # without the kind of convolutions and the weights' digest
        self._found[compiled_path(key, size, cache_dir, quantized=True)] = _Copy(part, size, model)
        return OpenVinoRunner(model, size, int8, max_batch=max_batch)

    def write(self, format: Literal["onnx", "openvino"], path: Path, *, overwrite: bool) -> list[Written]:
        """Writes each to a file, reads it back and compares it.

        Args:
            format: of the files.
            path: of the file; with several, a part's name is added to each.
            overwrite: replace files that exist.

        Raises:
            SepcamError: If a file exists, cannot be written, or computes something else; it is not left.
        """
        check_suffix(path, format)
        copies = list(self._found.values())
        paths = [path] if len(copies) == 1 else [path.with_stem(f"{path.stem}-{_name(c)}") for c in copies]
        written = [*paths, *(file.with_suffix(".bin") for file in paths if format == "openvino")]
        for file in written if not overwrite else ():
            if file.exists():
                raise SepcamError(f"{file} exists: use --overwrite to replace it, or another name with -o")
        return [_write(copy, format, file) for copy, file in zip(copies, paths, strict=True)]


def _name(copy: _Copy) -> str:
    """What tells a network from the others of the same detector."""
    last = copy.part.rsplit("-", 1)[-1]
    return f"{last}-{copy.size[1]}x{copy.size[0]}" if isinstance(copy.size, tuple) else last


def _write(copy: _Copy, format: Literal["onnx", "openvino"], path: Path) -> Written:
    model = copy.model.clone()
    item = TensorInput.of(copy.size)
    given = INPUT if item.dtype == "uint8" else "values"
    outputs = [f"output_{number}" for number in range(len(model.outputs))]

    def write(draft: Path) -> list[Difference]:
        if format == "onnx":
            draft.write_bytes(to_onnx(model, [given, *outputs]).SerializeToString())
        else:
            for end, name in zip((*model.inputs, *model.outputs), (given, *outputs), strict=True):
                end.get_tensor().set_names({name})
            ov.save_model(model, draft, compress_to_fp16=False)
        return _compare(in_f32(copy.model), READERS[format](draft), item, outputs)

    differences = place(path, write)
    sizes = list(model.inputs[0].get_partial_shape())
    shape = tuple(
        size.get_length() if size.is_static else name for size, name in zip(sizes, "BHWCD", strict=False)
    )
    return Written(path, given, shape, item.dtype, differences)


def _compare(
    copy: Callable[[U8 | F32], Sequence[F32]],
    written: Callable[[Any], Sequence[F32]],
    item: TensorInput,
    outputs: Sequence[str],
) -> list[Difference]:
    batch = _squares(item) if item.dtype == "uint8" else _noise(item)
    differences = []
    for name, one, other in zip(outputs, copy(batch), written(batch), strict=True):
        if one.shape != other.shape:
            raise SepcamError(f"the written file returns {name} as {other.shape}, the copy as {one.shape}")
        far, scale = (float(np.sqrt(np.square(values).mean())) for values in (one - other, one))
        differences.append(Difference(name, one.shape[1:], far, scale))
    worst = largest(differences)
    if not worst.share <= TOLERANCE:
        raise SepcamError(
            f"the written file differs from the copy in {worst.output}, by {worst.share:.0%}: it is not kept"
        )
    return differences


def _squares(item: TensorInput) -> U8:
    """Images of squares: noise has no edges, of which networks make anything."""
    height, width, _ = item.shape
    count = (_CHECKED, -(-height // _CHECK_SQUARE), -(-width // _CHECK_SQUARE), 3)
    colors = np.random.default_rng(0).integers(0, 256, count, np.uint8)
    squares = colors.repeat(_CHECK_SQUARE, 1).repeat(_CHECK_SQUARE, 2)
    return np.ascontiguousarray(squares[:, :height, :width])


def _noise(item: TensorInput) -> F32:
    return np.random.default_rng(0).random((_CHECKED, *item.shape), np.float32)
