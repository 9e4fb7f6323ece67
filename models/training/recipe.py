"""How a network is trained, in numbers."""

from dataclasses import dataclass

BLOCKS = 17
"""Of the trunk."""

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
        mask_rate: that of the mask head.
        warm_up: steps in which the rates rise.
        average: how much of the averaged weights each step keeps, in [0, 1).
        frozen: blocks of the trunk that stay as they are, of `BLOCKS`; all of them freeze the whole trunk.
        sizes: sides of the inputs in pixels, multiples of 32; each batch has one of them.
        seed: of everything random.
    """

    steps: int
    batch: int = 8
    accumulate: int = 1
    rate: float = 1e-4
    mask_rate: float = 1e-3
    warm_up: int = 20
    average: float = 0.99
    frozen: int = BLOCKS
    sizes: tuple[int, ...] = SIZES
    seed: int = 0
