"""Loads a pipeline for a command: shows downloads, and says which detector was chosen and why."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...models.errors import SepcamError
from ...models.registry import larger_inputs
from ...models.weights.store import WeightStore
from ...models.zoo import BEST_DETECTOR, choose_detector
from ...pipelines.batch.state.settings import JobSettings
from ...pipelines.pipeline import Pipeline
from ..terminal import console
from . import shared as choices

SizeOf = Callable[[str], tuple[int, int] | int | None]
"""The input size of a detector by its name, as ``load_detector`` takes it."""


def size_rule(text: str, *, small_people: bool) -> SizeOf:
    """What the options ``--input-size`` and ``--small-people`` mean for each detector.

    Automatically YOLOX-nano, which is quick enough for it, gets its larger input, and any other its own.

    Raises:
        SepcamError: If the size is none, or both options are given.
    """
    if text != "auto":
        if small_people:
            raise SepcamError("--small-people chooses the input size itself: leave --input-size out")
        size = choices.input_size(text)
        return lambda name: size

    def rule(name: str) -> int | None:
        larger = larger_inputs()
        if small_people and name not in larger:
            known = ", ".join(larger)
            raise SepcamError(f"{name} takes no larger input: --small-people is for {known}")
        return larger[name] if small_people or name == BEST_DETECTOR else None

    return rule


def chosen_detector() -> str:
    """What ``auto`` comes to, said on the terminal."""
    with console.downloads() as report:
        choice = choose_detector(WeightStore(notice=console.note), report)
    say = console.warn if choice.fallback else console.note
    say(f"detector: {choice.name} ({choice.reason})")
    return choice.name


def load_job(settings: JobSettings, size_of: SizeOf, *, threads: int | None = None) -> Pipeline:
    """Loads the networks of a job whose detector may still be ``auto``.

    Raises:
        SepcamError: See ``Pipeline``.
    """
    name = chosen_detector() if settings.detector == "auto" else settings.detector
    settings = replace(settings, detector=name, input_size=settings.input_size or size_of(name))
    with console.downloads() as report:
        return settings.load(threads=threads, store=WeightStore(notice=console.note), progress=report)


def load(
    detector: str,
    pose: str,
    *,
    size_of: SizeOf = lambda name: None,
    **settings: Any,  # noqa: ANN401 - those of Pipeline
) -> Pipeline:
    """Loads the networks.

    Args:
        detector: name in the registry, or ``auto``.
        pose: name in the registry.
        size_of: the detector's input size.
        settings: the other arguments of ``Pipeline``.

    Raises:
        SepcamError: See ``Pipeline``.
    """
    store = WeightStore(notice=console.note)
    with console.downloads() as report:
        if detector == "auto":
            detector = chosen_detector()
        return Pipeline(
            detector, pose, input_size=size_of(detector), store=store, progress=report, **settings
        )
