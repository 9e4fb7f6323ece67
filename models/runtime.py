"""How a network is executed: which library, which device, which precision; one small interface for all.

A network takes a batch of raw images, (B, H, W, 3) uint8 BGR, and gives a tuple of float32 arrays whose
first axis is B. This module decides what the options mean on this machine; ``torch_runtime`` and
``openvino_runtime`` do the work and are imported only when they are chosen: importing torch alone takes
longer than reading and compiling a network that OpenVINO has converted before.
"""

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, cast

from .errors import SepcamError
from .types import F32, U8

if TYPE_CHECKING:
    from torch import nn

    Network = nn.Module | Callable[[], nn.Module]

Runtime = Literal["auto", "torch", "openvino"]
Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "f32", "bf16", "f16", "int8"]


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """What the user asked for, or, as ``Runner.options``, what it came to on this machine.

    Attributes:
        runtime: ``auto`` is OpenVINO on a CPU and torch on a GPU.
        device: ``auto`` is a CUDA GPU where torch sees one, else the CPU.
        precision: ``auto`` is f16 on a GPU and f32 on a CPU, where bf16 took more than the tolerated 0.3 off
            YOLOX-nano's box AP and moved BlazePose's landmarks by up to 2.6 px of 256. int8 needs copies that
            ``quantise`` makes.
        threads: threads per network on a CPU; None leaves it to the runtime.
    """

    runtime: Runtime = "auto"
    device: Device = "auto"
    precision: Precision = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise SepcamError(f"threads must be at least 1, is {self.threads}")


class Runner(Protocol):
    """A network that is ready to run. One thread at a time may call it."""

    @property
    def options(self) -> RuntimeOptions:
        """The options with every ``auto`` resolved."""
        ...

    def __call__(self, images: U8) -> tuple[F32, ...]:
        """Runs the network on a (B, H, W, 3) uint8 BGR batch, B >= 1.

        Returns:
            One float32 array per output, first axis B. The runner owns them: the next call may overwrite
            them, so copy what has to outlive it.

        Raises:
            ValueError: If the batch has another shape or dtype than the network was compiled for.
        """
        ...


class Compiler(Protocol):
    """What ``compile_network`` is; another can take its place to watch what networks are given."""

    def __call__(
        self,
        network: "Network",
        size: tuple[int, int],
        options: RuntimeOptions | None = None,
        *,
        key: str | None = None,
        max_batch: int = 1,
        cache_dir: Path | None = None,
    ) -> Runner:
        """Prepares a network to run, see ``compile_network``."""
        ...


def compile_network(
    network: "Network",
    size: tuple[int, int],
    options: RuntimeOptions | None = None,
    *,
    key: str | None = None,
    max_batch: int = 1,
    cache_dir: Path | None = None,
) -> Runner:
    """Prepares a network to run.

    Args:
        network: the module, which the runner may change in place, or a function that builds it. The function
            is called only where needed: OpenVINO with a converted copy on disk needs neither it nor torch.
        size: (height, width) of its input in pixels.
        options: what to run it on; None is automatic.
        key: names these weights and this form of the network (name, weights hash and convolution kind) in the
            on-disk cache of converted networks; None keeps nothing on disk.
        max_batch: the largest batch worth preparing for; larger ones still work.
        cache_dir: root of the cache, by default ``cache_root()``.

    Raises:
        SepcamError: If the options can't be met on this machine.
    """
    resolved = resolve(options or RuntimeOptions())
    if resolved.runtime == "openvino":
        from .openvino_runtime import OpenVinoRunner, load

        model = load(lambda: as_module(network), size, resolved.precision, key, cache_dir)
        return OpenVinoRunner(model, size, resolved, max_batch=max_batch)
    from . import torch_runtime

    runner = torch_runtime.CudaRunner if resolved.device == "cuda" else torch_runtime.CpuRunner
    return runner(as_module(network), size, resolved, max_batch=max_batch)


def as_module(network: "Network") -> "nn.Module":
    """The module itself, built if need be."""
    # A module can only have been made after torch was imported, and asking must not import it.
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(network, torch.nn.Module):
        return cast("nn.Module", network)
    return cast("Callable[[], nn.Module]", network)()


def resolve(options: RuntimeOptions) -> RuntimeOptions:
    """Replaces every ``auto`` by what it means on this machine.

    Raises:
        SepcamError: If the options contradict each other or the machine lacks what they ask for.
    """
    device = options.device
    if device == "auto":
        device = "cuda" if options.runtime != "openvino" and _has_cuda() else "cpu"
    elif device == "cuda" and not _has_cuda():
        raise SepcamError("torch sees no CUDA GPU on this machine: use --device cpu")
    runtime = options.runtime
    if runtime == "auto":
        runtime = "torch" if device == "cuda" else "openvino"
    if runtime == "openvino" and device == "cuda":
        raise SepcamError("the openvino runtime runs on the CPU: use --runtime torch with --device cuda")
    if runtime == "openvino":
        from .openvino_runtime import resolve_precision
    else:
        from .torch_runtime import resolve_precision
    resolved = replace(options, runtime=runtime, device=device)
    return replace(resolved, precision=resolve_precision(resolved))


def check_batch(images: U8, size: tuple[int, int]) -> None:
    """Raises ValueError unless the images are a (B, H, W, 3) uint8 batch of this (H, W), B >= 1."""
    wanted = (*size, 3)
    if images.ndim != 4 or images.shape[1:] != wanted or images.dtype != "uint8" or not len(images):
        raise ValueError(f"images must be (B >= 1, *{wanted}) uint8, are {images.shape} {images.dtype}")


def split(count: int, buckets: tuple[int, ...]) -> list[int]:
    """Batch sizes out of ``buckets`` (ascending, from 1) that add up to ``count``, as few as possible."""
    parts: list[int] = []
    for bucket in reversed(buckets):
        parts += [bucket] * (count // bucket)
        count %= bucket
    return parts


def _has_cuda() -> bool:
    """Whether torch can use a CUDA GPU; imports torch only on a machine that has the driver."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    import torch

    return torch.cuda.is_available()
