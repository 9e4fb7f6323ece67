"""Every layer has a time, whichever runtime runs it, and whatever it folded into it."""

import numpy as np
import pytest
from sepcam.models.networks.yolox import YOLOXNano
from sepcam.models.profiling.cost import profile
from sepcam.models.profiling.external import builder
from sepcam.models.profiling.layer_times import layer_times
from sepcam.models.runtime.options import RuntimeOptions

SIDE = 96


@pytest.mark.parametrize("runtime", ["openvino", "torch"])
@pytest.mark.parametrize("build", [YOLOXNano, builder("torchvision:mobilenet_v2")])
def test_every_layer_has_a_time(build, runtime):
    network = build().eval()
    names = [layer.name for layer in profile(network, (1, SIDE, SIDE, 3)).layers]
    options = RuntimeOptions(runtime, "cpu", "f32", threads=1)
    times = layer_times(network, names, np.zeros((1, SIDE, SIDE, 3), np.uint8), options, passes=2)
    assert set(times) == {*names, ""}
    assert all(milliseconds >= 0 for milliseconds in times.values())
    assert sum(times.values()) > 0
