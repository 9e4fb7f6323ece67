"""What is made unrecognizable in images, and how."""

from dataclasses import dataclass

from ...models.errors import check_choice
from ..types import Blur


@dataclass(frozen=True, slots=True)
class Hiding:
    """What is hidden.

    Attributes:
        blur: what becomes a few blocks of its mean colors.
        hide: what is painted over in one color.

    Raises:
        SepcamError: If one of them is not a `Blur`.
    """

    blur: Blur = "nothing"
    hide: Blur = "nothing"

    def __post_init__(self) -> None:
        check_choice("blur", self.blur, Blur)
        check_choice("hide", self.hide, Blur)

    @property
    def active(self) -> bool:
        """Whether anything is hidden."""
        return (self.blur, self.hide) != ("nothing", "nothing")
