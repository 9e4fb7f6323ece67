"""A duel with its images: measured, drawn, and kept for the race and the card."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ...models.runtime.compile import resolve
from ...models.types import U8, ConvKind
from ..analysis.options import AnalysisOptions
from ..duel.card import Card, described, runtime_text, signature
from ..duel.contest import Duel
from ..duel.race import Race
from ..duel.result import KINDS, DuelResult
from ..duel.view import duel_image, side_image
from ..execution.network_pool import NetworkChoice
from ..execution.network_set import NetworkSet
from ..types import Frame
from .adaptive_quality import Quality
from .analysis import Analyzed, LowConfidence, choice_for
from .settings import LiveSettings
from .view import LiveDrawing

DUEL_S: Final = 10.0
"""Seconds that a duel lasts unless something else is asked for."""

_FAIR: Final = "every frame detected in full, drawing not counted, nothing adaptive"


class DuelImages:
    """Runs a duel and draws it. One thread at a time uses it.

    Attributes:
        duel: measures.
    """

    duel: Duel

    def __init__(
        self,
        sides: Mapping[ConvKind, NetworkSet],
        settings: LiveSettings,
        options: AnalysisOptions,
        *,
        source: str,
        seconds: float = DUEL_S,
        fps: float | None = None,
    ) -> None:
        """Prepare it.

        Args:
            sides: the same networks in both forms.
            settings: what is analyzed, and what is hidden in the images.
            options: everything else of the analysis.
            source: name of the source, for the card.
            seconds: how long the duel is meant to last, for the card.
            fps: of the source.

        Raises:
            SepcamError: If the options do not fit the networks.
        """
        self._settings = replace(settings, follow=None)
        self._source, self._seconds = source, seconds
        self._runtime = resolve(options.runtime)
        self._detectors = {kind: LowConfidence(sides[kind].detector) for kind in KINDS}
        watched: dict[ConvKind, NetworkSet] = {
            kind: replace(sides[kind], detector=self._detectors[kind]) for kind in KINDS
        }
        self.duel = Duel(watched, settings.applied_to(options), fps=fps)
        self._drawings = {kind: LiveDrawing() for kind in KINDS}
        self._race = Race()
        self._images: dict[ConvKind, U8] = {}
        self._best: tuple[int, dict[ConvKind, U8]] = (-1, {})

    def step(self, frame: Frame) -> None:
        """Both sides analyze a frame; its image stays as it is."""
        found = self.duel.step(frame)
        for kind in KINDS:
            result = replace(found[kind], frame=replace(frame, image=frame.image.copy()))
            low = self._detectors[kind].people()
            self._drawings[kind].draw(Analyzed(0.0, result, self._settings, low))
            self._images[kind] = side_image(result.frame.image)
        self._race.add(self._images, self.duel.times_ms)
        people = int(found["separable"].instances.people.sum())
        if people > self._best[0]:
            self._best = people, dict(self._images)

    def image(self, result: DuelResult | None, note: str) -> U8:
        """Both sides with the last frame, (H, W, 3) uint8 BGR; there must have been one.

        Args:
            result: what was measured so far, or None.
            note: what is going on.
        """
        times = self.duel.times_ms
        captions: dict[ConvKind, str] = {kind: f"{kind}  {times[kind]:.0f} ms" for kind in KINDS}
        return duel_image(self._images, captions, result, (self._about(), note))

    def race_image(self, seconds: float, result: DuelResult | None, note: str) -> U8:
        """The race so many seconds after its start, as `image`."""
        runners = self._race.at(seconds)
        captions: dict[ConvKind, str] = {
            kind: f"{kind}  frame {runner.frames}" for kind, runner in runners.items()
        }
        images: dict[ConvKind, U8] = {kind: runner.image for kind, runner in runners.items()}
        return duel_image(images, captions, result, (self._about(), note))

    def card(self) -> Card | None:
        """The card; None while too few frames are measured."""
        result = self.duel.result()
        if result is None:
            return None
        where = described(self._source, self._seconds, self._runtime)
        captions: dict[ConvKind, str] = {kind: f"{kind}  {result.sides[kind].fps:.3g} FPS" for kind in KINDS}
        image = duel_image(self._best[1], captions, result, (self._about(), signature(where)))
        return Card(image, result.to_json() | where)

    def _about(self) -> str:
        return f"{self.duel.networks}, {runtime_text(self._runtime)}: {_FAIR}"


def duel_choices(settings: LiveSettings) -> dict[ConvKind, NetworkChoice]:
    """The networks of both sides."""
    return {kind: choice_for(replace(settings, backbone=kind), Quality()) for kind in KINDS}
