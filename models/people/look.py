"""One look at a whole image."""

from ..ops.letterbox import Letterbox
from ..spec import Size
from ..types import U8
from .decoding import decode
from .maps import LookAt
from .types import People, Seen, View


class Look:
    """Finds the people in an image that is scaled into one input of the network.

    Args:
        look_at: for inputs of ``size``.
        size: (height, width) of its input in pixels, multiples of 32.
    """

    def __init__(self, look_at: LookAt, size: Size) -> None:
        self._look_at = look_at
        self._letterbox = Letterbox(size, 0, average=True)

    def __call__(self, image: U8, score_floor: float) -> tuple[People, Seen]:
        """The people in an (H, W, 3) uint8 BGR image, in its pixels.

        Args:
            image: to look at.
            score_floor: the lowest center score that counts.

        Returns:
            The people, and what the mask head needs, which the next look at an image overwrites.
        """
        batch, (fx, fy) = self._letterbox(image)
        (maps,) = self._look_at(batch)
        view = View((0.0, 0.0), (float(fx), float(fy)))
        return view.to_image(decode(maps, score_floor)), Seen(view, maps.features)
