"""A detector whose input follows the shape of each image."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from ..spec import Size
from ..types import U8, Detections, Detector, Part

MAX_SHAPES = 24
"""Networks kept for images of different shapes; photos come in about 20."""

_STEP = 32  # pixels of the coarsest grid's cells


def fitted_size(shape: tuple[int, ...], longest: int) -> Size:
    """The input that an image fills best: as long as wanted, and as short as its shape allows.

    Args:
        shape: (height, width, ...) of the image.
        longest: the input's longer side in pixels. The shorter one differs from it by a multiple of 32, which
            is what the networks here ask for.

    Returns:
        (height, width) of the input in pixels.
    """
    height, width = shape[:2]
    spare = longest - longest * min(height, width) / max(height, width)
    short = max(longest - int(spare // _STEP) * _STEP, longest % _STEP or _STEP)
    return (short, longest) if height <= width else (longest, short)


class FittedDetector:
    """A detector whose input follows the shape of each image, so that none of it is spent on padding.

    Args:
        name: the name it has in the registry.
        labels: names of the classes.
        longest: the longer side of the input in pixels.
        make: returns the detector with an input of (height, width) pixels; called when a shape first comes.
    """

    parts: frozenset[Part] = frozenset()

    def __init__(
        self, name: str, labels: Sequence[str], longest: int, make: Callable[[Size], Detector]
    ) -> None:
        self.name = name
        self.labels = labels
        self._longest = longest
        self._sized = lru_cache(MAX_SHAPES)(make)

    def detect(self, image: U8) -> Detections:
        """Objects in an (H, W, 3) uint8 BGR image, best first."""
        return self._sized(fitted_size(image.shape, self._longest)).detect(image)
