"""One way of running that an evaluation measures."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from ...models.runtime.options import RuntimeOptions
from ...models.types import ALL_PARTS, ConvKind, Detector, Part
from ...pipelines.types import DetectEvery

if TYPE_CHECKING:
    from ...models.weights.store import Progress, WeightStore

SETUP_FIELDS: Final = ("detector", "input", "backbone", "runtime", "precision")
"""What a row of ``evaluation.json`` says of its setup, beside ``detect_every``."""


def title_of(row: Mapping[str, Any]) -> str:
    """A setup as a row of ``evaluation.json`` names it, in a line."""
    title, every = " ".join(str(row[field]) for field in SETUP_FIELDS), row["detect_every"]
    return title if every == 1 else f"{title} every {every}"


@dataclass(frozen=True, slots=True)
class Setup:
    """One way of running.

    Attributes:
        detector: its name.
        input_size: what ``load_detector`` takes.
        backbone: kind of the convolutions of all networks.
        options: what runs them.
        detect_every: frames from one detection to the next in video, or ``auto``.
        larger: whether the detector takes its larger input, if it has one, in place of ``input_size``.
    """

    detector: str
    input_size: tuple[int, int] | int | None
    backbone: ConvKind
    options: RuntimeOptions
    detect_every: DetectEvery = 1
    larger: bool = False

    @property
    def size(self) -> str:
        """The input size in words."""
        if self.input_size is None:
            return "own"
        return (
            str(self.input_size) if isinstance(self.input_size, int) else "{1}x{0}".format(*self.input_size)
        )

    @property
    def title(self) -> str:
        """All of it in a line."""
        return title_of(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """As in ``evaluation.json``."""
        options = self.options
        return {
            "detector": self.detector,
            "input": self.size,
            "backbone": self.backbone,
            "runtime": options.runtime,
            "device": options.device,
            "precision": options.precision,
            "threads": options.threads,
            "detect_every": self.detect_every,
        }

    def load(
        self,
        store: "WeightStore",
        progress: "Progress",
        *,
        score_floor: float | None = None,
        parts: frozenset[Part] = ALL_PARTS,
    ) -> Detector:
        """The detector, ready to run; see ``load_detector``."""
        from ...models.zoo import load_detector

        return load_detector(
            self.detector,
            backbone=self.backbone,
            options=self.options,
            input_size=self.input_size,
            score_floor=score_floor,
            parts=parts,
            store=store,
            progress=progress,
        )


def definite(setup: Setup, *, photographs: bool) -> Setup:
    """The setup with every ``auto`` and ``larger`` resolved.

    Args:
        setup: as the user gave it.
        photographs: whether the images stand alone.

    Raises:
        SepcamError: If the options do not fit this machine.
    """
    from ...models.detectors.ultralytics import PREFIX
    from ...models.registry import larger_inputs
    from ...models.runtime.compile import resolve
    from ...models.zoo import choose_detector, for_photographs

    name = setup.detector
    if name == "auto":
        name = choose_detector(photographs=photographs)
    elif photographs:
        name = for_photographs(name)
    size = larger_inputs().get(name) if setup.larger else setup.input_size
    options = setup.options
    if name.startswith(PREFIX) and options.runtime == "auto":
        options = replace(options, runtime="torch")  # nothing else runs these
    return replace(setup, detector=name, input_size=size, larger=False, options=resolve(options))
