"""``sepcam compare``: what depthwise-separable convolutions buy on this machine, on the user's own video."""

import re
from itertools import product
from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

from ...assets import demo_clip
from ...models.errors import SepcamError
from ...models.runtime.options import Device, Precision, Runtime, RuntimeOptions
from ...models.types import DEFAULT_POSE
from ...pipelines.sinks import outputs
from ..options import shared as choices
from ..terminal import console

RuntimeChoice = Literal["auto", "torch", "openvino", "all"]
_CONCRETE: tuple[Runtime, ...] = ("openvino", "torch")
_FILES = ("report.json", "report.html")


def compare(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[SOURCE]",
            help="Video, images, camera or stream to compare on; or a report.json to show beside --against.",
            show_default="the bundled clip",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FOLDER", help="Folder for report.json and report.html.")
    ] = Path("sepcam-compare"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a report that exists.")] = False,
    detector: Annotated[
        str,
        typer.Option("--detector", metavar="NAME", help="Detector; auto is people, all compares every one."),
    ] = "auto",
    pose: choices.PoseOption = DEFAULT_POSE,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            metavar="SPEC",
            help="Compare this network alone: torchvision:NAME, timm:NAME or FILE.py:FUNCTION; repeatable.",
        ),
    ] = None,
    networks: Annotated[
        bool,
        typer.Option(
            "--networks", help="Compare every network by itself: detectors, pose networks, segmentation."
        ),
    ] = False,
    size: Annotated[
        str, typer.Option("--input", metavar="N or WxH", help="Size of the images that --model takes.")
    ] = "224",
    runtime: Annotated[RuntimeChoice, typer.Option("--runtime", help="What runs the networks.")] = "auto",
    device: choices.DeviceOption = "auto",
    precision: choices.PrecisionOption = "auto",
    threads: Annotated[
        str,
        typer.Option(
            "--threads", metavar="LIST", help="Threads per network, e.g. 1,2,4.", show_default="all cores"
        ),
    ] = "",
    rounds: Annotated[
        int | None,
        typer.Option(
            "--rounds", metavar="N", min=1, help="Rounds of each measurement.", show_default="by --seconds"
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="S", min=1, help="Time for all rounds together.")
    ] = 60.0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Seed of all randomness.")] = 0,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="JSON", help="An earlier report to compare with.")
    ] = None,
    video: Annotated[
        Path | None,
        typer.Option(
            "--video", metavar="MP4", help="Write a side-by-side video, each side at the speed it reached."
        ),
    ] = None,
) -> None:
    """Measure separable against standard convolutions: same frames, same predictions, honest intervals."""
    from ..compare import report as reports

    earlier = None if against is None else reports.read(against)
    if source is not None and source.endswith(".json"):
        if earlier is None:
            raise SepcamError(f"{source} is a report: name another one with --against to see the changes")
        console.show(reports.against_table(earlier, reports.read(Path(source))))
        return
    files = [out / name for name in _FILES] + ([] if video is None else [video])
    for path in files:
        if path.exists() and not overwrite:
            raise SepcamError(f"{path} exists: use --overwrite to replace it, or another folder with -o")
    if model and networks:
        raise SepcamError("--model compares other networks than Sepcam's: leave --networks out")
    if (model or networks) and video is not None:
        raise SepcamError("--video shows a pipeline: leave --model and --networks out")
    for folder in dict.fromkeys(path.parent for path in files):
        outputs.check_writable(folder)

    from ...models.registry import different
    from ..compare.comparison import CompareRequest
    from ..compare.run import Outputs, run

    request = CompareRequest(
        source=source or str(demo_clip()),
        options=_options(runtime, device, precision, threads),
        detectors=() if model or networks else (detector,),
        networks=different() if networks else (),
        pose=pose,
        models=tuple(model or ()),
        size=_size(size),
        rounds=rounds,
        seconds=seconds,
        seed=seed,
        command=console.command_line(),
        video=video,
        overwrite=overwrite,
    )
    if not run(request, Outputs(files[0], files[1], overwrite), earlier):
        raise typer.Exit(130)


def _options(
    runtime: RuntimeChoice, device: Device, precision: Precision, threads: str
) -> list[RuntimeOptions]:
    """Every requested way of running."""
    runtimes = _CONCRETE if runtime == "all" else (runtime,)
    assert all(name in get_args(Runtime) for name in runtimes)
    try:
        counts = [int(word) for word in choices.split(threads)] or [None]
    except ValueError as error:
        raise SepcamError(f"--threads {threads} must be numbers, e.g. 1,2,4") from error
    pairs = product(runtimes, dict.fromkeys(counts))
    return [RuntimeOptions(name, device, precision, count) for name, count in pairs]


def _size(text: str) -> tuple[int, int]:
    """(height, width) in pixels, from ``224`` or ``WIDTHxHEIGHT``."""
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", text)
    if match is None or not int(match[1]) or match[2] == "0":
        raise SepcamError(f"--input {text} must be a number of pixels, e.g. 224, or WIDTHxHEIGHT")
    return int(match[2] or match[1]), int(match[1])
