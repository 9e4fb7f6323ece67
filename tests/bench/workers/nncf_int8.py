"""Quantizes an OpenVINO model of Ultralytics as its own export does: MODEL.xml IMAGES.npy TARGET.xml.

Runs in an environment with NNCF, and imports nothing from here.
"""

import sys
from typing import Any

import nncf
import numpy as np
import openvino


def item(image: np.ndarray) -> np.ndarray[Any, Any]:
    """(1, 3, H, W) float32 in [0, 1] of a (3, H, W) uint8 image."""
    return image[None].astype(np.float32) / 255


def left_out(model: openvino.Model) -> list[str]:
    """The sigmoids, and all that decodes boxes behind the last convolutions (Ultralytics 8.4)."""
    names = [operation.get_friendly_name() for operation in model.get_ordered_ops()]
    sigmoids = [
        operation.get_friendly_name()
        for operation in model.get_ordered_ops()
        if operation.get_type_name() == "Sigmoid"
    ]
    head = sigmoids[-1].split("/", 1)[0]
    return [name for name in names if name in sigmoids or name.startswith((f"{head}/", f"{head}.dfl"))]


if __name__ == "__main__":
    source, images, target = sys.argv[1:]
    model = openvino.Core().read_model(source)
    quantized = nncf.quantize(
        model,
        nncf.Dataset(np.load(images), item),
        preset=nncf.QuantizationPreset.MIXED,
        ignored_scope=nncf.IgnoredScope(names=left_out(model)),
    )
    openvino.save_model(quantized, target)
