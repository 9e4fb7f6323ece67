"""How a network is executed: which library, which device, which precision; one small interface for all.

A network takes a batch of raw images, (B, H, W, 3) uint8 BGR, and returns a tuple of float32 arrays whose
first axis is B. This module decides what the options mean on this machine; ``torch_runtime`` and
``openvino_runtime`` do the work and are imported only when they are chosen: importing torch alone takes
longer than reading and compiling a network that OpenVINO has converted before.
"""

import ctypes
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SepcamError
from .options import InputSize, Runner, RuntimeOptions, as_module

if TYPE_CHECKING:
    from torch import nn

    Network = nn.Module | Callable[[], nn.Module]


def compile_network(
    network: "Network",
    size: InputSize,
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
        size: (height, width) of its input in pixels, or its input if that is no image.
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
        from .openvino_backend import OpenVinoRunner, load

        model = load(lambda: as_module(network), size, resolved.precision, key, cache_dir)
        return OpenVinoRunner(model, size, resolved, max_batch=max_batch)
    from . import torch_backend as torch_runtime

    runner = torch_runtime.CudaRunner if resolved.device == "cuda" else torch_runtime.CpuRunner
    return runner(as_module(network), size, resolved, max_batch=max_batch)


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
        from .openvino_backend import resolve_precision
    else:
        from .torch_backend import resolve_precision
    resolved = replace(options, runtime=runtime, device=device)
    return replace(resolved, precision=resolve_precision(resolved))


def _has_cuda() -> bool:
    """Whether torch can use a CUDA GPU; imports torch only on a machine that has the driver."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    import torch

    return torch.cuda.is_available()
