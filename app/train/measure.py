"""Measures networks on the images that are not trained on, and shows what they find."""

from collections.abc import Iterator, Sequence

from ...models.training.samples import Sample
from ...models.types import U8
from ...pipelines.annotations.types import Annotations
from ...pipelines.tracking.settings import settings_for
from ..terminal import console
from . import scoring
from .checkpoint import Log
from .dataset import load_image
from .drawing import draw_found, draw_labels, spread
from .scoring import Figures

_SHOWN = 8


class Measure:
    """The figures of networks, each measured once.

    Args:
        samples: to measure on.
        truth: their annotations.
        log: remembers the figures.
        device: that the networks run on.
    """

    def __init__(self, samples: Sequence[Sample], truth: Annotations, log: Log, device: str) -> None:
        self.log = log
        self._samples, self._truth, self._device = samples, truth, device

    def known(self, step: int, parts: Sequence[str] = ()) -> Figures:
        """What was measured after a step, empty if nothing was; ``parts`` as in a call."""
        wanted = {"step": step, "parts": list(parts)}
        found = (row for row in self.log.rows if "figures" in row)
        return next((row["figures"] for row in found if wanted == {key: row[key] for key in wanted}), {})

    def __call__(self, title: str, network: str, step: int, parts: Sequence[str] = ()) -> Figures:
        """The figures of a network by its name or file, as it is after a step.

        Args:
            title: what it is, for the user.
            network: its name or file.
            step: after which it is measured.
            parts: that are trained, where others are as they were.

        Raises:
            SepcamError: If it cannot be loaded.
        """
        known = self.known(step, parts)
        if not known:
            with console.downloads() as progress:
                detector = scoring.load(network, self._device, progress)
            known = scoring.score(detector, self._images(), self._truth)
            self.log.add(step=step, parts=list(parts), figures=dict(known))
        console.note(f"{title}: {scoring.in_words(known) or 'nothing to measure'}")
        return known

    def shown(self, networks: Sequence[str]) -> list[list[U8]]:
        """For some of the images: the labels, and what each of the networks finds; (H, W, 3) uint8 BGR."""
        with console.downloads() as progress:
            detectors = [scoring.load(network, self._device, progress) for network in networks]
        rows: list[list[U8]] = []
        for sample in spread(self._samples, _SHOWN):
            image = load_image(sample.path)
            found = [draw_found(image, one.detect(image), settings_for(one.name).new) for one in detectors]
            rows.append([draw_labels(image, sample), *found])
        return rows

    def _images(self) -> Iterator[tuple[int | str, U8]]:
        with console.progress("measuring", len(self._samples)) as advance:
            for number, (sample, image) in enumerate(zip(self._samples, self._truth.images, strict=True), 1):
                yield image.id, load_image(sample.path)
                advance(number)
