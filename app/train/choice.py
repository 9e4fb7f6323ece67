"""What of a trained network is kept: the heads that measure better, each for itself."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from .scoring import Figures, better

if TYPE_CHECKING:
    import torch

    Weights = Mapping[str, torch.Tensor]

PARTS: Final = {
    "box": ("people.heads.center.", "people.heads.box_"),
    "keypoints": ("people.heads.kpt_",),
    "mask": ("mask.",),
}
"""How the names of the weights begin that a figure depends on most, where the heads alone have learned."""


def choose(
    start: "Weights",
    trained: "Weights",
    before: Figures,
    after: Figures,
    measure: "Callable[[Weights, tuple[str, ...]], Figures]",
) -> "tuple[Weights, Figures, tuple[str, ...]]":
    """The best of a trained network.

    Args:
        start: weights of the network that it began as.
        trained: its own, of which only the heads differ.
        before: figures of ``start``.
        after: figures of ``trained``.
        measure: gives the figures of a mixture, and is told the parts that are trained.

    Returns:
        Weights, their figures and the parts of them that are trained, keys of `PARTS`: all, or those whose
        figures have risen; the weights of ``start`` and no parts if nothing is better.
    """
    risen = tuple(kind for kind in PARTS if after.get(kind, 0.0) > before.get(kind, 1.0))
    whole = better(before, after) and set(before) == set(PARTS)  # what cannot be measured is not kept
    options = [(trained, after, tuple(PARTS))] if whole else []
    if risen and risen != tuple(PARTS):
        names = tuple(beginning for kind in risen for beginning in PARTS[kind])
        mixed = {name: (trained if name.startswith(names) else start)[name] for name in trained}
        figures = measure(mixed, risen)
        if better(before, figures):
            options.append((mixed, figures, risen))
    if not options:
        return start, before, ()
    return max(options, key=lambda option: sum(option[1].values()))
