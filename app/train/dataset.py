"""The labeled images of a training: read, checked as a whole before the first step, and split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ...models.errors import SepcamError
from ...models.training.samples import Sample, split
from ...models.types import U8
from ...pipelines.annotations.files import AnnotatedFiles, read_annotated, sized
from ...pipelines.annotations.types import AnnotatedImage, Annotations, WrongAnnotationsError
from ...pipelines.annotations.yolo import TO_TRAIN
from ...pipelines.sources.read_image import UnreadableImageError, read_image
from ..terminal import console
from .labels import people_alone, people_category, sample_of, truth_of
from .request import TrainRequest

_MOST_SHOWN: Final = 20  # lines about what is wrong


@dataclass(frozen=True, slots=True)
class Labeled:
    """A checked data set.

    Attributes:
        source: the file of the annotations.
        samples: what is trained on, in the order of the annotations.
        images: the people of every sample, to measure on; by the sample's path.
    """

    source: Path
    samples: tuple[Sample, ...]
    images: Mapping[Path, AnnotatedImage]

    def truth(self, samples: Sequence[Sample]) -> Annotations:
        """The annotations of some of the samples."""
        return truth_of(self.source, [self.images[one.path] for one in samples])


@dataclass(frozen=True, slots=True)
class Parts:
    """What is trained on and what is measured on.

    Attributes:
        training: the samples to train on.
        checking: those to measure on.
        checked_in: the data set that those are from.
        labeled: the samples of the data set to train on, those that are held out among them.
    """

    training: Sequence[Sample]
    checking: Sequence[Sample]
    checked_in: Labeled
    labeled: Sequence[Sample]


def read_labeled(
    images: Path | None, annotations: Path, *, partial: bool = False, skip_missing: bool = False
) -> Labeled:
    """Reads a data set, and decodes every image once to see that it can be.

    Args:
        images: folder of the images; None where a ``data.yaml`` names them.
        annotations: a COCO file, a YOLO ``data.yaml``, or a folder of YOLO's text files.
        partial: whether people may be unlabeled in every image.
        skip_missing: leave out images that the annotations have and the folder lacks.

    Raises:
        SepcamError: If anything is wrong with it. What is wrong is printed first, a line each.
    """
    try:
        found = read_annotated(annotations, images, TO_TRAIN)
    except WrongAnnotationsError as error:
        raise _refusal(annotations, error.problems) from error
    for note in found.annotations.notes:
        console.note(note)
    problems = [] if skip_missing else _missing(found)
    people = people_category(found.annotations)
    samples: list[Sample] = []
    checked: dict[Path, AnnotatedImage] = {}
    with console.progress("checking images", len(found.images)) as advance:
        for number, (path, image) in enumerate(found.images.items(), 1):
            sample, wrong = _checked(path, image, people, partial=partial)
            problems += wrong
            if sample is not None:
                samples.append(sample)
                size = sample.size[1], sample.size[0]
                known = replace(image, size=size, partial=not sample.complete)
                checked[path] = people_alone(known, people)
            advance(number)
    if problems:
        raise _refusal(annotations, problems)
    if not any(sample.people for sample in samples):
        raise SepcamError(f"{annotations} labels nobody in the images of {found.folder}")
    return Labeled(found.annotations.source, tuple(samples), checked)


def read_parts(ask: TrainRequest) -> Parts:
    """Reads the labels that a training was asked for, and splits them.

    Raises:
        SepcamError: See `read_labeled` and `parts`.
    """

    def read(annotations: str, images: str | None) -> Labeled:
        folder = None if images is None else Path(images)
        return read_labeled(folder, Path(annotations), partial=ask.partial, skip_missing=ask.skip_missing)

    data = read(ask.annotations, ask.images)
    validation = None
    if ask.validation is not None:
        validation = read(ask.validation, ask.validation_images or ask.images)
    return parts(data, validation, ask.held_out)


def parts(data: Labeled, validation: Labeled | None, held_out: float) -> Parts:
    """What to train on and what to measure on.

    Args:
        data: the data set.
        validation: another one to measure on, or None to hold out a fraction of the first.
        held_out: that fraction, in (0, 1).

    Raises:
        SepcamError: If there are too few images, or one is in both.
    """
    if validation is None:
        training, checking = split(data.samples, held_out)
        return Parts(training, checking, data, data.samples)
    used = {sample.path.resolve() for sample in data.samples}
    twice = next((one.path for one in validation.samples if one.path.resolve() in used), None)
    if twice is not None:
        raise SepcamError(f"{twice} is in the training and in the --validation data: leave it out of one")
    return Parts(data.samples, validation.samples, validation, data.samples)


def load_image(path: Path) -> U8:
    """An (H, W, 3) uint8 BGR image.

    Raises:
        SepcamError: If it cannot be read; names it.
    """
    try:
        return read_image(path)
    except UnreadableImageError as error:
        raise SepcamError(f"{path} {error}") from error


def _checked(
    path: Path, image: AnnotatedImage, people: frozenset[str], *, partial: bool
) -> tuple[Sample | None, list[str]]:
    try:
        known = sized(path, image)
        height, width = load_image(path).shape[:2]
    except SepcamError as error:
        return None, [str(error)]
    if known.size != (width, height):
        return None, [f"{path}: its header says {known.size}, it has {width}x{height} pixels"]
    return sample_of(path, known, people, partial=partial)


def _refusal(annotations: Path, problems: Sequence[str]) -> SepcamError:
    """The error to raise after what is wrong is printed."""
    for line in problems[:_MOST_SHOWN]:
        console.fail(line)
    more = len(problems) - _MOST_SHOWN
    are, them = f"{len(problems)} labels or images are", "them"
    if len(problems) == 1:
        are, them = "1 label or image is", "it"
    shown = f" ({more} more than shown)" if more > 0 else ""
    return SepcamError(f"{annotations}: {are} wrong{shown}: correct or remove {them}; nothing was trained")


def _missing(found: AnnotatedFiles) -> list[str]:
    return [
        f"{found.annotations.source}, image {image.id}: {path} is missing; "
        "--skip-missing leaves such images out"
        for path, image in found.missing.items()
    ]
