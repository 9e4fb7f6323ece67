"""Writes networks as TensorFlow.js graph models."""

import json

import numpy as np
from torch import nn


class GraphModel:
    """Collects nodes and tensors, and writes them as TensorFlow.js does."""

    def __init__(self):
        self.nodes, self.weights, self.content = [], [], b""

    def tensor(self, name, values, **quantization):
        self.nodes.append({"name": name, "op": "Const"})
        entry = {"name": name, "shape": list(values.shape), "dtype": "float32"}
        if quantization or values.dtype != np.float32:
            entry["quantization"] = {"dtype": str(values.dtype), **quantization}
        self.weights.append(entry)
        self.content += values.tobytes()
        return name

    def conv(self, name, op, *inputs):
        self.nodes.append({"name": name, "op": op, "input": ["x", *inputs]})

    def write(self, folder, shards=1):
        size = -(-len(self.content) // shards)
        paths = [f"m{i}.bin" for i in range(shards)]
        for i, path in enumerate(paths):
            (folder / path).write_bytes(self.content[i * size : (i + 1) * size])
        model = {
            "format": "graph-model",
            "modelTopology": {"node": self.nodes},
            "weightsManifest": [{"paths": paths, "weights": self.weights}],
        }
        (folder / "m.json").write_text(json.dumps(model))
        return folder / "m.json"


GRAPH = "StatefulPartitionedCall/center_net/model_1/"


def graph_name(place):
    """What Google's graph calls a convolution of ours."""
    part, *rest = place.removesuffix(".conv").split(".")
    kind = rest[-1] if rest else ""
    if part == "trunk":
        if kind in ("stem", "last"):
            return f"{GRAPH}model/{'Conv1' if kind == 'stem' else 'out'}_relu/Relu6"
        block = f"block_{rest[1]}" if rest[1] != "0" else "expanded_conv"
        return (
            f"{GRAPH}model/{block}_"
            + {
                "expand": "expand_relu/Relu6",
                "depthwise": "depthwise/depthwise",
                "pointwise": "project_BN/FusedBatchNormV3",
            }[kind]
        )
    if part == "pyramid":
        number = f"_{rest[1]}" if rest[1] != "0" else ""
        return (
            GRAPH
            + {
                "laterals": f"conv2d{number}/BiasAdd",
                "depthwise": f"separable_conv2d{number}/separable_conv2d/depthwise",
                "pointwise": f"re_lu{number}/Relu",
            }[rest[0] if rest[0] == "laterals" else kind]
        )
    return (
        f"StatefulPartitionedCall/{rest[0]}_0/"
        + {
            "depthwise": "separable_conv2d_7/separable_conv2d/depthwise",
            "pointwise": "re_lu_7/Relu",
            "last": "conv2d_8/BiasAdd",
        }[kind]
    )


def write_movenet(network, folder):
    """The network's convolutions as Google's file would have them, in an order of its own."""
    graph = GraphModel()
    for place, layer in reversed(list(network.named_modules())):
        if isinstance(layer, nn.Conv2d):
            name, weight = graph_name(place), layer.weight.detach().numpy()
            depthwise = layer.groups > 1
            axes = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
            kernel = graph.tensor(f"{name}/k", np.ascontiguousarray(weight.transpose(axes)))
            bias = graph.tensor(f"{name}/b", layer.bias.detach().numpy())
            graph.conv(name, "FusedDepthwiseConv2dNative" if depthwise else "_FusedConv2D", kernel, bias)
    return graph.write(folder)
