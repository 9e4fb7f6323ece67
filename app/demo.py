"""``sepcam demo``: the main job on the bundled clip, and what separable convolutions buy on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..models.runtime import RuntimeOptions
from . import choices, console, outputs
from .assets import demo_clip

if TYPE_CHECKING:
    from .toggle import Comparison

COMPARED_FRAMES = 40


def demo(
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FOLDER", help="Folder for the results.")
    ] = Path("sepcam-demo"),
    detector: choices.DetectorOption = "auto",
    pose: choices.PoseOption = "blazepose-full",
    runtime: choices.RuntimeOption = "auto",
    device: choices.DeviceOption = "auto",
    precision: choices.PrecisionOption = "auto",
    threads: choices.ThreadsOption = None,
) -> None:
    """Process the bundled clip, and compare both backbones on it. Needs no camera and no display."""
    from ..pipelines.sources import open_source
    from .processing import Job, Request, run
    from .setup import load
    from .sheet import contact_sheet, save_picture
    from .toggle import compare

    options = RuntimeOptions(runtime, device, precision, threads)
    clip = demo_clip()
    job = Job(
        outputs.Target(str(clip), {"video": out / "demo.mp4", "jsonl": out / "demo.jsonl"}),
        lambda: open_source(clip),
    )
    outputs.check([job.target], out, overwrite=True)
    separable = load(detector, pose, options=options)
    summary = run(job, Request([str(clip)], out, ("video", "jsonl"), overwrite=True), separable)
    save_picture(contact_sheet(out / "demo.mp4"), out / "demo.png")
    console.say(f"contact sheet -> {out / 'demo.png'}")
    if not summary.complete:
        raise typer.Exit(130)

    console.note(f"loading the same networks with standard convolutions, for {COMPARED_FRAMES} frames")
    standard = load(separable.detector.name, pose, options=options, backbone="standard")
    with open_source(clip, limit=COMPARED_FRAMES) as source:
        _show(compare(source, separable, standard))
    console.say(
        "Next: sepcam process YOUR_VIDEO.mp4 -o results    (your own video)\n"
        "      sepcam process YOUR_VIDEO.mp4 --backbone standard --frames 100    (feel the difference)\n"
        "      sepcam models list    (the networks)    sepcam --help    (everything else)"
    )


def _show(measured: "Comparison") -> None:
    """Prints the comparison as a table."""
    from rich.table import Table

    one, other = measured.separable, measured.standard
    table = Table(
        title=f"The same networks on {measured.frames} frames, analysis alone", title_justify="left"
    )
    table.add_column("")
    for heading in ("separable", "standard", "ratio"):
        table.add_column(heading, justify="right")
    table.add_row("FPS", f"{one.fps:.1f}", f"{other.fps:.1f}", f"{one.fps / other.fps:.1f}x")
    table.add_row("ms per frame", f"{one.ms:.1f}", f"{other.ms:.1f}", f"{other.ms / one.ms:.1f}x")
    for (name, cost), (_, dense) in zip(one.costs.items(), other.costs.items(), strict=True):
        ratio = f"{dense.macs / cost.macs:.1f}x"
        table.add_row(f"MACs, {name}", f"{cost.macs / 1e6:,.0f} M", f"{dense.macs / 1e6:,.0f} M", ratio)
    for (name, cost), (_, dense) in zip(one.costs.items(), other.costs.items(), strict=True):
        ratio = f"{dense.params / cost.params:.1f}x"
        table.add_row(f"params, {name}", f"{cost.params / 1e6:.1f} M", f"{dense.params / 1e6:.1f} M", ratio)
    console.show(table)
    far = measured.difference
    same = "the same people" if far.same_objects else "NOT the same people"
    console.say(
        f"Predictions: {same}; largest differences: boxes {far.boxes_px:.1g} px, "
        f"keypoints {far.keypoints_px:.1g} px, masks {100 * (1 - far.mask_iou):.1g} % of their area"
    )
