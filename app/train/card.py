"""The card of a trained network: what it was made of and how well it measures, kept inside its file."""

from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from ...models.registry import find
from ...models.training.samples import describe
from .dataset import Parts
from .request import Started
from .scoring import Figures


def card_of(
    started: Started,
    used: Parts,
    before: Figures,
    after: Figures,
    whole: Figures,
    learned: Sequence[str],
    command: str,
) -> dict[str, Any]:
    """The card as JSON; files are named without their folders.

    Args:
        started: the training.
        used: what it was trained and measured on.
        before: figures of the network that it began as.
        after: its own.
        whole: with everything that was trained, whether it is kept or not.
        learned: the parts that are kept.
        command: the command line.
    """
    ask = started.request
    spec = find(ask.init)
    measured_in = f"{100 * ask.held_out:g} % of the images, held out"
    if ask.validation is not None:
        measured_in = Path(ask.validation).name
    return {
        "network": ask.network,
        "began_as": {
            "name": ask.init_file.name if ask.init_file else ask.init,
            "sha256": started.start,
            "trained_on": spec.trained_on,
        },
        "license": f"{spec.license} (the network it began as); the labels' own license applies beside it",
        "data": {
            "annotations": Path(ask.annotations).name,
            "trained_on": describe(used.training),
            "measured_on": describe(used.checking),
            "measured_in": measured_in,
        },
        "recipe": asdict(started.recipe),
        "figures": {"before": dict(before), "after": dict(after), "all_trained": dict(whole)},
        "kept_parts": list(learned),
        "command": command,
        "sepcam": metadata.version("sepcam"),
    }
