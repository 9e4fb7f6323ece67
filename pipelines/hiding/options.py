"""What is made unrecognizable in images, and how."""

from dataclasses import dataclass

from ..types import Blur


@dataclass(frozen=True, slots=True)
class Hiding:
    """What is hidden.

    Attributes:
        blur: what becomes a few blocks of its mean colors.
        hide: what is painted over in one color.
    """

    blur: Blur = "nothing"
    hide: Blur = "nothing"

    @property
    def active(self) -> bool:
        """Whether anything is hidden."""
        return (self.blur, self.hide) != ("nothing", "nothing")
