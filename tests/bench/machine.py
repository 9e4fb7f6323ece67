"""What the figures were measured on."""

import os
import platform
import sys
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

_FLAGS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_bf16", "amx_int8", "asimd")
_PACKAGES = ("sepcam", "torch", "openvino", "opencv-python", "av", "numpy", "trackers", "ultralytics")


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine and the versions on it.

    Attributes:
        cpu: its name.
        cores: that this process may use.
        flags: instruction sets that matter to networks.
        system: name and release.
        python: version.
        packages: versions, by distribution.
        load: processes that wanted a core in the minute before the bench began, or None where unknown.
    """

    cpu: str
    cores: int
    flags: tuple[str, ...]
    system: str
    python: str
    packages: dict[str, str]
    load: float | None

    def as_dict(self) -> dict[str, Any]:
        """For the JSON file."""
        return asdict(self)


def describe() -> Machine:
    """This machine."""
    cpuinfo = Path("/proc/cpuinfo")
    fields: dict[str, str] = {}
    if cpuinfo.exists():
        pairs = (line.partition(":") for line in cpuinfo.read_text().splitlines())
        fields = {key.strip(): value.strip() for key, _, value in pairs}
    present = set((fields.get("flags") or fields.get("Features") or "").split())
    return Machine(
        cpu=fields.get("model name") or platform.processor() or platform.machine(),
        cores=cores(),
        flags=tuple(flag for flag in _FLAGS if flag in present),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        packages={name: version for name in _PACKAGES if (version := _version(name))},
        load=load(),
    )


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def load() -> float | None:
    """The load average of the last minute, or None where the system has none."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def processor_time() -> tuple[float, float]:
    """Seconds since the start that all cores had, and of these the ones that the host took for others.

    The second is 0 where a system does not tell, and where no host is beneath it.
    """
    import psutil

    times = psutil.cpu_times()
    return sum(times), getattr(times, "steal", 0.0)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
