"""Networks run by OpenVINO, the fast runtime on CPUs.

A torch module is converted once and kept on disk in OpenVINO's own format (IR), with f32 weights and an
open batch size; precision, threads and batch sizes are applied when it is compiled for this process. That
takes about as long as loading a compiled blob, and one file serves them all. Each compiled copy has a fixed
batch size: one with an open batch size measured 15-30 % slower.
"""

import functools
import hashlib
import sys
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from weakref import WeakValueDictionary

import numpy as np

# OpenVINO reports every import to its makers unless the package that does so is missing. No word of what the
# user does leaves this machine.
sys.modules.setdefault("openvino_telemetry", None)  # pyright: ignore[reportArgumentType]

import openvino as ov  # noqa: E402

from ..cache import cache_root  # noqa: E402
from ..errors import SepcamError  # noqa: E402
from ..files import atomic_write  # noqa: E402
from ..types import F32, U8  # noqa: E402
from .options import AnySize, InputSize, Precision, RuntimeOptions, TensorInput, split  # noqa: E402

if TYPE_CHECKING:
    from torch import nn

_BUCKETS = (1, 2, 4)  # From 2 images on a batch gains little more per image, and memory grows with it.
_HEAVY = 64 << 20  # Bytes of weights from which on only one batch size is compiled: each has a copy of them.
_GRAPH, _WEIGHTS = "model.xml", "model.bin"


@functools.cache
def _core() -> ov.Core:
    """The one Core of this process: it holds the plugin's threads."""
    return ov.Core()


@functools.cache
def _in_use() -> WeakValueDictionary[tuple[Path, int, int], ov.Model]:
    """What was read from the disk and is in use, by path, time and size of the file.

    Networks that are compiled for several input sizes share their weights by it: 25 MB each of `people`.
    """
    return WeakValueDictionary()


def resolve_precision(options: RuntimeOptions) -> Precision:
    """What ``options.precision`` means on this CPU.

    Raises:
        SepcamError: If this CPU does not compute in it.
    """
    if options.precision == "auto":
        # A pipeline measures whether something faster is good enough, see `pipelines.execution.precision`.
        return "f32"
    if options.precision in ("bf16", "f16") and not computes_in(options.precision):
        raise SepcamError(f"this processor does not compute in {options.precision}: use --precision f32")
    return options.precision


def computes_in(precision: Literal["bf16", "f16"]) -> bool:
    """Whether this CPU computes in a precision itself."""
    needed = {"bf16": "BF16", "f16": "FP16"}[precision]
    return needed in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class OpenVinoRunner:
    """A network on the CPU, see ``Runner``. A batch is run as batches of 4, 2 and 1, without padding.

    Args:
        model: converted, see ``load``.
        size: (height, width) of its input in pixels.
        options: resolved ones.
        max_batch: the largest batch worth preparing for.
    """

    def __init__(self, model: ov.Model, size: InputSize, options: RuntimeOptions, *, max_batch: int) -> None:
        self.options = options
        self._input = TensorInput.of(size)
        source, model = model, _of_size(model, -1, size)
        weight = sum(op.get_byte_size() for op in model.get_ops() if op.get_type_name() == "Constant")
        self._buckets = tuple(b for b in _BUCKETS if b == 1 or (b <= max_batch and weight < _HEAVY))
        self._outputs = [np.zeros((0, *_tail(output)), np.float32) for output in model.outputs]
        self._first = self._compile(model, 1)
        self._others: dict[int, Future[ov.InferRequest]] = {}
        self._later: ov.Model | None = model if len(self._buckets) > 1 else None
        # Kept for whatever is compiled of it later. Large ones would be in memory twice.
        self._source = source if weight < _HEAVY else None

    def __call__(self, images: U8 | F32) -> tuple[F32, ...]:
        """Runs the network, see ``Runner``; images are read, and outputs written, in place."""
        self._input.check(images)
        count = len(images)
        images = np.require(images, requirements=("C", "W"))  # OpenVINO refuses to read what it can't write
        if count > len(self._outputs[0]):
            self._outputs = [np.empty((count, *output.shape[1:]), np.float32) for output in self._outputs]
        start = 0
        # By the number of the call, not by what is ready: the same images always give the same bits.
        for bucket in split(count, (1, *self._others)):
            rows = slice(start, start + bucket)
            request = self._first if bucket == 1 else self._others[bucket].result()
            request.set_input_tensor(ov.Tensor(images[rows], shared_memory=True))
            for index, output in enumerate(self._outputs):
                request.set_output_tensor(index, ov.Tensor(output[rows], shared_memory=True))
            request.infer()
            start += bucket
        if self._later is not None:
            self._compile_others(self._later)
            self._later = None
        return tuple(output[:count] for output in self._outputs)

    def _compile_others(self, model: ov.Model) -> None:
        """Begin with the larger batches, beside the caller, who has a first result by now."""
        executor = ThreadPoolExecutor(1, "sepcam-compile")
        self._others = {
            bucket: executor.submit(self._compile, model, bucket) for bucket in self._buckets if bucket > 1
        }
        executor.shutdown(wait=False)

    def _compile(self, model: ov.Model, batch: int) -> ov.InferRequest:
        return compile_model(model, batch, self._input, self.options).create_infer_request()


def compile_model(
    model: ov.Model, batch: int, size: InputSize, options: RuntimeOptions, *, timed: bool = False
) -> ov.CompiledModel:
    """A converted network for one batch size.

    Args:
        model: with an open batch size; stays as it is.
        batch: images per pass.
        size: (height, width) of the input in pixels.
        options: resolved ones.
        timed: whether it measures how long each layer takes, which costs a little time itself.
    """
    fixed = _of_size(model, batch, size)
    # The precision is always named: left alone, OpenVINO silently takes bf16 where the processor has it.
    config: dict[str, str | int | bool] = {
        "INFERENCE_PRECISION_HINT": options.precision if options.precision in ("bf16", "f16") else "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        # Threads that are tied to a core wait for whatever else runs there: decoders, other networks.
        "ENABLE_CPU_PINNING": False,
        "PERF_COUNT": timed,
    }
    if options.threads is not None:
        config["INFERENCE_NUM_THREADS"] = options.threads
    return _core().compile_model(fixed, "CPU", config)


def _of_size(model: ov.Model, batch: int, size: InputSize) -> ov.Model:
    """A converted network for one batch size, -1 for an open one, and one input; the given one stays."""
    fixed = model.clone()
    fixed.reshape({0: [batch, *TensorInput.of(size).shape]})
    return fixed


def _tail(output: ov.Output) -> tuple[int, ...]:
    """The shape of one image's share of an output."""
    return tuple(dimension.get_length() for dimension in list(output.partial_shape)[1:])


def load(
    build: Callable[[], "nn.Module"],
    size: InputSize,
    precision: Precision,
    key: str | None,
    cache_dir: Path | None,
) -> ov.Model:
    """The converted network, from the disk if it is there and whole.

    Args:
        build: makes the network; called only where no converted copy is found.
        size: (height, width) of its input in pixels.
        precision: a resolved one. Only ``int8`` has a copy of its own, which is never made here.
        key: its name in the cache; None keeps nothing on disk.
        cache_dir: root of the cache, by default ``cache_root()``.

    Raises:
        SepcamError: If there is no int8 copy, or the disk refuses.
    """
    if key is None:
        return convert(build(), size)
    path = compiled_path(key, size, cache_dir, quantized=precision == "int8")
    found = _read(path)
    if found is None and precision == "int8":
        height, width, *_ = TensorInput.of(size).shape
        at = f" at {width}x{height}" if isinstance(size, tuple) else ""
        raise SepcamError(
            f"no int8 copy of {key}{at}: make one with sepcam models quantize, of the same network with the "
            "same --backbone, or use --precision f32"
        )
    if found is None:
        try:
            save(convert(build(), size), path)
        except SepcamError as error:
            raise SepcamError(f"{error}; SEPCAM_CACHE names another place for it") from error
        # Read back, so that every start computes with the very same graph, to the last bit.
        found = _read(path)
    if found is None:
        raise SepcamError(f"{path} does not keep what is written to it: check the disk")
    return found


def convert(network: "nn.Module", size: InputSize) -> ov.Model:
    """A torch module as an OpenVINO model with f32 weights and an open batch size.

    Args:
        network: takes (B, H, W, 3) uint8 or what ``size`` says, returns float32 tensors whose first
            axis is B.
        size: (height, width) of the input in pixels, or another input.
    """
    import torch

    # Two images, so that nothing takes the batch for a constant 1.
    item = TensorInput.of(size)
    example = torch.zeros((2, *item.shape), dtype=getattr(torch, item.dtype))
    with warnings.catch_warnings(), torch.no_grad():
        # OpenVINO reads traced modules, which torch calls deprecated and comments on in passing. The trace is
        # made here because OpenVINO's own way of making it runs the network three more times to check it.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(network.eval(), example, check_trace=False)
        shape = ov.PartialShape([-1, -1, -1, 3] if isinstance(size, AnySize) else [-1, *item.shape])
        model = ov.convert_model(traced, example_input=example, input=[shape])
    assert isinstance(model, ov.Model)
    return model


def compiled_path(
    key: str, size: InputSize, cache_dir: Path | None = None, *, quantized: bool = False
) -> Path:
    """Where a converted network lives: by key, size, OpenVINO's version, and this package's own code."""
    readable = "".join(c if c.isalnum() or c in "-_" else "_" for c in key)[:80]
    label = "any" if isinstance(size, AnySize) else _label(size)
    name = f"{readable}-{label}-{'int8' if quantized else 'f32'}"
    digest = hashlib.sha256("\n".join((key, ov.__version__, _code_fingerprint())).encode()).hexdigest()[:16]
    return (cache_dir or cache_root()) / "compiled" / f"{name}.{digest}.zip"


def _label(size: InputSize) -> str:
    """Height and width, or the shape of another input, e.g. 256x416."""
    shape = TensorInput.of(size).shape
    return "x".join(map(str, shape if isinstance(size, TensorInput) else shape[:2]))


@functools.cache
def _code_fingerprint() -> str:
    """Changes whenever a module that could define a network does: its graph is baked into what is kept."""
    digest = hashlib.sha256()
    for path in sorted(Path(str(resources.files("sepcam.models"))).rglob("*.py")):
        source = path.read_bytes()
        if b"import torch" in source or b"from torch" in source:
            digest.update(source)
    return digest.hexdigest()


def save(model: ov.Model, path: Path) -> None:
    """Writes a converted network to its place in the cache: whole, or not at all.

    It is a zip archive: its checksums tell when it is damaged, and the zeros that fill a standard convolution
    which does a depthwise one's work take no space (10 in place of 446 MB for BlazePose).

    Raises:
        SepcamError: If the disk refuses.
    """
    with (
        atomic_write(path, overwrite=True) as temporary,
        tempfile.TemporaryDirectory(prefix="sepcam-") as name,
    ):
        graph = Path(name) / _GRAPH
        ov.save_model(model, graph, compress_to_fp16=False)
        # Weights that are not mostly zeros do not get smaller, and reading them takes four times as long.
        heavy = graph.with_name(_WEIGHTS).stat().st_size >= _HEAVY
        kind = zipfile.ZIP_DEFLATED if heavy else zipfile.ZIP_STORED
        with zipfile.ZipFile(temporary, "w", kind, compresslevel=1) as archive:
            for file in (graph, graph.with_name(_WEIGHTS)):
                archive.write(file, file.name)
    # What an older version of this package or of OpenVINO left is of no more use.
    for sibling in path.parent.glob(f"{path.name.split('.')[0]}.*.zip"):
        if sibling != path:
            sibling.unlink(missing_ok=True)


def _read(path: Path) -> ov.Model | None:
    """A converted network, or None if it is not there or damaged."""
    try:
        facts = path.stat()
        key = path, facts.st_mtime_ns, facts.st_size
        if (model := _in_use().get(key)) is not None:
            return model
        with zipfile.ZipFile(path) as archive:
            graph, weights = archive.read(_GRAPH), archive.read(_WEIGHTS)
    except (OSError, KeyError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile):
        return None
    model = _core().read_model(graph, ov.Tensor(np.frombuffer(weights, np.uint8)))
    _in_use()[key] = model
    return model
