"""What can be switched while a live image runs, and what was said about it last."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ...models.types import ConvKind
from ..analysis.options import AnalysisOptions
from ..drawing.options import HudDetail
from ..hiding.options import Hiding
from ..types import TASKS, Blur, Task

_MESSAGE_S = 4.0


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """What a viewer can switch while the image runs.

    Attributes:
        detector: name in the registry.
        backbone: kind of convolutions.
        tasks: what is done beside detecting.
        conf: least score of what begins to be reported, None for the detector's own.
        blur: what is blurred.
        hide: what is painted over.
        follow: identity of the person to follow, others are dimmed; or None.
        hud: how much the HUD shows.
    """

    detector: str
    backbone: ConvKind = "separable"
    tasks: frozenset[Task] = frozenset(TASKS)
    conf: float | None = None
    blur: Blur = "nothing"
    hide: Blur = "nothing"
    follow: int | None = None
    hud: HudDetail = "fps"

    def __post_init__(self) -> None:
        if self.conf is not None and not 0 <= self.conf <= 1:
            raise ValueError(f"conf must lie between 0 and 1; got {self.conf}")

    @property
    def hiding(self) -> Hiding:
        """What is made unrecognizable."""
        return Hiding(self.blur, self.hide)

    def applied_to(self, options: AnalysisOptions) -> AnalysisOptions:
        """The options of an analysis with what is switched here."""
        return replace(
            options,
            detector=self.detector,
            backbone=self.backbone,
            tasks=tuple(self.tasks),
            conf=self.conf,
            detect_every=options.detect_every if "track" in self.tasks else 1,
        )


class Switches:
    """The last requested settings, and a message for the viewer; any thread may use it."""

    def __init__(self, settings: LiveSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._settings = settings
        self._message, self._until = "", 0.0

    @property
    def settings(self) -> LiveSettings:
        """The last requested ones."""
        return self._settings

    @property
    def message(self) -> str | None:
        """What was said in the last few seconds."""
        with self._lock:
            return self._message if self._clock() < self._until else None

    def change(self, **changes: Any) -> LiveSettings:  # noqa: ANN401 - the fields of LiveSettings
        """Asks for other settings.

        Args:
            changes: any fields of ``LiveSettings``.
        """
        with self._lock:
            self._settings = replace(self._settings, **changes)
            return self._settings

    def say(self, message: str) -> None:
        """Shows a line for a few seconds."""
        with self._lock:
            self._message, self._until = message, self._clock() + _MESSAGE_S
