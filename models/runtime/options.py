"""How a network is to be executed, and the protocols of what executes it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, cast

from ..errors import SepcamError
from ..types import F32, U8

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


def as_module(network: "Network") -> "nn.Module":
    """The module itself, built if need be."""
    # A module can only have been made after torch was imported, and asking must not import it.
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(network, torch.nn.Module):
        return cast("nn.Module", network)
    return cast("Callable[[], nn.Module]", network)()


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
