"""The duel of a live session: prepared beside the running video, measured, then shown as a race."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from ...models.errors import SepcamError
from ...models.types import U8, ConvKind
from ..analysis.options import AnalysisOptions
from ..duel.card import Card
from ..duel.result import DuelResult
from ..execution.background import BACKGROUND
from ..execution.network_pool import NetworkPool
from ..execution.network_set import NetworkSet
from ..types import Frame
from .duel_images import DUEL_S, DuelImages, duel_choices
from .settings import Switches

DuelState = Literal["off", "preparing", "running", "done"]

_REFRESH_S: Final = 0.5  # how often the figures change while they are measured
_SETTLE_S: Final = 0.015  # in which a viewer's thread takes the last image, before the next frame is timed
RACE: Final = "the race: each side at the rate that it reached"
_RACE_NOTE: Final = f"{RACE} (c saves the card, v ends the duel)"


@dataclass(frozen=True, slots=True)
class DuelStatus:
    """What a duel is doing.

    Attributes:
        state: ``preparing`` while networks are loaded, ``running`` while it is measured, then ``done``.
        seconds_left: of the measurement.
        result: what was measured so far, or None.
    """

    state: DuelState = "off"
    seconds_left: float = 0.0
    result: DuelResult | None = None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        result = None if self.result is None else self.result.to_json() | {"agreement": self.result.agreement}
        return {"state": self.state, "seconds_left": round(self.seconds_left, 1), "result": result}


class LiveDuel:
    """Begins and ends duels. Any thread may use it, except ``frame``, which belongs to the analysis."""

    def __init__(
        self,
        pool: NetworkPool,
        switches: Switches,
        options: AnalysisOptions,
        *,
        source: str,
        fps: float | None,
        race_note: str = _RACE_NOTE,
    ) -> None:
        """Start without a duel.

        Args:
            pool: provides the networks.
            switches: say what is analyzed, and tell the viewer why there is no duel.
            options: of the analysis, for everything that the settings do not state.
            source: name of the source, for cards.
            fps: of the source.
            race_note: what is written below the race.
        """
        self._pool, self._switches, self._options = pool, switches, options
        self._source, self._fps, self._race_note = source, fps, race_note
        self._match: _Match | None = None

    @property
    def on(self) -> bool:
        """Whether a duel has begun and has not been ended."""
        return self._match is not None

    def begin(self, seconds: float = DUEL_S) -> None:
        """Begin a duel of so many seconds; one that is on is discarded.

        The video continues as usual until the networks are ready.
        """
        self._match = _Match(
            self._pool, self._switches, self._options, self._source, self._fps, seconds, self._race_note
        )

    def end(self) -> None:
        """Show the video as usual again."""
        self._match = None

    def frame(self, frame: Frame) -> U8 | None:
        """What to show for a frame, (H, W, 3) uint8 BGR; None for the usual."""
        match = self._match
        if match is None:
            return None
        try:
            return match.frame(frame)
        except SepcamError as error:
            self._switches.say(f"no duel: {error}")
            if self._match is match:
                self._match = None
            return None

    def status(self) -> DuelStatus:
        """What it is doing."""
        match = self._match
        return DuelStatus() if match is None else match.status

    def card(self) -> Card:
        """The card of the present duel.

        Raises:
            SepcamError: If there is none, or it has not ended.
        """
        match = self._match
        card = None if match is None else match.card
        if card is None:
            raise SepcamError("there is no duel with a result: begin one, and wait until it has ended")
        return card


class _Match:
    """One duel, from loading the networks to the race; its settings stay as they were at first."""

    def __init__(
        self,
        pool: NetworkPool,
        switches: Switches,
        options: AnalysisOptions,
        source: str,
        fps: float | None,
        seconds: float,
        race_note: str,
    ) -> None:
        self._race_note = race_note
        self._pool, self._options, self._source, self._fps = pool, options, source, fps
        self._settings, self._seconds = switches.settings, seconds
        self._choices = duel_choices(self._settings)
        self._images: DuelImages | None = None
        self._warming: threading.Thread | None = None
        self._failure: SepcamError | None = None
        self._begun: float | None = None
        self._ended_at = self._refresh_at = 0.0
        self.status = DuelStatus("preparing", seconds)
        self.card: Card | None = None

    def frame(self, frame: Frame) -> U8 | None:
        if self.card is not None and self._images is not None:
            return self._images.race_image(
                time.monotonic() - self._ended_at, self.status.result, self._race_note
            )
        images = self._ready(frame)
        if images is None:
            return None
        time.sleep(_SETTLE_S)
        now = time.monotonic()
        if self._begun is None:
            self._begun = now
        images.step(frame)
        left = self._begun + self._seconds - time.monotonic()
        if left <= 0 and (card := images.card()) is not None:
            self.card, self._ended_at = card, time.monotonic()
            self.status = DuelStatus("done", 0.0, images.duel.result())
        elif now >= self._refresh_at:
            self._refresh_at = now + _REFRESH_S
            self.status = DuelStatus("running", max(left, 0.0), images.duel.result())
        return images.image(self.status.result, f"measuring, {max(left, 0):.0f} s left")

    def _ready(self, frame: Frame) -> DuelImages | None:
        """The duel once its networks have run on images of this source; until then they are prepared."""
        if self._images is None:
            # Both are asked for at once, so that they are loaded one right after the other.
            found: dict[ConvKind, NetworkSet] = {}
            for kind, choice in self._choices.items():
                networks = self._pool.take(choice)
                if networks is not None:
                    found[kind] = networks
            if len(found) < len(self._choices):
                return None
            self._images = self._prepare(found, replace(frame, image=frame.image.copy()))
        if self._warming is not None and self._warming.is_alive():
            return None
        if self._failure is not None:
            raise self._failure
        return self._images

    def _prepare(self, sides: Mapping[ConvKind, NetworkSet], frame: Frame) -> DuelImages:
        images = DuelImages(
            sides,
            self._settings,
            self._options,
            source=self._source,
            seconds=self._seconds,
            fps=self._fps,
        )

        def warm_up() -> None:
            try:
                images.duel.warm_up(frame)
            except Exception as error:
                # The video continues as it was.
                self._failure = SepcamError(str(error) or type(error).__name__)

        self._warming = BACKGROUND.thread("duel", warm_up)
        self._warming.start()
        return images
