"""A heat map is hot where people stood."""

import cv2
import numpy as np
from sepcam.pipelines.sinks.base import SinkContext
from sepcam.pipelines.sinks.formats.heatmap import HeatmapSink
from sepcam.pipelines.types import RunSummary, StreamInfo

from tests.pipelines.analytics.people import SIZE, people, results


def test_places_are_hot_where_people_stood_and_the_rest_is_the_first_frame(tmp_path):
    sink = HeatmapSink(tmp_path / "heat.png", SinkContext("in.mp4", StreamInfo("in.mp4", *SIZE, 10.0), {}))
    for result in results([people((60, 200), (200, 100), labels=[0, 1])] * 20):
        sink.write(result)
    sink.close(RunSummary(20, 1, 1.0, 20.0, {}))
    heat = cv2.imread(str(tmp_path / "heat.png"))
    assert heat is not None and heat.shape == (240, 320, 3)
    assert np.unravel_index(heat.sum(2).argmax(), heat.shape[:2])[1] in range(35, 85)
    assert heat[200, 60].max() > 60 and not heat[:, 160:].any()  # dogs leave no heat
