"""One look at a whole image."""

from ..detectors.candidates import Run
from ..ops.letterbox import Letterbox
from ..spec import Size
from ..types import U8
from .decoding import Maps, decode
from .types import People, Seen, View

FEATURES = 6
"""Index of the features in the outputs of `networks.people.PeopleMaps`."""


class Look:
    """Finds the people in an image that is scaled into one input of the network.

    Args:
        run: `networks.people.PeopleMaps`, compiled for ``size``.
        size: (height, width) of its input in pixels, multiples of 32.
    """

    def __init__(self, run: Run, size: Size) -> None:
        self._run = run
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
        outputs = self._run(batch)
        view = View((0.0, 0.0), (float(fx), float(fy)))
        people = view.to_image(decode(Maps.of(outputs), score_floor))
        return people, Seen(view, outputs[FEATURES][0])
