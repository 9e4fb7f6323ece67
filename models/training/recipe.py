"""How a network is trained, in numbers."""

from dataclasses import dataclass
from typing import Literal

Learn = Literal["heads", "pyramid", "trunk"]
"""What learns: the heads alone; the pyramid too, which they all read; or the trunk's later half as well."""

SIZES = (256, 320, 384, 448)
"""Sides in pixels of the inputs to train at: what looks and crops take."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the network is trained.

    Attributes:
        steps: of the optimizer.
        batch: examples that are computed at once.
        accumulate: batches whose gradients make one step.
        rate: of learning, by the size of each output channel, see `RelativeAdam`.
        warm_up: steps in which the rates rise.
        average: how much of the averaged weights each step keeps, in [0, 1).
        learn: what learns; the rest stays as it is.
        sizes: sides of the inputs in pixels, multiples of 32; each batch has one of them.
        seed: of everything random.
    """

    steps: int
    batch: int = 8
    accumulate: int = 1
    rate: float = 1e-4
    warm_up: int = 20
    average: float = 0.99
    learn: Learn = "heads"
    sizes: tuple[int, ...] = SIZES
    seed: int = 0
