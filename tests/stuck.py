"""A detector that hangs, as a codec might, to be loaded by the workers of a job."""

import time

from sepcam.models.types import U8, Detections

from tests.walkers import SquareDetector


class StuckDetector(SquareDetector):
    """Never gives anything for a picture that is all black."""

    def detect(self, image: U8) -> Detections:
        while image.max() < 30:
            time.sleep(60.0)
        return super().detect(image)
