"""``sepcam evaluate``: how right the results are, by COCO's and MOTChallenge's measures, and how fast."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from ...models.runtime.options import Device, Precision, Runtime, RuntimeOptions
from ...models.types import DEFAULT_POSE, ConvKind
from ...pipelines.types import DetectEvery
from ..options import shared as choices
from ..terminal import console

if TYPE_CHECKING:
    from ..evaluate.setups import Setup

_LARGER = "larger"

evaluate = typer.Typer(help="Measure accuracy against ground truth, and what it costs.", no_args_is_help=True)

DetectorsOption = Annotated[
    str,
    typer.Option("--detector", metavar="LIST", help="Detectors to measure, e.g. yolox-nano,ssdlite-person."),
]
SizesOption = Annotated[
    str,
    typer.Option(
        "--input-size",
        metavar="LIST",
        help="Sizes of the detector's input: own, larger (that of --small-people, where there is one), the "
        "longer side, or WIDTHxHEIGHT.",
    ),
]
BackbonesOption = Annotated[
    str, typer.Option("--backbone", metavar="LIST", help="Any of separable,standard.")
]
RuntimesOption = Annotated[str, typer.Option("--runtime", metavar="LIST", help="Any of auto,torch,openvino.")]
PrecisionsOption = Annotated[
    str, typer.Option("--precision", metavar="LIST", help="Any of auto,f32,bf16,f16,int8.")
]
OutOption = Annotated[
    Path, typer.Option("-o", "--out", metavar="FOLDER", help="Folder for the figures, results and images.")
]
ConfOption = Annotated[
    float | None,
    typer.Option(
        "--conf",
        metavar="SCORE",
        min=0,
        max=1,
        help="Threshold for counting false and missed people; average precision counts everything.",
        show_default="the detector's own",
    ),
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace results that exist.")]


@evaluate.command()
def coco(
    annotations: Annotated[
        Path,
        typer.Option(
            "--annotations",
            metavar="FILE",
            help="COCO instances (boxes and masks), a YOLO data.yaml, or a folder of YOLO's text files.",
        ),
    ],
    images: Annotated[
        Path | None,
        typer.Option(
            "--images", metavar="FOLDER", help="The images.", show_default="those that data.yaml names"
        ),
    ] = None,
    keypoints: Annotated[
        Path | None,
        typer.Option(
            "--keypoints", metavar="FILE", help="Their COCO person_keypoints.", show_default="not scored"
        ),
    ] = None,
    detector: DetectorsOption = "auto",
    input_size: SizesOption = "own",
    backbone: BackbonesOption = "separable",
    runtime: RuntimesOption = "auto",
    precision: PrecisionsOption = "auto",
    pose: choices.PoseOption = DEFAULT_POSE,
    device: choices.DeviceOption = "auto",
    threads: choices.ThreadsOption = None,
    max_people: choices.MaxPeopleOption = 20,
    conf: ConfOption = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--images-limit", metavar="N", min=1, help="Only the first N images.", show_default="all"
        ),
    ] = None,
    out: OutOption = Path("sepcam-evaluation"),
    overwrite: OverwriteOption = False,
) -> None:
    """Average precision of people's boxes, masks and keypoints on annotated images, by COCO's rules."""
    from ..evaluate.image_data import ImageData
    from ..evaluate.run import run

    data = ImageData(images, annotations, keypoints, max_people=max_people, limit=limit, conf=conf)
    setups = _setups(detector, input_size, backbone, runtime, precision, device, threads)
    run(data, setups, out, pose=pose, overwrite=overwrite, command=console.command_line())


@evaluate.command()
def mot(
    video: Annotated[
        Path,
        typer.Option(
            "--video", metavar="PATH", help="A video, or a folder of MOTChallenge with img1 and gt."
        ),
    ],
    gt: Annotated[
        Path | None,
        typer.Option(
            "--gt", metavar="FILE", help="MOTChallenge ground truth.", show_default="gt/gt.txt of the folder"
        ),
    ] = None,
    detector: DetectorsOption = "auto",
    input_size: SizesOption = "own",
    backbone: BackbonesOption = "separable",
    runtime: RuntimesOption = "auto",
    precision: PrecisionsOption = "auto",
    device: choices.DeviceOption = "auto",
    threads: choices.ThreadsOption = None,
    conf: ConfOption = None,
    detect_every: Annotated[
        str,
        typer.Option(
            "--detect-every",
            metavar="LIST",
            help="Frames from one detection to the next, or auto, e.g. 1,auto.",
        ),
    ] = "auto",
    frames: Annotated[
        int | None,
        typer.Option("--frames", metavar="N", min=1, help="Only the first N frames.", show_default="all"),
    ] = None,
    tracker: choices.TrackerOption = "bytetrack",
    reid: choices.ReidOption = True,
    out: OutOption = Path("sepcam-evaluation"),
    overwrite: OverwriteOption = False,
) -> None:
    """How well people keep their identities in a video: HOTA, MOTA, IDF1."""
    from ..evaluate.datasets import MotData
    from ..evaluate.run import run

    data = MotData(video, gt, frames, tracker, conf=conf, reid=reid)
    every: list[DetectEvery] = [choices.detect_every(word) for word in choices.split(detect_every)]
    setups = _setups(detector, input_size, backbone, runtime, precision, device, threads, every)
    run(data, setups, out, overwrite=overwrite, command=console.command_line())


@evaluate.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of an evaluation.")],
    second: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUN]",
            help="Folder of another one, of the same images.",
            show_default="compare the setups of the first with its first one",
        ),
    ] = None,
) -> None:
    """Compare two evaluations of the same images: differences with their 95 % intervals."""
    from ..evaluate.comparison import compare_runs

    compare_runs(first, second)


def _setups(
    detectors: str,
    sizes: str,
    backbones: str,
    runtimes: str,
    precisions: str,
    device: Device,
    threads: int | None,
    detect_every: Sequence[DetectEvery] = (1,),
) -> "list[Setup]":
    """Everything that is to be measured: each combination of the lists."""
    from ..evaluate.setups import Setup

    wanted = product(
        dict.fromkeys(choices.split(detectors)),
        [
            (None, True) if size == _LARGER else (choices.input_size(size), False)
            for size in dict.fromkeys(choices.split(sizes))
        ],
        choices.chosen(backbones, get_args(ConvKind), "--backbone"),
        choices.chosen(runtimes, get_args(Runtime), "--runtime"),
        choices.chosen(precisions, get_args(Precision), "--precision"),
        detect_every,
    )
    return [
        Setup(detector, size, backbone, RuntimeOptions(runtime, device, precision, threads), every, larger)
        for detector, (size, larger), backbone, runtime, precision, every in wanted
    ]
