"""What ``sepcam train`` was asked for, as it is kept in the folder of the training."""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from ...models.errors import SepcamError
from ...models.files import atomic_write
from ...models.registry import REGISTRY, base_of
from ...models.training.recipe import SIZES, Learn, Recipe, examples_in
from ...models.training.samples import SampleDigest
from ...pipelines.files.text import read_text

RUN_NAME: Final = "run.json"
NETWORK_NAME: Final = "network.safetensors"
CHECKPOINT_NAME: Final = "checkpoint.pt"
LOG_NAME: Final = "log.jsonl"
REPORT_NAME: Final = "report.html"
CANDIDATE_NAME: Final = "candidate.safetensors"
FILES: Final = (RUN_NAME, NETWORK_NAME, CHECKPOINT_NAME, LOG_NAME, REPORT_NAME, CANDIDATE_NAME)
"""What a training writes into its folder, beside `EXAMPLES_NAME` of `check`; the report comes last."""

VERSION: Final = 3

_PATHS: Final = ("annotations", "images", "validation", "validation_images")
_NOT_RESUMED: Final = ("check", "overwrite")
_NUMBERS: Final = ("epochs", "rate", "held_out")
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
        SepcamError: If a size is not a multiple of 32, or a number is not finite.
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
            raise SepcamError(f"--sizes must be multiples of 32 pixels, are {text}")
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise SepcamError(f"--{name.replace('_', '-')} must be a finite number, is {value}")

    @property
    def network(self) -> str:
        """The name in the registry of what is trained.

        Raises:
            SepcamError: If the network to begin with is a file that is none.
        """
        return base_of(self.init)

    @property
    def init_file(self) -> Path | None:
        """The file to begin with; None where a network of the registry is."""
        return None if self.init in REGISTRY else Path(self.init.removeprefix(self._used_as))

    @property
    def _used_as(self) -> str:
        """``NAME:`` of ``NAME:FILE``."""
        base, colon, _ = self.init.partition(":")
        return f"{base}:" if colon and base in REGISTRY else ""

    def absolute(self) -> "TrainRequest":
        """The same with paths that mean the same in every folder."""
        whole = {name: str(Path(path).resolve()) for name in _PATHS if (path := getattr(self, name))}
        if self.init_file is not None:
            whole["init"] = f"{self._used_as}{self.init_file.resolve()}"
        return replace(self, **whole)

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


def check_free(folder: Path, ask: TrainRequest, *, overwrite: bool) -> None:
    """Makes sure that nothing of the user's is lost in a folder to train in.

    Raises:
        SepcamError: If it has a file that a training would replace, and ``overwrite`` is not set; or if that
            is the file to begin with.
    """
    there = [folder / name for name in FILES if (folder / name).exists()]
    if not overwrite and folder / RUN_NAME in there:
        raise SepcamError(
            f"{folder} holds a training: --resume continues it, --overwrite replaces it, -o names another"
        )
    if not overwrite and there:
        raise SepcamError(
            f"{there[0]} exists already: name another folder with -o, or replace it with --overwrite"
        )
    begun = ask.init_file
    if begun is not None and begun.resolve() in [path.resolve() for path in there]:
        raise SepcamError(
            f"--init {ask.init} lies in the folder that --overwrite replaces: name another one with -o"
        )


def clear(folder: Path) -> None:
    """Deletes what a training has written into a folder, but for the examples of its labels."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Started:
    """A training as it was started.

    Attributes:
        request: what was asked for.
        recipe: how the network is trained.
        data: hashes of the samples.
        start: hash of the network to begin with.
    """

    request: TrainRequest
    recipe: Recipe
    data: tuple[SampleDigest, ...]
    start: str


def save(started: Started, folder: Path) -> None:
    """Writes it into a folder.

    Raises:
        SepcamError: If it cannot be written.
    """
    content = {"version": VERSION, **asdict(replace(started, request=started.request.absolute()))}
    with atomic_write(folder / RUN_NAME, overwrite=True) as path:
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")


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
        content["data"] = tuple(SampleDigest(**one) for one in content["data"])
        return Started(TrainRequest(**ask), Recipe(**recipe), **content)
    except (ValueError, KeyError, TypeError) as error:
        raise SepcamError(f"{path} is damaged: start again with --overwrite") from error


def is_finished(folder: Path) -> bool:
    """Whether the training in a folder has come to its end: its report is written last."""
    return (folder / REPORT_NAME).is_file()


def check_same(request: TrainRequest, given: Mapping[str, Any], names: Collection[str], folder: Path) -> None:
    """Makes sure that a resumed training is what the options say.

    Args:
        request: the one that is resumed.
        given: the options' values.
        names: the options that the user gave.
        folder: of the training.

    Raises:
        SepcamError: If one is another, or one is for the start of a training.
    """
    for name in _NOT_RESUMED:
        if given[name]:
            raise SepcamError(f"--resume continues a training as it was started: leave out --{name}")
    asked = {field.name for field in fields(request)} & set(names)
    now = of(asdict(request) | {name: given[name] for name in asked}).absolute()
    for name in sorted(asked):
        ours, theirs = getattr(request, name), getattr(now, name)
        if theirs != ours:
            option = f"--{name.replace('_', '-')}"
            raise SepcamError(
                f"{folder} was started with {option} {ours}, not {theirs}: leave {option} out to resume it, "
                "or start another training in another folder"
            )
