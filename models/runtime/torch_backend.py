"""Networks run by torch: the reference on a CPU, and the fast way on a CUDA GPU."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from ..errors import SepcamError
from ..types import F32, U8
from .options import InputSize, Precision, RuntimeOptions, TensorInput

_DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}


def resolve_precision(options: RuntimeOptions) -> Precision:
    """What ``options.precision`` means on ``options.device``.

    Raises:
        SepcamError: If torch has no such precision there.
    """
    if options.precision == "int8":
        raise SepcamError("int8 needs the openvino runtime: use --runtime openvino")
    if options.device == "cuda":
        return "f16" if options.precision == "auto" else options.precision
    if options.precision == "f16":
        raise SepcamError("torch has no fast f16 on a CPU: use --precision f32 or bf16")
    return "f32" if options.precision == "auto" else options.precision


def prepare(network: nn.Module, options: RuntimeOptions) -> nn.Module:
    """Moves a network to its device: weights channels-last, convolutions in the precision they run in.

    The rest keeps f32 and autocast decides for it; weights that already have autocast's type are not cast on
    every call.
    """
    network.eval().to(options.device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            module.to(_DTYPES[options.precision])
    return network


def run(network: nn.Module, images: torch.Tensor, options: RuntimeOptions) -> list[torch.Tensor]:
    """One pass; contiguous float32 outputs on the network's device."""
    dtype = _DTYPES[options.precision]
    reduced = dtype != torch.float32
    # No weight cache: nothing needs casting, and a CUDA graph must not capture tensors that autocast frees.
    with torch.inference_mode(), torch.autocast(options.device, dtype, enabled=reduced, cache_enabled=False):
        return [output.float().contiguous() for output in network(images)]


class CpuRunner:
    """A network on the CPU, see ``Runner``.

    ``options.threads`` sets torch's own number of threads, which it has one of per process.
    """

    def __init__(
        self, network: nn.Module, size: InputSize, options: RuntimeOptions, *, max_batch: int
    ) -> None:
        del max_batch  # Any batch size runs as it is.
        self.options = options
        self._input = TensorInput.of(size)
        if options.threads is not None:
            torch.set_num_threads(options.threads)
        self._network = prepare(network, options)

    def __call__(self, images: U8 | F32) -> tuple[F32, ...]:
        """Runs the network, see ``Runner``."""
        self._input.check(images)
        batch = torch.from_numpy(np.require(images, requirements=("C", "W")))
        return tuple(output.numpy() for output in run(self._network, batch, self.options))


@dataclass(frozen=True, slots=True)
class _Captured:
    """A CUDA graph for one batch size, and the memory that it reads and writes."""

    graph: torch.cuda.CUDAGraph
    images: torch.Tensor
    outputs: list[torch.Tensor]
    host_images: torch.Tensor
    host_outputs: list[torch.Tensor]


class CudaRunner:
    """A network on a CUDA GPU, see ``Runner``.

    Every power of two up to ``max_batch`` is a CUDA graph of its own, recorded when it is first needed: these
    networks are many small kernels, whose launches would otherwise take longer than the kernels. A batch
    between two sizes is filled up; a larger one is split. Transfers go through pinned memory.
    """

    def __init__(
        self, network: nn.Module, size: InputSize, options: RuntimeOptions, *, max_batch: int
    ) -> None:
        self.options = options
        self._input = TensorInput.of(size)
        self._largest = 1 << (max(max_batch, 1) - 1).bit_length()
        self._network = prepare(network, options)
        self._captured: dict[int, _Captured] = {}
        self._bucket(1)

    def __call__(self, images: U8 | F32) -> tuple[F32, ...]:
        """Runs the network, see ``Runner``."""
        self._input.check(images)
        if len(images) <= self._largest:
            return self._pass(images)
        # Each pass writes where the one before did.
        starts = range(0, len(images), self._largest)
        parts = [[output.copy() for output in self._pass(images[i : i + self._largest])] for i in starts]
        return tuple(np.concatenate(outputs) for outputs in zip(*parts, strict=True))

    def _pass(self, images: U8 | F32) -> tuple[F32, ...]:
        count = len(images)
        bucket = self._bucket(1 << (count - 1).bit_length())
        # What an earlier batch left in the rows beyond is computed with and thrown away.
        bucket.host_images.numpy()[:count] = images
        bucket.images.copy_(bucket.host_images, non_blocking=True)
        bucket.graph.replay()
        for host, output in zip(bucket.host_outputs, bucket.outputs, strict=True):
            host.copy_(output, non_blocking=True)
        torch.cuda.current_stream().synchronize()
        return tuple(host.numpy()[:count] for host in bucket.host_outputs)

    def _bucket(self, batch: int) -> _Captured:
        if batch not in self._captured:
            self._captured[batch] = self._capture(batch)
        return self._captured[batch]

    def _capture(self, batch: int) -> _Captured:
        dtype = getattr(torch, self._input.dtype)
        images = torch.zeros((batch, *self._input.shape), dtype=dtype, device="cuda")
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            # cuDNN picks its algorithms and workspaces in the first passes, which must not be recorded.
            for _ in range(3):
                run(self._network, images, self.options)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            outputs = run(self._network, images, self.options)
        return _Captured(
            graph,
            images,
            outputs,
            host_images=torch.zeros(images.shape, dtype=dtype, pin_memory=True),
            host_outputs=[torch.empty(o.shape, dtype=torch.float32, pin_memory=True) for o in outputs],
        )
