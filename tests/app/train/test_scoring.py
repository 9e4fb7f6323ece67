"""What a network is measured by."""

import numpy as np
import pytest
from sepcam.app.train import scoring
from sepcam.models.types import Detections
from sepcam.pipelines.annotations.types import AnnotatedImage, AnnotatedObject, Annotations


class Finds:
    """A detector that finds the same two people in every image, the first of them with more certainty."""

    def detect(self, image):
        boxes = np.array([[60, 10, 90, 80], [10, 10, 40, 80]], np.float32)
        return Detections(boxes, np.array([0.9, 0.8], np.float32), np.zeros(2, np.int64))


@pytest.mark.parametrize("partial", [False, True])
def test_who_is_found_where_nobody_is_labeled_counts_only_if_everyone_is_labeled(partial, tmp_path):
    one = AnnotatedObject("annotation 1", "1", (10, 10, 30, 70))
    image = AnnotatedImage(1, "a.png", (128, 96), (one,), partial=partial)
    truth = Annotations(tmp_path, (image,), {"1": "person"}, {"1": 1})
    figures = scoring.score(Finds(), [(1, np.zeros((96, 128, 3), np.uint8))], truth)
    assert figures["box"] == pytest.approx(1.0 if partial else 0.5, abs=0.01)
