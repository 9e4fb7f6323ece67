"""What is labeled, in words and in a sheet of examples; ``sepcam train --check`` ends there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ...models.errors import SepcamError
from ...models.files import atomic_write
from ...models.training.samples import Sample, in_words
from ..terminal import console
from ..terminal.images import image_grid
from .dataset import Parts, load_image
from .drawing import captioned, draw_labels, spread

EXAMPLES_NAME: Final = "examples.png"

_COLUMNS, _WIDTH = 4, 480
_MARK: Final = ("Software", "sepcam train")  # in the file, by which it is told from one of the user's


def check_replaceable(folder: Path, *, overwrite: bool) -> None:
    """Makes sure that a file of the user's with the name of the examples is not lost.

    Raises:
        SepcamError: If there is one, and ``overwrite`` is not set.
    """
    path = folder / EXAMPLES_NAME
    if path.exists() and not overwrite and not _is_ours(path):
        raise SepcamError(
            f"{path} is none of 'sepcam train': name another folder with -o, or replace it with --overwrite"
        )


def tell_parts(used: Parts) -> None:
    """Prints what is trained on and what is measured on."""
    for title, samples in (("training on", used.training), ("measuring on", used.checking)):
        console.note(f"{title} {in_words(samples)}")
    if not any(one.complete for one in used.checking):
        console.note(
            "all images to measure on are partly labeled: who is found where nobody is labeled is left out"
        )


def show_labels(samples: Sequence[Sample], folder: Path) -> None:
    """Prints how much is labeled, and writes a sheet of 16 labeled images.

    Raises:
        SepcamError: If it cannot be written.
    """
    console.say(in_words(samples))
    shown = spread(samples)
    images = [captioned(draw_labels(load_image(one.path), one), one.path.name) for one in shown]
    sheet = Image.fromarray(image_grid(images, columns=_COLUMNS, width=_WIDTH)[..., ::-1])
    mark = PngInfo()
    mark.add_text(*_MARK)
    with atomic_write(folder / EXAMPLES_NAME, overwrite=True) as path:
        sheet.save(path, "png", pnginfo=mark)
    count = f"{len(images)} labeled image{'' if len(images) == 1 else 's'}"
    console.say(f"{count} -> {folder / EXAMPLES_NAME}")


def _is_ours(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            return image.info.get(_MARK[0]) == _MARK[1]
    except OSError:  # no image at all
        return False
