"""The options of drawing on the command line; ``DrawOptions`` is what they mean."""

from dataclasses import dataclass
from typing import Annotated

import typer

from ...models.errors import SepcamError
from ...pipelines.drawing.options import LAYERS, ColorBy, DrawOptions, HudDetail
from . import shared

_DEFAULT = DrawOptions()
_LAYERS = ",".join(_DEFAULT.layers)

DrawOption = Annotated[
    str,
    typer.Option(
        "--draw",
        metavar="LIST",
        help=f"What to draw: any of {','.join(LAYERS)}, or none.",
        rich_help_panel=shared.DRAWING,
    ),
]
ColorByOption = Annotated[
    ColorBy,
    typer.Option(
        "--color-by",
        help="What colors mean; side colors skeletons by left and right, all else by identity.",
        rich_help_panel=shared.DRAWING,
    ),
]
MaskOpacityOption = Annotated[
    float,
    typer.Option(
        "--mask-opacity",
        metavar="SHARE",
        min=0,
        max=1,
        help="Opacity of the color over a person's mask, 0 to 1.",
        rich_help_panel=shared.DRAWING,
    ),
]
HudOption = Annotated[
    HudDetail,
    typer.Option(
        "--hud",
        help="Figures in the emptiest corner of video; photographs have none.",
        rich_help_panel=shared.DRAWING,
    ),
]
DrawScaleOption = Annotated[
    float,
    typer.Option(
        "--draw-scale",
        metavar="N",
        min=0.25,
        max=8,
        help="Lines and text as a multiple of what suits the frame.",
        rich_help_panel=shared.DRAWING,
    ),
]


@dataclass(frozen=True, slots=True)
class DrawArguments:
    """What was typed."""

    draw: DrawOption = _LAYERS
    color_by: ColorByOption = _DEFAULT.color_by
    mask_opacity: MaskOpacityOption = _DEFAULT.mask_opacity
    hud: HudOption = _DEFAULT.hud
    draw_scale: DrawScaleOption = _DEFAULT.scale

    def options(self) -> DrawOptions:
        """What it means.

        Raises:
            SepcamError: If a value is not valid.
        """
        layers = () if self.draw == "none" else shared.chosen(self.draw, LAYERS, "--draw")
        if not layers and self.draw != "none":
            raise SepcamError(f"--draw is empty: choose from {', '.join(LAYERS)}, or none")
        return DrawOptions(layers, self.color_by, self.mask_opacity, self.hud, self.draw_scale)


@dataclass(frozen=True, slots=True)
class PageDrawArguments(DrawArguments):
    """The same for a page, which shows the figures itself."""

    hud: HudOption = "off"
