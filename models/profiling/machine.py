"""What this machine is, and what it can do at best: its peak arithmetic and its memory bandwidth."""

import platform
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from ..hardware import memory_total, physical_cores
from ..runtime.options import RuntimeOptions

_LIBRARIES = ("torch", "torchvision", "openvino", "numpy", "opencv-python", "av")
_BYTES = {"f32": 4, "bf16": 2, "f16": 2, "int8": 1}


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The best that a device was seen to do; a layer can be limited by either.

    Attributes:
        gmacs: 10^9 multiply-adds a second, of a large matrix product in the precision of the networks.
        gbs: 10^9 bytes a second between processor and main memory, of a large copy.
    """

    gmacs: float
    gbs: float

    def milliseconds(self, macs: int, moved: int) -> float:
        """The least time for so many multiply-adds and bytes moved."""
        return max(macs / self.gmacs, moved / self.gbs) / 1e6

    @property
    def ridge(self) -> float:
        """Multiply-adds per byte from which on arithmetic is the limit, not memory."""
        return self.gmacs / self.gbs


def bytes_per_value(options: RuntimeOptions) -> int:
    """Bytes of a weight or activation in the (resolved) precision."""
    return _BYTES[options.precision]


def ceiling(options: RuntimeOptions, *, repeats: int = 6) -> Ceiling:
    """Measures both limits on a device, with as many threads as the networks get.

    Args:
        options: resolved ones.
        repeats: the best of so many counts: others were disturbed.
    """
    import torch

    dtype = {"bf16": torch.bfloat16, "f16": torch.float16}.get(options.precision, torch.float32)
    before = torch.get_num_threads()
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    try:
        with torch.inference_mode():
            side, channels = 48, 1024
            x = torch.rand(1, channels, side, side, dtype=dtype, device=options.device)
            x = x.contiguous(memory_format=torch.channels_last)
            kernel = torch.rand(channels, channels, 1, 1, dtype=dtype, device=options.device)
            seconds = _best(lambda: torch.nn.functional.conv2d(x, kernel), options.device, repeats)
            gmacs = side * side * channels * channels / seconds / 1e9
            block = torch.ones(128 << 18, device=options.device)  # 128 MiB, beyond most caches
            copy = torch.empty_like(block)
            seconds = _best(lambda: copy.copy_(block), options.device, repeats)
            return Ceiling(gmacs, 2 * block.nbytes / seconds / 1e9)
    finally:
        torch.set_num_threads(before)


def _best(work: Callable[[], object], device: str, repeats: int) -> float:
    import torch

    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    times = []
    for _ in range(repeats + 1):
        begun = time.perf_counter()
        work()
        wait()
        times.append(time.perf_counter() - begun)
    return min(times[1:])


def describe() -> dict[str, Any]:
    """The machine and its software: system, processor with its flags, memory, libraries."""
    text = _cpuinfo()
    name = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", text, re.MULTILINE)
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cpu": name[1].strip() if name else platform.processor() or platform.machine(),
        "cpu_cores": physical_cores(),
        "cpu_flags": sorted(flags[1].split()) if flags else [],
        "memory_bytes": memory_total(),
        "libraries": {library: _version(library) for library in ("sepcam", *_LIBRARIES)},
    }


def gpu_name() -> str:
    """The CUDA GPU that networks run on."""
    import torch

    return torch.cuda.get_device_name()


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None
