"""One network in all its forms: are they the same function, how fast are they, and why, layer by layer?"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from ...models.profiling.cost import Layer, Pair, Profile, pairs, profile
from ...models.profiling.equivalence import Verdict, verify
from ...models.profiling.layer_times import layer_times
from ...models.profiling.roofline import Ceiling, bytes_per_value
from ...models.profiling.variants import Subject, Variant
from ...models.runtime.options import Runner, RuntimeOptions
from ...models.types import U8
from ...pipelines.evaluation.paired_timing import Rounds, Tick, Turn, silent
from .entries import cost_entry, options_entry, ratio_entries, variant_entry
from .memory import footprint

if TYPE_CHECKING:
    from torch import nn

_TURN_MS = 120.0
_LEAST_PASSES, _MOST_PASSES = 3, 24
_SUMMARY = np.median  # passes all do the same work


class NetworkMeasurement:
    """The measurement of one network; its steps are called one after the other.

    Args:
        subject: the network.
        images: (B, H, W, 3) uint8 BGR images of its input size, at least one.
        options: resolved ones.
        ceiling: what the machine can do.
        seed: of the order of turns.

    Attributes:
        result: the report's entry so far; empty before ``time``.
    """

    result: dict[str, Any]

    def __init__(
        self, subject: Subject, images: U8, options: RuntimeOptions, ceiling: Ceiling, *, seed: int = 0
    ) -> None:
        self.result = {}
        self._subject, self._images, self._options = subject, images, options
        self._ceiling, self._seed = ceiling, seed

    def time(self, *, rounds: int | None, seconds: float, tick: Tick = silent) -> None:
        """Times all forms against each other; after an interrupt ``result`` holds what was measured by then.

        Raises:
            KeyboardInterrupt: If it was interrupted.
        """
        subject = self._subject
        turns = [
            Turn(subject.name, variant, _work(subject.runner(variant, self._options), self._images))
            for variant in subject.variants
        ]
        timed = Rounds(turns, seed=self._seed)
        try:
            timed.run(rounds=rounds, seconds=seconds, tick=tick)
        finally:
            if timed.count:
                self.result.update(self._describe(timed))

    def _describe(self, timed: Rounds) -> dict[str, Any]:
        name, variants = self._subject.name, self._subject.variants
        return {
            "name": name,
            "kind": "network",
            "options": options_entry(self._options),
            "input": list(self._subject.size),
            "weights_sha256": self._subject.weights,
            "rounds": timed.count,
            "variants": {v: variant_entry(timed, name, v, _SUMMARY) for v in variants},
            "ratios": ratio_entries(timed, name, variants, _SUMMARY),
        }

    def explain(self) -> None:
        """Counts the cost of every form, checks that they are equivalent, and times the layers."""
        subject, value = self._subject, bytes_per_value(self._options)
        modules: dict[Variant, nn.Module] = {v: subject.module(v) for v in subject.variants}
        self.result["verification"] = asdict(self._verify(modules))
        profiles = {v: profile(m, (1, *subject.size, 3)) for v, m in modules.items()}
        layers: dict[str, list[dict[str, Any]]] = {}
        for variant in subject.variants:
            counted = profiles[variant]
            entry = self.result["variants"][variant]
            entry.update(cost_entry(counted, value))
            times = self._layer_times(modules.pop(variant), counted)
            layers[variant] = [self._layer_entry(layer, times, value) for layer in counted.layers]
            if times:
                entry["other_layers_ms"] = times.get("", 0.0)
        self.result["layers"] = layers
        self.result["pairs"] = [_pair_entry(pair, layers) for pair in pairs(profiles["separable"].layers)]

    def measure_memory(self) -> None:
        """Measures the memory of a process that runs this network alone, if it is in the registry."""
        if self._subject.key is None:
            return
        for backbone in ("separable", "standard"):
            self.result["variants"][backbone].update(footprint([self._subject.name], backbone, self._options))

    def _verify(self, modules: "dict[Variant, nn.Module]") -> Verdict:
        import torch

        generator = torch.Generator().manual_seed(self._seed)
        shape = (1, *self._subject.size, 3)
        noise = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
        return verify(modules["separable"], modules["standard"], noise, seed=self._seed)

    def _layer_times(self, module: "nn.Module", counted: Profile) -> dict[str, float]:
        if self._options.precision == "int8":
            return {}  # quantized layers have other names
        names = [layer.name for layer in counted.layers]
        return layer_times(module, names, self._images[:1], self._options)

    def _layer_entry(self, layer: Layer, times: dict[str, float], value: int) -> dict[str, Any]:
        entry = {
            "name": layer.name,
            "kind": layer.kind,
            "kernel": layer.kernel,
            "inputs": layer.inputs,
            "outputs": layer.outputs,
            "out_shape": list(layer.out_shape),
            "macs": layer.macs,
            "params": layer.params,
            "bytes": layer.moved * value,
            "intensity": layer.intensity(value),
            "roofline_ms": self._ceiling.milliseconds(layer.macs, layer.moved * value),
        }
        return entry | ({"ms": times[layer.name]} if layer.name in times else {})


def _work(runner: Runner, images: U8) -> Callable[[], Sequence[float]]:
    """Runs passes over the images in turn; returns the milliseconds of each but the first."""
    from time import perf_counter

    def passes(count: int) -> list[float]:
        times = []
        for number in range(count + 1):
            at = number % len(images)
            image = images[at : at + 1]
            begun = perf_counter()
            runner(image)
            times.append((perf_counter() - begun) * 1e3)
        return times[1:]  # during the first, the caches hold the data of what ran before

    usual = float(np.median(passes(_LEAST_PASSES)))
    count = int(np.clip(round(_TURN_MS / usual), _LEAST_PASSES, _MOST_PASSES))
    return lambda: passes(count)


def _pair_entry(pair: Pair, layers: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Theory and measurement of one depthwise-separable convolution, as ratios of cost to it."""
    depthwise, pointwise = pair.depthwise.name, pair.pointwise.name
    entry: dict[str, Any] = {
        "depthwise": depthwise,
        "pointwise": pointwise,
        "kernel": pair.depthwise.kernel,
        "inputs": pair.depthwise.inputs,
        "outputs": pair.pointwise.outputs,
        "predicted": {"standard": pair.standard_ratio, "baseline": pair.paper_ratio},
        "measured": {},
    }
    times = {v: {layer["name"]: layer.get("ms") for layer in rows} for v, rows in layers.items()}
    own = _sum(times["separable"], depthwise, pointwise)
    twin = _sum(times["standard"], depthwise, pointwise)
    # The paper's form has one layer in place of <block>.depthwise.conv and <block>.pointwise.conv.
    block = depthwise.removesuffix(".depthwise.conv")
    paper = _sum(times.get("baseline", {}), f"{block}.0" if block else "0")
    for variant, other in (("standard", twin), ("baseline", paper)):
        if own and other:
            entry["measured"][variant] = other / own
    return entry


def _sum(times: dict[str, float | None], *names: str) -> float | None:
    values = [times.get(name) for name in names]
    return None if any(v is None for v in values) else sum(v for v in values if v is not None)
