"""``sepcam train``: fine-tunes the network that ships on your own labeled images."""

from pathlib import Path
from typing import Annotated

import typer

from ...models.errors import SepcamError

_DATA = "Data"


def train(
    annotations: Annotated[
        Path,
        typer.Option(
            "--annotations",
            metavar="FILE",
            help="A COCO file, a YOLO data.yaml, or a folder of YOLO's text files: boxes, keypoints, masks.",
            rich_help_panel=_DATA,
        ),
    ],
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
            help="Some people in the images are not labeled: only what is labeled teaches.",
            rich_help_panel=_DATA,
        ),
    ] = False,
    skip_missing: Annotated[
        bool,
        typer.Option(
            "--skip-missing", help="Leave out annotated images that the folder lacks.", rich_help_panel=_DATA
        ),
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Only check the data and draw 16 labeled images.", rich_help_panel=_DATA
        ),
    ] = False,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FOLDER", help="Folder for the network and its report.")
    ] = Path("sepcam-training"),
) -> None:
    """Fine-tune the network on your own labeled images; the result is kept only if it measures better."""
    from ..train.check import check_data
    from ..train.dataset import read_labeled

    data = read_labeled(images, annotations, partial=partial, skip_missing=skip_missing)
    check_data(data, out)
    if not check:
        raise SepcamError("only --check works so far")
