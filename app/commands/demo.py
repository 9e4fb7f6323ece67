"""``sepcam demo``: the main job on the bundled clip, and what separable convolutions buy on this machine."""

import shlex
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from ...assets import demo_clip
from ...models.runtime.options import RuntimeOptions
from ...models.types import DEFAULT_POSE, ConvKind
from ...pipelines.sinks import outputs
from ..options import shared as choices
from ..terminal import console

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...pipelines.pipeline import Pipeline

COMPARED_FRAMES = 40
COMPARED_ROUNDS = 2


def demo(
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FOLDER", help="Folder for the results.")
    ] = Path("sepcam-demo"),
    detector: choices.DetectorOption = "auto",
    pose: choices.PoseOption = DEFAULT_POSE,
    runtime: choices.RuntimeOption = "auto",
    device: choices.DeviceOption = "auto",
    precision: choices.PrecisionOption = "auto",
    threads: choices.ThreadsOption = None,
) -> None:
    """Process the bundled clip, and compare both backbones on it. Needs no camera and no display."""
    from ...models.runtime.compile import resolve
    from ...pipelines.analysis.options import AnalysisOptions
    from ...pipelines.sources.open import open_source
    from ..options.load_networks import load
    from ..process.single import FileRequest, Job, run
    from ..terminal.images import contact_sheet, save_image

    options = RuntimeOptions(runtime, device, precision, threads)
    clip = demo_clip()
    job = Job(
        outputs.Target(str(clip), {"video": out / "demo.mp4", "jsonl": out / "demo.jsonl"}),
        lambda: open_source(clip),
    )
    request = FileRequest(out, ("video", "jsonl"), overwrite=True)
    outputs.check([job.target], out, overwrite=True)
    separable = load(AnalysisOptions(detector, pose, runtime=options))
    summary = run(job, request, separable)
    save_image(contact_sheet(out / "demo.mp4"), out / "demo.png")
    console.say(f"contact sheet -> {out / 'demo.png'}")
    if not summary.complete:
        raise typer.Exit(130)

    console.note(f"running {COMPARED_FRAMES} of its frames in both backbones")
    kinds: tuple[ConvKind, ...] = get_args(ConvKind)
    # Every frame of both is looked at, in the same precision, so that they do the same work.
    same = replace(separable.options, detect_every=1, runtime=resolve(options))
    both: dict[ConvKind, Pipeline] = {kind: load(replace(same, backbone=kind)) for kind in kinds}
    _compare(both, clip, same.runtime)
    if activation := _activation():
        console.say(f"First, make sepcam a command of this terminal: {activation}")
    console.say(
        "Next: sepcam process YOUR_VIDEO.mp4 -o results    (your own video)\n"
        "      sepcam process YOUR_VIDEO.mp4 --backbone standard --frames 100    (see how slow it is)\n"
        "      sepcam compare YOUR_VIDEO.mp4    (the full report)\n"
        "      sepcam models list    (the networks)    sepcam --help    (everything else)"
    )


def _activation() -> str | None:
    """The line that makes ``sepcam`` a command of the terminal; None where it is one or none is known."""
    activate = Path(sys.prefix) / "bin" / "activate"
    if shutil.which("sepcam") or not activate.is_file():
        return None
    if activate.is_relative_to(Path.cwd()):
        activate = activate.relative_to(Path.cwd())
    return f"source {shlex.quote(str(activate))}"


def _compare(both: "Mapping[ConvKind, Pipeline]", clip: Path, options: RuntimeOptions) -> None:
    """Times both backbones on the clip in resolved options, and prints the result."""
    from ...models.profiling.variants import registered
    from ...models.weights.store import WeightStore
    from ..compare.findings import answer
    from ..compare.measure_pipeline import PipelineMeasurement
    from ..compare.report import table

    measurement = PipelineMeasurement(both, str(clip), options)
    measurement.time(rounds=COMPARED_ROUNDS, frames=COMPARED_FRAMES)
    separable = both["separable"]
    names = [name for name in (separable.model.detector, separable.model.pose) if name]
    store = WeightStore()
    measurement.count([registered(name, store) for name in names])
    console.show(table({"results": [measurement.result]}))
    console.say(answer(measurement.result))
