"""What ``sepcam train`` was asked for, as it is kept in the folder of the training."""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from ...models.errors import SepcamError
from ...models.files import atomic_write
from ...models.registry import base_of
from ...models.training.recipe import SIZES, Learn, Recipe, examples_in
from ...pipelines.files.text import read_text

RUN_NAME: Final = "run.json"
NETWORK_NAME: Final = "network.safetensors"
CHECKPOINT_NAME: Final = "checkpoint.pt"
LOG_NAME: Final = "log.jsonl"
REPORT_NAME: Final = "report.html"
FILES: Final = (RUN_NAME, NETWORK_NAME, CHECKPOINT_NAME, LOG_NAME, REPORT_NAME)
"""What a training leaves in its folder."""

VERSION: Final = 2

_SEEN: Final = (400, 6000)  # examples that a training sees, at least and at most
_EPOCHS: Final = 8  # times that every image is seen, between those
_WARM_UP: Final = 0.1  # fraction of the steps
_AVERAGED: Final = 0.1  # fraction of the steps that the averaged weights remember, roughly


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """A training as the options state it.

    Attributes:
        annotations: a COCO file, a YOLO ``data.yaml``, or a folder of YOLO's text files.
        images: folder of the images; None where a ``data.yaml`` names them.
        partial: whether people may be unlabeled in every image.
        skip_missing: leave out annotated images that the folder lacks.
        validation: annotations of other images to measure on; None holds some out.
        validation_images: folder of those images; None is that of ``images``.
        held_out: the fraction that is held out.
        init: name or file of the network to begin with.
        epochs: times that each image is seen; None is chosen by their number.
        batch: examples of 320 pixels that are computed at once; of larger sizes fewer, of smaller ones more.
        accumulate: batches that make one step.
        rate: relative size of the steps.
        learn: what learns.
        sizes: sides of the inputs in pixels.
        seed: of everything random.

    Raises:
        SepcamError: If a size is not a multiple of 32.
    """

    annotations: str
    images: str | None = None
    partial: bool = False
    skip_missing: bool = False
    validation: str | None = None
    validation_images: str | None = None
    held_out: float = 0.1
    init: str = "people"
    epochs: float | None = None
    batch: int = 8
    accumulate: int = 1
    rate: float = 7e-4
    learn: Learn = "heads"
    sizes: tuple[int, ...] = SIZES
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(self.sizes))
        if not self.sizes or any(size < 32 or size % 32 for size in self.sizes):
            text = ", ".join(map(str, self.sizes)) or "none"
            raise SepcamError(f"sizes must be multiples of 32 pixels, are {text}")

    @property
    def network(self) -> str:
        """The name in the registry of what is trained.

        Raises:
            SepcamError: If the network to begin with is a file that is none.
        """
        return base_of(self.init)

    def recipe(self, images: int) -> Recipe:
        """How a network is trained on this many images."""
        low, high = _SEEN
        seen = self.epochs * images if self.epochs else min(max(_EPOCHS * images, low), high)
        at_once = sum(examples_in(self.batch, size) for size in self.sizes) / len(self.sizes)
        steps = max(round(seen / (at_once * self.accumulate)), 1)
        return Recipe(
            steps,
            self.batch,
            self.accumulate,
            self.rate,
            max(round(_WARM_UP * steps), 1),
            1 - 1 / max(_AVERAGED * steps, 2),
            self.learn,
            self.sizes,
            self.seed,
        )


def of(given: Mapping[str, Any]) -> TrainRequest:
    """The request out of the values of options, by their names; others are left out."""
    return TrainRequest(**{field.name: given[field.name] for field in fields(TrainRequest)})


def check_free(folder: Path, *, overwrite: bool) -> None:
    """Makes sure that no training is lost.

    Raises:
        SepcamError: If there is one in the folder, and ``overwrite`` is not set.
    """
    if (folder / RUN_NAME).exists() and not overwrite:
        raise SepcamError(
            f"{folder} holds a training: --resume continues it, --overwrite replaces it, -o names another"
        )
    if overwrite:
        for name in FILES:
            (folder / name).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Started:
    """A training as it was started.

    Attributes:
        request: what was asked for.
        recipe: how the network is trained.
        data: hash of the samples.
        start: hash of the network to begin with.
    """

    request: TrainRequest
    recipe: Recipe
    data: str
    start: str


def save(started: Started, folder: Path) -> None:
    """Writes it into a folder.

    Raises:
        SepcamError: If it cannot be written.
    """
    with atomic_write(folder / RUN_NAME, overwrite=True) as path:
        path.write_text(json.dumps({"version": VERSION, **asdict(started)}, indent=1), encoding="utf-8")


def load(folder: Path) -> Started:
    """What `save` wrote.

    Raises:
        SepcamError: If there is none, or this version does not understand it.
    """
    path = folder / RUN_NAME
    if not path.is_file():
        raise SepcamError(f"{folder} holds no training to resume: leave out --resume to start one")
    try:
        content = json.loads(read_text(path))
        if content.pop("version") != VERSION:
            raise SepcamError(f"{path} is of another version of Sepcam: start again with --overwrite")
        ask, recipe = content.pop("request"), content.pop("recipe")
        recipe["sizes"] = tuple(recipe["sizes"])
        return Started(TrainRequest(**ask), Recipe(**recipe), **content)
    except (ValueError, KeyError, TypeError) as error:
        raise SepcamError(f"{path} is damaged: start again with --overwrite") from error


def check_same(request: TrainRequest, given: Mapping[str, Any], names: Collection[str], folder: Path) -> None:
    """Makes sure that a resumed training is what the options say.

    Args:
        request: the one that is resumed.
        given: the options' values.
        names: the options that the user gave.
        folder: of the training.

    Raises:
        SepcamError: If one is another.
    """
    for field in fields(request):
        ours, theirs = getattr(request, field.name), given.get(field.name)
        if field.name in names and theirs != ours:
            option = f"--{field.name.replace('_', '-')}"
            raise SepcamError(
                f"{folder} was started with {option} {ours}, not {theirs}: leave {option} out to resume it, "
                "or start another training in another folder"
            )
