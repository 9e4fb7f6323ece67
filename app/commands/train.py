"""``sepcam train``: fine-tunes the network that ships on your own labeled images."""

from pathlib import Path
from typing import Annotated

import typer

from ...models.errors import SepcamError
from ...models.training.recipe import SIZES, Learn
from ..options import jobs as batch_options
from ..options import shared as choices
from ..terminal import console

_DATA = "Data"
_LEARNING = "Learning"


def train(
    context: typer.Context,
    annotations: Annotated[
        Path | None,
        typer.Option(
            "--annotations",
            metavar="FILE",
            help="A COCO file, a YOLO data.yaml, or a folder of YOLO's text files: boxes, keypoints, masks.",
            show_default=False,
            rich_help_panel=_DATA,
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            "--images",
            metavar="FOLDER",
            help="The images.",
            show_default="those that data.yaml names",
            rich_help_panel=_DATA,
        ),
    ] = None,
    partial: Annotated[
        bool,
        typer.Option(
            "--partial",
            help="Some people in the images are not labeled: learn from the labels alone.",
            rich_help_panel=_DATA,
        ),
    ] = False,
    skip_missing: Annotated[
        bool,
        typer.Option(
            "--skip-missing", help="Leave out annotated images that the folder lacks.", rich_help_panel=_DATA
        ),
    ] = False,
    validation: Annotated[
        Path | None,
        typer.Option(
            "--validation",
            metavar="FILE",
            help="Annotations of other images to measure on.",
            show_default="some are held out",
            rich_help_panel=_DATA,
        ),
    ] = None,
    validation_images: Annotated[
        Path | None,
        typer.Option(
            "--validation-images",
            metavar="FOLDER",
            help="Those images.",
            show_default="in --images",
            rich_help_panel=_DATA,
        ),
    ] = None,
    held_out: Annotated[
        float,
        typer.Option(
            "--held-out",
            metavar="F",
            min=0.01,
            max=0.9,
            help="Fraction of the images to measure on.",
            rich_help_panel=_DATA,
        ),
    ] = 0.1,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Only check the data and draw 16 labeled images.", rich_help_panel=_DATA
        ),
    ] = False,
    init: Annotated[
        str,
        typer.Option(
            "--init",
            metavar="NAME|FILE",
            help="Network to begin with: people, or a file that train has written.",
            rich_help_panel=_LEARNING,
        ),
    ] = "people",
    epochs: Annotated[
        float | None,
        typer.Option(
            "--epochs",
            metavar="N",
            min=0.1,
            max=10_000,
            help="Times that each image is seen.",
            show_default="8; fewer from 750 images on",
            rich_help_panel=_LEARNING,
        ),
    ] = None,
    batch: Annotated[
        int,
        typer.Option(
            "--batch",
            metavar="N",
            min=1,
            help="Images of 320 pixels at once; as many pixels of other sizes.",
            rich_help_panel=_LEARNING,
        ),
    ] = 8,
    accumulate: Annotated[
        int,
        typer.Option(
            "--accumulate", metavar="N", min=1, help="Batches that make one step.", rich_help_panel=_LEARNING
        ),
    ] = 1,
    rate: Annotated[
        float,
        typer.Option(
            "--rate",
            metavar="R",
            min=0.0,
            max=0.1,
            help="Size of a step, relative to that of the weights.",
            rich_help_panel=_LEARNING,
        ),
    ] = 7e-4,
    learn: Annotated[
        Learn,
        typer.Option(
            "--learn",
            help="What learns: the heads alone, or all of the network, for thousands of images.",
            rich_help_panel=_LEARNING,
        ),
    ] = "heads",
    sizes: Annotated[
        str,
        typer.Option(
            "--sizes",
            metavar="LIST",
            help="Sides of the square inputs to train at, in pixels.",
            rich_help_panel=_LEARNING,
        ),
    ] = ",".join(map(str, SIZES)),
    seed: Annotated[
        int,
        typer.Option("--seed", metavar="N", min=0, help="Seed of all randomness.", rich_help_panel=_LEARNING),
    ] = 0,
    device: choices.DeviceOption = "auto",
    threads: choices.ThreadsOption = None,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FOLDER", help="Folder for the network and its report.")
    ] = Path("sepcam-training"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the training in that folder; it needs no other option.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the training's files in that folder.")
    ] = False,
) -> None:
    """Fine-tune the network on your own labeled images; the result is kept only if it measures better."""
    from ..train import request as requests

    given = {name: str(value) if isinstance(value, Path) else value for name, value in context.params.items()}
    given["sizes"] = choices.whole_numbers(sizes, "--sizes")
    typed = batch_options.typed(context)
    if resume:
        ask = requests.load(out).request
        requests.check_same(ask, given, typed, out)
        if requests.is_finished(out):
            console.say(f"the training in {out} is finished: its report is {out / requests.REPORT_NAME}")
            return
    elif given["annotations"] is None:
        raise SepcamError("give the labels with --annotations, and their images with --images")
    else:
        from ..train.check import check_replaceable, show_labels, tell_parts

        ask = requests.of(given)
        check_replaceable(out, overwrite=overwrite)
        if check:
            from ..train.dataset import read_parts

            used = read_parts(ask)
            show_labels(used.labeled, out)
            tell_parts(used)
            return
        requests.check_free(out, ask, overwrite=overwrite)
    from ...models.runtime.compile import resolve
    from ...models.runtime.options import RuntimeOptions
    from ..train.run import Place, run

    with_device = resolve(RuntimeOptions("torch", device)).device
    run(ask, Place(out, with_device, threads, console.command_line()), resume=resume)
