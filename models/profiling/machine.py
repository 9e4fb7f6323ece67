"""What this machine is: its system, processor, memory and libraries."""

import platform
import re
from importlib import metadata
from pathlib import Path
from typing import Any

from ..hardware import memory_total, physical_cores

_LIBRARIES = ("torch", "torchvision", "openvino", "numpy", "opencv-python", "av")


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
