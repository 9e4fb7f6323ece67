"""How long each layer of a network takes where it runs."""

import math
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from ..layers.fusion import fold_batch_norms
from ..runtime.options import RuntimeOptions
from ..types import U8

_WARM_UP = 2


def layer_times(
    network: nn.Module, names: Sequence[str], images: U8, options: RuntimeOptions, *, passes: int = 9
) -> dict[str, float]:
    """Median milliseconds of layers, with what the runtime joined to them (bias, activation, a sum).

    Args:
        network: is moved to where it runs and may be changed.
        names: of the layers, as ``named_modules`` names them.
        images: (B, H, W, 3) uint8 BGR batch.
        options: resolved ones.
        passes: how often each is measured.

    Returns:
        By name; "" has the rest of the network: resizing, pooling, reordering. Layers that the runtime runs
        under no name of their own are missing.
    """
    if options.runtime == "openvino":
        return _openvino(network, names, images, options, passes)
    return _torch(network, names, images, options, passes)


def _openvino(
    network: nn.Module, names: Sequence[str], images: U8, options: RuntimeOptions, passes: int
) -> dict[str, float]:
    import openvino as ov

    from ..runtime.openvino_backend import compile_model, convert

    size = (images.shape[1], images.shape[2])
    # OpenVINO folds them too, but gives the convolution a name of its own then.
    fold_batch_norms(network, (1, *images.shape[1:]))
    request = compile_model(convert(network, size), len(images), size, options, timed=True)
    request = request.create_infer_request()
    request.set_input_tensor(ov.Tensor(images))
    known = set(names)
    owner: dict[str, str] = {}
    times: dict[str, list[float]] = defaultdict(list)
    for number in range(_WARM_UP + passes):
        request.infer()
        here: dict[str, float] = defaultdict(float)
        for node in request.get_profiling_info():
            if node.node_name not in owner:
                owner[node.node_name] = _owner(node.node_name, known)
            here[owner[node.node_name]] += node.real_time.total_seconds() * 1e3
        if number >= _WARM_UP:
            for name, milliseconds in here.items():
                times[name].append(milliseconds)
    return {name: statistics.median(values) for name, values in times.items()}


def _owner(node: str, known: set[str]) -> str:
    """The layer that a node was converted from: ``__module.a.b/aten::conv/Convolution`` is ``a.b``'s."""
    path = node.partition("/")[0].removeprefix("__module.")
    return path if path in known else ""


def _torch(
    network: nn.Module, names: Sequence[str], images: U8, options: RuntimeOptions, passes: int
) -> dict[str, float]:
    from ..runtime.torch_backend import prepare, run

    prepare(network, options)
    clock = _CudaClock() if options.device == "cuda" else _CpuClock()
    for name, layer in network.named_modules():
        if name in names:
            layer.register_forward_pre_hook(lambda *_, name=name: clock.begin(name))
            layer.register_forward_hook(lambda *_, name=name: clock.end(name))
    before = torch.get_num_threads()
    if options.threads is not None and options.device == "cpu":
        torch.set_num_threads(options.threads)
    batch = torch.from_numpy(images).to(options.device)
    passed = []
    for _ in range(_WARM_UP + passes):
        clock.begin("")
        run(network, batch, options)
        clock.end("")
        passed.append(clock.take())
    torch.set_num_threads(before)
    times = {name: statistics.median(each[name] for each in passed[_WARM_UP:]) for name in passed[0]}
    times[""] = max(0.0, 2 * times[""] - sum(times.values()))  # the whole less its layers
    return times


class _CpuClock:
    """Milliseconds between calls on the CPU, by name."""

    def __init__(self) -> None:
        self._begun: dict[str, float] = {}
        self._total: dict[str, float] = defaultdict(float)

    def begin(self, name: str) -> None:
        self._begun[name] = time.perf_counter()

    def end(self, name: str) -> None:
        self._total[name] += (time.perf_counter() - self._begun[name]) * 1e3

    def take(self) -> dict[str, float]:
        taken, self._total = dict(self._total), defaultdict(float)
        return taken


class _CudaClock:
    """Milliseconds between calls on a CUDA GPU, by name."""

    def __init__(self) -> None:
        self._events: dict[str, list[Any]] = defaultdict(list)

    def begin(self, name: str) -> None:
        self._record(name)

    def end(self, name: str) -> None:
        self._record(name)

    def take(self) -> dict[str, float]:
        torch.cuda.synchronize()
        taken = {
            name: math.fsum(
                one.elapsed_time(other) for one, other in zip(events[::2], events[1::2], strict=True)
            )
            for name, events in self._events.items()
        }
        self._events.clear()
        return taken

    def _record(self, name: str) -> None:
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        self._events[name].append(event)
