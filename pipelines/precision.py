"""In which precision a pipeline's detector runs where the user leaves it to the machine."""

import os
import platform
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import cast, get_args

from ..models.errors import SepcamError
from ..models.registry import find_detector
from ..models.runtime.compile import resolve
from ..models.runtime.options import Precision, RuntimeOptions
from ..models.types import U8, Detector
from ..models.weights.store import Progress, WeightStore
from ..models.zoo import PEOPLE_DETECTOR, PHOTO_DETECTOR, load_detector
from .analysis.options import AnalysisOptions
from .execution.precision import Choice, choose, recorded

_EVERY = 3
"""Frames of the bundled film from one that the precisions look at to the next.

These have 150 people, whose average precision is known to about half a point; that of 40 is off by two.
"""


def runtime_for(
    options: AnalysisOptions, store: WeightStore, progress: Progress, *, both_forms: bool = False
) -> RuntimeOptions:
    """What runs the detector: ``auto`` is the fastest precision that loses less than 1 AP against f32.

    That is measured once, on a CPU that computes in bf16 or where there is an int8 copy, and recorded in the
    cache for this machine and version of the network: the same file gives the same results from then on.
    On other machines it is f32, and nothing is measured. ``SEPCAM_PRECISION`` in the environment is what
    ``auto`` means on a CPU, without a measurement.

    Args:
        options: of the analysis; the detector is named.
        store: has the weights, and says what was chosen.
        progress: called while weights are downloaded.
        both_forms: whether networks of both kinds of convolutions run in it: int8 is left out then, since
            copies are of one kind.

    Raises:
        SepcamError: If the network is unavailable, the options do not fit it, ``SEPCAM_PRECISION`` is no
            precision, or the choice cannot be written down.
    """
    runtime, name = options.runtime, options.detector
    if runtime.precision != "auto" or find_detector(name) is None:
        return runtime
    if resolve(runtime).runtime != "openvino":
        return runtime
    if (named := _named(os.environ.get("SEPCAM_PRECISION") or "auto")) != "auto":
        return replace(runtime, precision=named)
    copies = [] if both_forms else _int8_copies(name, store.root)
    candidates = _candidates(copies)
    if not candidates:
        return runtime
    choice, new = _recorded(options, candidates, copies, store, progress)
    if new or choice.precision != "f32":
        store.notice(f"{name}: {choice}")
    return replace(runtime, precision=choice.precision)


def _recorded(
    options: AnalysisOptions,
    candidates: list[Precision],
    copies: list[str],
    store: WeightStore,
    progress: Progress,
) -> tuple[Choice, bool]:
    """The choice of this machine, and whether it was measured just now."""
    runtime, name = options.runtime, options.detector

    def load(precision: Precision) -> Detector:
        return load_detector(
            name,
            backbone=options.backbone,
            options=replace(runtime, precision=precision),
            store=store,
            input_size=options.input_size,
            progress=progress,
        )

    def measure() -> Choice:
        f32 = load("f32")
        options.check_detector(f32)  # first: a measurement takes long
        rivals = ", ".join(candidates)
        store.notice(
            f"{name}: measuring once which of f32, {rivals} is best on this machine; "
            "this takes about half a minute"
        )
        careful = None
        if name == PEOPLE_DETECTOR:
            in_f32 = replace(runtime, precision="f32")
            careful = load_detector(PHOTO_DETECTOR, options=in_f32, store=store, progress=progress)
        return choose(lambda which: f32 if which == "f32" else load(which), candidates, _images(), careful)

    from ..models.profiling.machine import describe

    machine = describe()
    key = {
        "network": name,
        "weights": store.digest(name, progress),
        "backbone": options.backbone,
        "input_size": options.input_size,
        "copies": copies,
        "machine": [platform.machine(), machine["cpu"], machine["cpu_flags"], machine["libraries"]],
    }
    return recorded(store.root / "precision", key, measure)


def _candidates(copies: list[str]) -> list[Precision]:
    """What may be faster than f32 here."""
    from ..models.runtime.openvino_backend import computes_in

    bf16: list[Precision] = ["bf16"] if computes_in("bf16") else []
    return [*bf16, "int8"] if copies else bf16


def _named(precision: str) -> Precision:
    if precision not in get_args(Precision):
        known_ones = ", ".join(get_args(Precision))
        raise SepcamError(f"SEPCAM_PRECISION is {precision!r}: use one of {known_ones}")
    return cast("Precision", precision)


def _int8_copies(name: str, root: Path) -> list[str]:
    """The files of the int8 copies of a network that takes images of any size by one copy."""
    if name != PEOPLE_DETECTOR:
        return []
    return sorted(path.name for path in (root / "compiled").glob(f"{name}-*int8.*.zip"))


def _images() -> Iterator[U8]:
    from ..assets import demo_clip
    from .sources.video import VideoSource

    with VideoSource(str(demo_clip())) as source:
        for frame in islice(source, 0, None, _EVERY):
            yield frame.image
