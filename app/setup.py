"""Loads a pipeline for a command: shows downloads, and says which detector was chosen and why."""

from typing import Any

from ..models.weights import WeightStore
from ..models.zoo import choose_detector
from ..pipelines.pipeline import Pipeline
from . import console


def load(detector: str, pose: str, **settings: Any) -> Pipeline:  # noqa: ANN401 - those of Pipeline
    """Loads the networks.

    Args:
        detector: name in the registry, or ``auto``.
        pose: name in the registry.
        settings: the other arguments of ``Pipeline``.

    Raises:
        SepcamError: See ``Pipeline``.
    """
    store = WeightStore(notice=console.note)
    with console.downloads() as report:
        if detector == "auto":
            choice = choose_detector(store, report)
            console.note(f"detector: {choice.name} ({choice.reason})")
            detector = choice.name
        return Pipeline(detector, pose, store=store, progress=report, **settings)
