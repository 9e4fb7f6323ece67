"""How a network is to be executed, and the protocols of what executes it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, cast

from ..errors import SepcamError, check_choice
from ..types import F32, U8

if TYPE_CHECKING:
    from torch import nn

    Network = nn.Module | Callable[[], nn.Module]


Runtime = Literal["auto", "torch", "openvino"]


Device = Literal["auto", "cpu", "cuda"]


Precision = Literal["auto", "f32", "bf16", "f16", "int8"]


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """What the user requested or, as ``Runner.options``, the resolved value on this machine.

    Attributes:
        runtime: ``auto`` is OpenVINO on a CPU and torch on a GPU.
        device: ``auto`` is a CUDA GPU where torch sees one, else the CPU.
        precision: ``auto`` is f16 on a GPU and f32 on a CPU, unless a pipeline finds something faster that is
            good enough, see `pipelines.precision`. int8 needs copies that ``quantize`` makes.
        threads: threads per network on a CPU; None leaves it to the runtime.
    """

    runtime: Runtime = "auto"
    device: Device = "auto"
    precision: Precision = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        for name, kind in (("runtime", Runtime), ("device", Device), ("precision", Precision)):
            check_choice(name, getattr(self, name), kind)
        if self.threads is not None and self.threads < 1:
            raise SepcamError(f"threads must be at least 1; got {self.threads}")


@dataclass(frozen=True, slots=True)
class TensorInput:
    """What a network takes, apart from the batch.

    Attributes:
        shape: of one item of the batch.
        dtype: of its values.
    """

    shape: tuple[int, ...]
    dtype: Literal["uint8", "float32"] = "float32"

    @classmethod
    def of(cls, size: "InputSize") -> "TensorInput":
        """That of images of (height, width) pixels, or the one that is given."""
        if isinstance(size, TensorInput):
            return size
        return cls((*(size.size if isinstance(size, AnySize) else size), 3), "uint8")

    def check(self, batch: U8 | F32) -> None:
        """Raises ValueError unless it is a batch of at least one such item."""
        if batch.shape[1:] != self.shape or batch.dtype != self.dtype or not len(batch):
            raise ValueError(
                f"the input must be (B >= 1, *{self.shape}) {self.dtype}; got {batch.shape} {batch.dtype}"
            )


@dataclass(frozen=True, slots=True)
class AnySize:
    """Images for a network that computes alike whatever their size: one converted copy serves all sizes.

    Attributes:
        size: (height, width) of these in pixels.
    """

    size: tuple[int, int]


InputSize = tuple[int, int] | AnySize | TensorInput
"""(height, width) in pixels of the images, (B, height, width, 3) uint8 BGR; or another input."""


class Runner(Protocol):
    """A network that is ready to run. One thread at a time may call it."""

    @property
    def options(self) -> RuntimeOptions:
        """The options with every ``auto`` resolved."""
        ...

    def __call__(self, images: U8 | F32) -> tuple[F32, ...]:
        """Runs the network on a (B, H, W, 3) uint8 BGR batch, or on what else it takes, B >= 1.

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
        size: InputSize,
        options: RuntimeOptions | None = None,
        *,
        key: str | None = None,
        max_batch: int = 1,
        cache_dir: Path | None = None,
    ) -> Runner:
        """Prepares a network to run, see ``compile_network``."""
        ...


def as_module(network: "Network") -> "nn.Module":
    """The module itself, built if need be."""
    # A module can only have been made after torch was imported, and asking must not import it.
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(network, torch.nn.Module):
        return cast("nn.Module", network)
    return cast("Callable[[], nn.Module]", network)()


def split(count: int, buckets: tuple[int, ...]) -> list[int]:
    """Batch sizes out of ``buckets`` (ascending, from 1) that add up to ``count``, as few as possible."""
    parts: list[int] = []
    for bucket in reversed(buckets):
        parts += [bucket] * (count // bucket)
        count %= bucket
    return parts
