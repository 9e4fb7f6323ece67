"""The options of hiding people, which process, live and serve share."""

from dataclasses import dataclass
from typing import Annotated

import typer

from ...pipelines.hiding.options import Hiding
from ...pipelines.types import Blur
from . import shared

BlurOption = Annotated[
    Blur,
    typer.Option(
        "--blur",
        help="Make faces, whole people or the whole image unrecognizable in everything that is written.",
        rich_help_panel=shared.HIDING,
    ),
]
HideOption = Annotated[
    Blur,
    typer.Option(
        "--hide",
        help="Paint over faces, people or everything; what is drawn stays visible.",
        rich_help_panel=shared.HIDING,
    ),
]


@dataclass(frozen=True, slots=True)
class HidingArguments:
    """What was typed."""

    blur: BlurOption = "nothing"
    hide: HideOption = "nothing"

    def options(self) -> Hiding:
        """What it means."""
        return Hiding(self.blur, self.hide)
