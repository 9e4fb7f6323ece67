"""Networks in int8: quantized after training, by what they are given on the user's own images.

The method is NNCF's post-training quantization: ranges of activations from calibration inputs, weights per
channel, and fast bias correction. https://docs.openvino.ai, "Post-training Quantization".
"""

import contextlib
import io
import logging
import random
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import openvino as ov

from ..errors import SepcamError
from ..types import F32, U8
from .compile import resolve
from .openvino_backend import OpenVinoRunner, compiled_path, load, save
from .options import InputSize, Runner, RuntimeOptions, as_module

if TYPE_CHECKING:
    from types import ModuleType

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
        self._copies: dict[tuple[str, InputSize], _Copy] = {}

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
        model = load(lambda: as_module(network), size, "f32", key, cache_dir)
        runner = OpenVinoRunner(model, size, f32, max_batch=max_batch)
        copy = _Copy(compiled_path(key, size, cache_dir, quantized=True), model, _Inputs(self._limit), runner)
        self._copies[key, size] = copy
        return _Watched(runner, copy.inputs)

    def quantize(self) -> None:
        """Makes the int8 copy of every network that was watched; what they are given no longer matters.

        Raises:
            SepcamError: If NNCF is not installed, or a network was given too few inputs.
        """
        nncf = _nncf()
        for copy in self._copies.values():
            images = copy.inputs.close()
            if len(images) < LEAST_INPUTS:
                raise SepcamError(
                    f"calibration needs {LEAST_INPUTS} inputs or more, these frames give {len(images)}: take "
                    "more frames, with more people"
                )
            with _quiet():
                copy.quantized = nncf.quantize(
                    copy.model,
                    nncf.Dataset(images),
                    preset=nncf.QuantizationPreset.MIXED,
                    subset_size=len(images),
                )

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
        del network, cache_dir
        assert key is not None, "networks are identified by their keys"
        copy = self._copies[key, size]
        assert copy.quantized is not None, "quantize comes first"
        int8 = replace(resolve(options or RuntimeOptions()), precision="int8")
        copy.int8 = OpenVinoRunner(copy.quantized, size, int8, max_batch=max_batch)
        return copy.int8

    @property
    def pairs(self) -> list["Pair"]:
        """Both forms of every network that ``compile`` was asked for."""
        return [
            Pair(key, copy.f32, copy.int8, copy.inputs.images)
            for (key, _), copy in self._copies.items()
            if copy.int8 is not None
        ]

    def keep(self) -> None:
        """Puts the copies where ``--precision int8`` finds them.

        Raises:
            SepcamError: If the disk refuses.
        """
        for copy in self._copies.values():
            if copy.quantized is not None:
                save(copy.quantized, copy.path)


@dataclass(frozen=True, slots=True)
class Pair:
    """One network in both precisions.

    Attributes:
        key: its name in the cache.
        f32: as it was converted.
        int8: its copy.
        images: (1, H, W, 3) uint8 BGR inputs that it was calibrated with.
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

    def close(self) -> list[U8 | F32]:
        self._closed = True
        return self.images


@dataclass(slots=True)
class _Copy:
    """What becomes of one network."""

    path: Path
    model: ov.Model
    inputs: _Inputs
    f32: Runner
    quantized: ov.Model | None = None
    int8: Runner | None = None


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


def _nncf() -> "ModuleType":
    # It looks for a CUDA compiler, which nothing here needs, and says so.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    try:
        with _quiet():
            import nncf
            import nncf.openvino
    except ImportError as error:
        raise SepcamError("quantization needs NNCF: pip install 'sepcam[quantize]'") from error
    nncf.set_log_level(logging.ERROR)
    return nncf


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps NNCF's progress bars off the results, and its libraries' warnings to themselves."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
