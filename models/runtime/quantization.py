"""Networks in int8: quantized after training, by what they are given on the user's own images.

`int8.quantize` does it; this looks after what they are given, and after the copies.
"""

import random
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import openvino as ov

from ..errors import SepcamError
from ..int8.quantize import quantize
from ..types import F32, U8
from .compile import resolve
from .openvino_backend import OpenVinoRunner, compiled_path, load, save
from .options import InputSize, Runner, RuntimeOptions, TensorInput, as_module

if TYPE_CHECKING:
    from .compile import Network

LEAST_INPUTS = 10
"""Fewer inputs than these say too little about the ranges of a network's activations."""


class Quantizer:
    """Makes int8 copies of every network that a detector or a pose estimator is made of.

    ``watch`` stands in for ``runtime.compile_network`` while the networks look at images in f32. Then
    ``quantize`` makes the copies, in memory; ``compile`` stands in for the same function to try them; and
    ``keep`` puts them where ``--precision int8`` finds them.

    Args:
        limit: how many inputs each network is calibrated with, a random choice of all that it is given.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._copies: dict[Path, _Copy] = {}

    def watch(
        self,
        network: "Network",
        size: InputSize,
        options: RuntimeOptions | None = None,
        *,
        key: str | None = None,
        max_batch: int = 1,
        cache_dir: Path | None = None,
    ) -> Runner:
        """The network in f32, see ``runtime.compile_network``; what it is given is remembered."""
        assert key is not None, "a copy on disk needs a name"
        f32 = replace(resolve(options or RuntimeOptions()), precision="f32")
        path = compiled_path(key, size, cache_dir, quantized=True)
        if path not in self._copies:
            model = load(lambda: as_module(network), size, "f32", key, cache_dir)
            self._copies[path] = _Copy(key, model, _Inputs(self._limit))
        copy = self._copies[path]
        runner = OpenVinoRunner(copy.model, size, f32, max_batch=max_batch)
        copy.f32[size] = runner
        return _Watched(runner, copy.inputs)

    def quantize(self) -> None:
        """Makes the int8 copy of every network that was watched; what they are given no longer matters.

        Raises:
            SepcamError: If a network was given too few inputs.
        """
        for copy in self._copies.values():
            images = copy.inputs.close()
            if len(images) < LEAST_INPUTS:
                raise SepcamError(
                    f"calibration needs {LEAST_INPUTS} inputs or more, these frames give {len(images)}: take "
                    "more frames, with more people"
                )
            copy.quantized = quantize(copy.model, images)

    def compile(
        self,
        network: "Network",
        size: InputSize,
        options: RuntimeOptions | None = None,
        *,
        key: str | None = None,
        max_batch: int = 1,
        cache_dir: Path | None = None,
    ) -> Runner:
        """The int8 copy of a network that was watched, see ``runtime.compile_network``."""
        del network
        assert key is not None, "networks are identified by their keys"
        copy = self._copies[compiled_path(key, size, cache_dir, quantized=True)]
        assert copy.quantized is not None, "quantize comes first"
        int8 = replace(resolve(options or RuntimeOptions()), precision="int8")
        copy.int8[size] = OpenVinoRunner(copy.quantized, size, int8, max_batch=max_batch)
        return copy.int8[size]

    @property
    def pairs(self) -> list["Pair"]:
        """Both forms of every network that ``compile`` was asked for, at the size that most inputs have."""
        made = []
        for copy in self._copies.values():
            of_size = {size: copy.inputs.of(size) for size in copy.int8}
            size = max(of_size, key=lambda one: len(of_size[one]), default=None)
            if size is not None and of_size[size]:
                made.append(Pair(copy.key, copy.f32[size], copy.int8[size], of_size[size]))
        return made

    def keep(self) -> None:
        """Puts the copies where ``--precision int8`` finds them.

        Raises:
            SepcamError: If the disk refuses.
        """
        for path, copy in self._copies.items():
            if copy.quantized is not None:
                save(copy.quantized, path)


@dataclass(frozen=True, slots=True)
class Pair:
    """One network in both precisions.

    Attributes:
        key: its name in the cache.
        f32: as it was converted.
        int8: its copy.
        images: inputs of one item that it was calibrated with, such as (1, H, W, 3) uint8 BGR images.
    """

    key: str
    f32: Runner
    int8: Runner
    images: list[U8 | F32]


class _Inputs:
    """At most `limit` random inputs out of all that a network is given (Vitter 1985, algorithm R)."""

    def __init__(self, limit: int) -> None:
        self.images: list[U8 | F32] = []
        self._limit, self._seen, self._closed = limit, 0, False
        self._random = random.Random(0)

    def add(self, batch: U8 | F32) -> None:
        if self._closed:
            return
        for image in batch:
            self._seen += 1
            if len(self.images) < self._limit:
                self.images.append(image[None].copy())
            elif (place := self._random.randrange(self._seen)) < self._limit:
                self.images[place] = image[None].copy()

    def of(self, size: InputSize) -> list[U8 | F32]:
        """Those of one size."""
        shape = TensorInput.of(size).shape
        return [image for image in self.images if image.shape[1:] == shape]

    def close(self) -> list[U8 | F32]:
        self._closed = True
        return self.images


@dataclass(slots=True)
class _Copy:
    """What becomes of one network, which may be compiled for inputs of several sizes."""

    key: str
    model: ov.Model
    inputs: _Inputs
    quantized: ov.Model | None = None
    f32: dict[InputSize, Runner] = field(default_factory=dict)
    int8: dict[InputSize, Runner] = field(default_factory=dict)


class _Watched:
    """A runner whose inputs are remembered."""

    def __init__(self, runner: Runner, inputs: _Inputs) -> None:
        self._runner, self._inputs = runner, inputs

    @property
    def options(self) -> RuntimeOptions:
        return self._runner.options

    def __call__(self, images: U8 | F32) -> tuple[F32, ...]:
        self._inputs.add(images)
        return self._runner(images)
