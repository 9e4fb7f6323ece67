"""How a network is trained, in numbers."""

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

Learn = Literal["heads", "all"]
"""What learns: the heads alone, or the trunk and the pyramid, which they all read, as well."""

SIZES = (256, 320, 384, 448, 576)
"""Sides in pixels of the inputs to train at: what looks and crops take."""

BATCH_SIDE = 320
"""The side of the inputs that a batch is counted in; of larger ones it holds fewer, of smaller ones more."""

_BLOCK = re.compile(r"people\.trunk\.blocks\.(\d+)\.")
_EARLY_BLOCKS = 10
_EARLY, _LATE, _MASK = 0.3, 0.6, 3.0  # relative to the steps of the heads


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the network is trained.

    Attributes:
        steps: of the optimizer.
        batch: examples of `BATCH_SIDE` pixels that are computed at once.
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
    rate: float = 7e-4
    warm_up: int = 20
    average: float = 0.99
    learn: Learn = "heads"
    sizes: tuple[int, ...] = SIZES
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Which examples are computed at once.

    Attributes:
        size: side of their inputs in pixels.
        numbers: of the examples, see `Examples`.
    """

    size: int
    numbers: range


def batches_of(recipe: Recipe) -> list[Batch]:
    """Every batch of a training: ``accumulate`` for each step, of random sizes and about as many pixels."""
    rng = np.random.default_rng((recipe.seed, 3))
    made: list[Batch] = []
    first = 0
    for size in rng.choice(recipe.sizes, recipe.steps * recipe.accumulate).tolist():
        count = examples_in(recipe.batch, size)
        made.append(Batch(size, range(first, first + count)))
        first += count
    return made


def examples_in(batch: int, size: int) -> int:
    """The examples of a size in a batch of as many pixels as ``batch`` examples of `BATCH_SIDE` have."""
    return max(round(batch * (BATCH_SIDE / size) ** 2), 1)


def relative_rate(name: str, learn: Learn) -> float:
    """How large the steps of a parameter of `People` are, relative to those of its heads; 0 if it is frozen.

    What all outputs depend on learns in smaller steps, and the mask head, on which nothing depends, in larger
    ones.
    """
    if name.startswith("mask."):
        return _MASK
    if name.startswith("people.heads."):
        return 1.0
    if learn == "heads":
        return 0.0
    if name.startswith("people.pyramid."):
        return 1.0
    block = _BLOCK.match(name)
    early = int(block[1]) < _EARLY_BLOCKS if block else name.startswith("people.trunk.stem.")
    return _EARLY if early else _LATE
