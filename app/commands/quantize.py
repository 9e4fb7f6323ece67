"""``sepcam models quantize``: int8 copies of networks, kept where their measured loss is small."""

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from ...models.errors import SepcamError
from ...models.types import ConvKind, Detector, PoseEstimator
from ..options import shared as choices
from ..terminal import console

if TYPE_CHECKING:
    from ...models.runtime.options import Runner
    from ...models.runtime.quantization import Pair
    from ...pipelines.evaluation.quantization_loss import Figure, Trial

_ROUNDS, _PASSES = 15, 4


def quantize(
    names: Annotated[list[str], typer.Argument(metavar="NAME|FILE...", help="Networks or trained files.")],
    frames: Annotated[
        str | None,
        typer.Option(
            "--frames",
            metavar="VIDEO|FOLDER",
            help="Images like those that the networks are to see.",
            show_default="the bundled clip",
        ),
    ] = None,
    samples: Annotated[
        int, typer.Option("--samples", metavar="N", min=10, help="Images to calibrate with, at most.")
    ] = 300,
    backbone: choices.BackboneOption = "separable",
    keep_anyway: Annotated[
        bool, typer.Option("--keep-anyway", help="Keep a copy that loses more than is tolerated.")
    ] = False,
) -> None:
    """Make int8 copies of networks for --precision int8, and measure what they lose and gain.

    Four fifths of the images calibrate, the others measure. A copy is kept if its loss is tolerable.
    """
    from ...assets import demo_clip
    from ...models.registry import find

    for name in names:  # each takes minutes: a wrong one is told before the first
        find(name)
    source = frames or str(demo_clip())
    different = list(dict.fromkeys(names))
    failed, lost = 0, 0
    for name in different:
        try:
            lost += not _quantize(name, source, samples, backbone, keep_anyway=keep_anyway)
        except SepcamError as error:
            console.fail(f"{name}: {error}")
            failed += 1
    if failed or lost:
        raise typer.Exit(2 if failed == len(different) else 1)


def _quantize(name: str, frames: str, samples: int, backbone: ConvKind, *, keep_anyway: bool) -> bool:
    """Makes and measures the copy of one network; whether it was kept."""
    from ...pipelines.evaluation.quantization_loss import images

    trial = _trial(name, samples, backbone)
    console.note(f"{name}: quantizing by what it is given on {frames}, which takes minutes")
    trial.calibrate(images(frames, samples, held_out=False))
    console.note(f"{name}: measuring on other images")
    figures = trial.measure(images(frames, samples, held_out=True))
    _show(name, [*figures, *map(_speed, trial.pairs)])
    good = all(figure.good for figure in figures)
    if good or keep_anyway:
        trial.keep()
        console.say(f"{name}: kept{'' if good else ' though it loses too much'}; --precision int8 uses it")
        return True
    console.say(f"{name}: not kept, it loses too much (--keep-anyway keeps it)")
    return False


def _trial(name: str, samples: int, backbone: ConvKind) -> "Trial":
    from ...models.registry import find
    from ...models.runtime.options import Compiler, RuntimeOptions
    from ...models.weights.store import WeightStore
    from ...models.zoo import load_detector, load_pose
    from ...pipelines.evaluation.quantization_loss import DetectorTrial, PoseTrial

    store, f32 = WeightStore(notice=console.note), RuntimeOptions("openvino", "cpu", "f32")
    with console.downloads() as progress:

        def detector(compiler: Compiler) -> Detector:
            return load_detector(
                name, backbone=backbone, options=f32, store=store, progress=progress, compiler=compiler
            )

        def pose(compiler: Compiler) -> PoseEstimator:
            return load_pose(
                name, backbone=backbone, options=f32, store=store, progress=progress, compiler=compiler
            )

        if find(name).task == "detect":
            return DetectorTrial(detector, samples)
        return PoseTrial(pose, samples, load_detector(options=f32, store=store, progress=progress))


def _speed(pair: "Pair") -> "Figure":
    """How much faster the copy is here, both taking turns."""
    from ...pipelines.evaluation.paired_timing import Rounds, Turn, estimate
    from ...pipelines.evaluation.quantization_loss import Figure

    def passes(runner: "Runner") -> list[float]:
        times = []
        for image in pair.images[:_PASSES]:
            begun = time.perf_counter()
            runner(image)
            times.append((time.perf_counter() - begun) * 1e3)
        return times

    rounds = Rounds([Turn("", r.options.precision, partial(passes, r)) for r in (pair.f32, pair.int8)])
    rounds.run(rounds=_ROUNDS, seconds=0)
    slow, fast = (np.array(rounds.per_round("", p, np.median)) for p in ("f32", "int8"))
    ratio = estimate((slow / fast).tolist())
    return Figure(
        f"speed of {pair.key.rpartition('-')[0]}",
        f"{np.median(slow):.1f} to {np.median(fast):.1f} ms: {ratio.median:.2f} times "
        f"({ratio.low:.2f} to {ratio.high:.2f})",
    )


def _show(name: str, figures: "Sequence[Figure]") -> None:
    from rich.table import Table

    table = Table(name, "int8 against f32", "tolerance", "", box=None, header_style="bold", pad_edge=False)
    for figure in figures:
        verdict = ("ok" if figure.good else "too much") if figure.tolerance else ""
        table.add_row(figure.what, figure.value, figure.tolerance, verdict)
    console.show(table)
