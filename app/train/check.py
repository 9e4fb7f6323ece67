"""``sepcam train --check``: says what is labeled, and shows examples of it."""

from pathlib import Path
from typing import Final

from ...models.training.samples import describe
from ..terminal import console
from ..terminal.images import image_grid, save_image
from .dataset import Labeled, load_image
from .drawing import draw_labels, spread

EXAMPLES_NAME: Final = "examples.png"

_COLUMNS, _WIDTH = 4, 480


def check_data(data: Labeled, folder: Path) -> None:
    """Prints how much of a checked data set is labeled, and writes a sheet of 16 labeled images.

    Raises:
        SepcamError: If it cannot be written.
    """
    console.say(", ".join(f"{count} {what}" for what, count in describe(data.samples).items() if count))
    images = [draw_labels(load_image(one.path), one) for one in spread(data.samples)]
    save_image(image_grid(images, columns=_COLUMNS, width=_WIDTH), folder / EXAMPLES_NAME)
    console.say(f"{len(images)} labeled images -> {folder / EXAMPLES_NAME}")
