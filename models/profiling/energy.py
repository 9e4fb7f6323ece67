"""How much energy the processor takes, where the machine tells (Intel's and AMD's RAPL counters on Linux)."""

from pathlib import Path

_POWERCAP = Path("/sys/class/powercap")


class EnergyMeter:
    """Reads the counters of all processor packages.

    Args:
        root: where Linux shows its power zones.

    Attributes:
        available: whether there is a counter that may be read; many systems let only root read them.
    """

    available: bool

    def __init__(self, root: Path = _POWERCAP) -> None:
        packages = sorted(zone for zone in root.glob("intel-rapl:*") if zone.name.count(":") == 1)
        self._counters = [zone / "energy_uj" for zone in packages if _number(zone / "energy_uj") is not None]
        self._ranges = [_number(counter.with_name("max_energy_range_uj")) for counter in self._counters]
        self.available = bool(self._counters)

    def read(self) -> tuple[int, ...]:
        """The counters as they stand, for ``joules_since``."""
        return tuple(_number(counter) or 0 for counter in self._counters)

    def joules_since(self, before: tuple[int, ...]) -> float | None:
        """Joules that all packages took since ``before``, whatever ran on them; None where nothing tells."""
        if not self.available:
            return None
        total = 0
        for now, then, most in zip(self.read(), before, self._ranges, strict=True):
            # The counter starts again at 0 after its range.
            total += now - then if now >= then else now - then + (most or 0)
        return total / 1e6


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
