"""How a network is executed: torch or OpenVINO, device, precision, export."""

from typing import TYPE_CHECKING

from ..lazy import lazy_exports

if TYPE_CHECKING:
    from .compile import compile_network, resolve
    from .openvino_backend import compile_model, convert
    from .options import Compiler, Device, InputSize, Precision, Runner, Runtime, RuntimeOptions, TensorInput
    from .quantization import Pair, Quantizer
    from .torch_backend import prepare, run

__all__ = [
    "Compiler",
    "Device",
    "InputSize",
    "Pair",
    "Precision",
    "Quantizer",
    "Runner",
    "Runtime",
    "RuntimeOptions",
    "TensorInput",
    "compile_model",
    "compile_network",
    "convert",
    "prepare",
    "resolve",
    "run",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Compiler": "options",
        "Device": "options",
        "InputSize": "options",
        "Pair": "quantization",
        "Precision": "options",
        "Quantizer": "quantization",
        "Runner": "options",
        "Runtime": "options",
        "RuntimeOptions": "options",
        "TensorInput": "options",
        "compile_model": "openvino_backend",
        "compile_network": "compile",
        "convert": "openvino_backend",
        "prepare": "torch_backend",
        "resolve": "compile",
        "run": "torch_backend",
    },
)
