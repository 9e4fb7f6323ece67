"""Convolution weights out of TensorFlow.js graph models: a .json file and the .bin files that it names.

The format is that of ``tf.GraphModel``: a TensorFlow GraphDef as JSON (``modelTopology``), and manifests that
say what lies in the .bin files (``weightsManifest``), see
https://github.com/tensorflow/tfjs/blob/master/tfjs-core/src/io/types.ts. Nothing here runs a graph.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..types import F32
from .importers import ConvWeights

_CONVS = ("Conv2D", "_FusedConv2D")
_DEPTHWISE = ("DepthwiseConv2dNative", "FusedDepthwiseConv2dNative")
_DTYPES = {"float32": "<f4", "int32": "<i4", "bool": "?", "float16": "<f2", "uint16": "<u2", "uint8": "u1"}

Array = npt.NDArray[Any]


def read_tfjs(path: Path | str) -> list[ConvWeights]:
    """Convolutions of a TensorFlow.js graph model, in the order of its nodes.

    Weights that are stored as float16, or as uint8 or uint16 with a scale and a minimum, become float32.

    Args:
        path: of the .json file; the .bin files lie beside it, under the names in it.

    Raises:
        OSError: If a file cannot be read.
        ValueError: If it is no such model, a file is damaged, or a weight has an unsupported type.
    """
    path = Path(path)
    try:
        model = json.loads(path.read_bytes())
        nodes, manifest = model["modelTopology"]["node"], model["weightsManifest"]
        by_name = {node["name"]: node for node in nodes}
        tensors = {name: array for group in manifest for name, array in _tensors(path.parent, group)}
        return [_conv(node, by_name, tensors) for node in nodes if node["op"] in _CONVS + _DEPTHWISE]
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} is not JSON: {error}") from error
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(
            f"{path.name} is not a graph model of TensorFlow.js, or is damaged: {error!r}"
        ) from error


def _tensors(folder: Path, group: Mapping[str, Any]) -> Iterator[tuple[str, Array]]:
    """Names and values of the tensors of one group of the manifest, whose files follow one another."""
    names = list(group["paths"])
    for name in names:
        if not isinstance(name, str) or Path(name).name != name:
            raise ValueError(f"the weights must lie beside the model, not in {name!r}")
    content = memoryview(b"".join((folder / name).read_bytes() for name in names))
    start = 0
    for weight in group["weights"]:
        stored, values = _stored(weight, content, start)
        yield weight["name"], values
        start += stored
    if start != len(content):
        raise ValueError(f"{', '.join(names)} should have {start:,} bytes, has {len(content):,}")


def _stored(weight: Mapping[str, Any], content: memoryview, start: int) -> tuple[int, Array]:
    """How many bytes a tensor takes from ``start`` on, and its values."""
    name, shape = weight["name"], weight["shape"]
    coding = weight.get("quantization") or {"dtype": weight["dtype"]}
    dtype = _DTYPES.get(coding["dtype"])
    if dtype is None or not all(isinstance(side, int) and side >= 0 for side in shape):
        raise ValueError(f"{name} has an unsupported type {coding['dtype']!r} or shape {shape}")
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if start + size > len(content):
        raise ValueError(f"the weights end within {name}: {len(content):,} bytes are too few")
    values: Array = np.frombuffer(content[start : start + size], dtype).reshape(shape)
    if "scale" in coding:
        values = values * float(coding["scale"]) + float(coding["min"])
    return size, values


def _conv(node: Mapping[str, Any], nodes: Mapping[str, Any], tensors: Mapping[str, Array]) -> ConvWeights:
    name, (_, kernel, *rest) = node["name"], node["input"]
    weight = _constant(kernel, nodes, tensors)
    if weight.ndim != 4:
        raise ValueError(f"{name} has a kernel of shape {weight.shape}")
    depthwise = node["op"] in _DEPTHWISE
    if depthwise:  # HWIM -> (I * M, 1, H, W)
        kh, kw, channels, multiplier = weight.shape
        weight = weight.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, kh, kw)
    else:  # HWIO -> OIHW
        weight = weight.transpose(3, 2, 0, 1)
    bias = _constant(rest[0], nodes, tensors) if rest else np.zeros(len(weight))
    if bias.shape != (len(weight),):
        raise ValueError(f"{name} has {len(weight)} outputs and a bias of shape {bias.shape}")
    return ConvWeights(name, _copied(weight), _copied(bias), depthwise=depthwise)


def _constant(name: str, nodes: Mapping[str, Any], tensors: Mapping[str, Array]) -> Array:
    """The value of a constant, maybe behind identities."""
    seen: Sequence[str] = ()
    while name not in tensors:
        node = nodes.get(name.split(":")[0])
        if node is None or node["op"] != "Identity" or name in seen:
            raise ValueError(f"{name} has no weights in the file")
        seen, name = (*seen, name), node["input"][0]
    return tensors[name]


def _copied(values: Array) -> F32:
    return np.array(values, np.float32, order="C")
