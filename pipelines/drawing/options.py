"""What is drawn onto images, and how."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from ...models.errors import SepcamError

Layer = Literal["boxes", "labels", "ids", "conf", "skeletons", "masks", "trails", "zones", "hud"]
LAYERS: Final[tuple[Layer, ...]] = get_args(Layer)
"""What can be drawn; ``labels`` are names of classes, ``ids`` identities, ``conf`` scores."""

ColorBy = Literal["identity", "class", "side"]
"""What a color says: who it is, what it is, or, on skeletons, the person's left and right side."""

HudDetail = Literal["off", "fps", "full"]
"""How much the HUD shows."""


@dataclass(frozen=True, slots=True)
class DrawOptions:
    """What is drawn, and how.

    Attributes:
        layers: what is drawn; empty for nothing.
        color_by: what colors say. ``side`` colors skeletons by side, and all else by identity.
        mask_opacity: of the color over the pixels of a mask, 0 to 1.
        hud: how much the HUD of video shows; photographs have none.
        scale: of lines and text, as a multiple of the sizes that suit the frame.
    """

    layers: tuple[Layer, ...] = tuple(layer for layer in LAYERS if layer != "trails")
    color_by: ColorBy = "side"
    mask_opacity: float = 0.34
    hud: HudDetail = "fps"
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            SepcamError: If one is not valid.
        """
        for layer in self.layers:
            _check("layer", layer, LAYERS)
        _check("color_by", self.color_by, get_args(ColorBy))
        _check("hud", self.hud, get_args(HudDetail))
        if not 0 <= self.mask_opacity <= 1:
            raise SepcamError(f"mask_opacity must lie between 0 and 1; got {self.mask_opacity}")
        if not 0.25 <= self.scale <= 8:
            raise SepcamError(f"scale must lie between 0.25 and 8; got {self.scale}")

    @property
    def hud_detail(self) -> HudDetail:
        """How much the HUD shows, ``off`` where it is not drawn."""
        return self.hud if "hud" in self.layers else "off"

    def to_json(self) -> dict[str, Any]:
        """As a flat JSON object, by the names of the options of the command line."""
        return {
            "draw": self.layers,
            "color_by": self.color_by,
            "mask_opacity": self.mask_opacity,
            "hud": self.hud,
            "draw_scale": self.scale,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "DrawOptions":
        """What ``to_json`` returned; what is missing is the default.

        Raises:
            SepcamError: If a value is not valid.
        """
        every = cls().to_json() | dict(values)
        return cls(
            tuple(every["draw"]), every["color_by"], every["mask_opacity"], every["hud"], every["draw_scale"]
        )


def _check(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        near = difflib.get_close_matches(value, known, n=1)
        hint = f", did you mean {near[0]!r}?" if near else ""
        raise SepcamError(f"there is no {what} {value!r}{hint} (choose from {', '.join(known)})")
