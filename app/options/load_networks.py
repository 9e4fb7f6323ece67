"""Loads a pipeline for a command, and shows downloads."""

from collections.abc import Callable
from dataclasses import replace

from ...models.errors import SepcamError
from ...models.registry import larger_inputs
from ...models.weights.store import WeightStore
from ...models.zoo import CLASSES_DETECTOR, choose_detector
from ...pipelines.analysis.options import AnalysisOptions
from ...pipelines.pipeline import Pipeline
from ..terminal import console
from . import shared as choices

SizeOf = Callable[[str], tuple[int, int] | int | None]
"""The input size of a detector by its name, as ``load_detector`` takes it."""


def size_rule(text: str, *, small_people: bool) -> SizeOf:
    """What the options ``--input-size``, which goes first, and ``--small-people`` mean for each detector.

    Automatically YOLOX-nano, which is quick enough for it, gets its larger input, and any other its own.

    Raises:
        SepcamError: If the size is none.
    """
    if text != "auto":
        size = choices.input_size(text)
        return lambda name: size

    def rule(name: str) -> int | None:
        larger = larger_inputs()
        if small_people and name not in larger:
            known = ", ".join(larger)
            raise SepcamError(f"{name} takes no larger input: --small-people is for {known}")
        return larger[name] if small_people or name == CLASSES_DETECTOR else None

    return rule


def load(
    options: AnalysisOptions,
    size_of: SizeOf = lambda name: None,
    *,
    threads: int | None = None,
    both_forms: bool = False,
) -> Pipeline:
    """Load the networks, and show downloads on the terminal.

    Args:
        options: what to do; the detector may be ``auto``.
        size_of: the detector's input size where the options state none.
        threads: of each network, in place of what the options say.
        both_forms: see ``Pipeline``.

    Raises:
        SepcamError: See ``Pipeline``.
    """
    name = choose_detector(options.classes) if options.detector == "auto" else options.detector
    runtime = options.runtime if threads is None else replace(options.runtime, threads=threads)
    size = options.input_size or size_of(name)
    options = replace(options, input_size=size, runtime=runtime)
    with console.downloads() as report:
        store = WeightStore(notice=console.note)
        return Pipeline(options, store=store, progress=report, both_forms=both_forms)
