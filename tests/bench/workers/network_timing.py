"""Networks by themselves, and the matrix product that says how fast this machine computes at all."""

import statistics
import time
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import openvino as ov
import torch
from openvino import opset13
from protocol import serve
from sepcam.models.layers.conversion import as_kind, paper_baseline
from sepcam.models.networks.mobilenet import MobileNetV1
from sepcam.models.profiling.cost import profile
from sepcam.models.registry import find
from sepcam.models.runtime.compile import compile_network
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.models.types import ConvKind
from sepcam.models.weights.store import WeightStore
from torch import nn

SIDE = 1536  # of the matrices: large enough to reach the peak, small enough for a laptop
_MIN_S, _MIN_CALLS = 0.15, 3


class Timing:
    """What was prepared to be timed, by key."""

    def __init__(self) -> None:
        self._calls: dict[str, Callable[[], object]] = {}

    def network(self, key: str, name: str, form: str, options: dict[str, Any], batch: int) -> dict[str, Any]:
        """Prepares a network; gives its multiply-adds per call.

        Args:
            key: names it in ``time``.
            name: in the registry, or ``mobilenet-v1-224``.
            form: ``separable``, ``standard``, or ``paper`` for the MobileNet paper's baseline.
            options: fields of `RuntimeOptions`.
            batch: pictures per call.
        """
        size = (224, 224) if name == "mobilenet-v1-224" else find(name).input_size
        network = _build(name)
        network = paper_baseline(network) if form == "paper" else as_kind(network, cast("ConvKind", form))
        macs = profile(network.eval(), (batch, *size, 3)).macs  # before a runner changes its precision
        runner = compile_network(network, size, RuntimeOptions(**options), max_batch=batch)
        images = np.random.default_rng(0).integers(0, 256, (batch, *size, 3), np.uint8)
        self._calls[key] = lambda: runner(images)
        return {"macs": macs}

    def matmul(self, key: str, runtime: str, precision: str, threads: int) -> dict[str, Any]:
        """Prepares a product of two square matrices, one of them constant; gives its multiply-adds."""
        values = np.random.default_rng(0).standard_normal((2, SIDE, SIDE)).astype(np.float32)
        if runtime == "torch":
            dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[precision]
            a, b = (torch.from_numpy(value).to(dtype) for value in values)
            self._calls[key] = lambda: torch.matmul(a, b)
        else:
            self._calls[key] = _openvino_matmul(values, precision, threads)
        return {"macs": SIDE**3}

    def time(self, key: str) -> dict[str, Any]:
        """Median seconds of one call, after one to warm up."""
        call = self._calls[key]
        call()
        times: list[float] = []
        while len(times) < _MIN_CALLS or sum(times) < _MIN_S:
            begun = time.perf_counter()
            call()
            times.append(time.perf_counter() - begun)
        return {"seconds": statistics.median(times), "frames": 1, "calls": len(times)}


def _build(name: str) -> nn.Module:
    """The network with its weights: with random ones, activations fade into slow denormal numbers."""
    if name == "mobilenet-v1-224":
        torch.manual_seed(0)
        network = MobileNetV1()
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        return network
    network = find(name).build()
    network.load_state_dict(WeightStore().load(name))
    return network


def _openvino_matmul(values: np.ndarray, precision: str, threads: int) -> Callable[[], object]:
    a = opset13.parameter([SIDE, SIDE], np.float32)
    model = ov.Model([opset13.matmul(a, opset13.constant(values[1]), False, False)], [a])
    config = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
    }
    request = ov.Core().compile_model(model, "CPU", config).create_infer_request()
    # Copied: the request would not keep an array alive whose memory it shares.
    request.set_input_tensor(ov.Tensor(values[0], shared_memory=False))
    return request.infer


if __name__ == "__main__":
    timing = Timing()
    serve({"network": timing.network, "matmul": timing.matmul, "time": timing.time})
