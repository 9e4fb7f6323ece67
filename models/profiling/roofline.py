"""The roofline of a device: its peak arithmetic and its memory bandwidth (Williams et al. 2009)."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..runtime.options import RuntimeOptions

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
        """The least time for this many multiply-adds and bytes moved."""
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
        repeats: how often each is measured; the best counts, since the others were disturbed.
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
