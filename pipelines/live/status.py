"""What a live session was doing at one moment, for people and for machines."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..events import ZoneCount
from ..execution.network_pool import NetworkChoice
from ..types import TASKS
from .duel import DuelStatus
from .meter import LiveFigures
from .settings import LiveSettings


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """What a session was doing at one moment.

    Attributes:
        settings: the requested ones.
        active: the networks at work; another choice than the settings' while those are being prepared.
        preparing: what is being loaded, in words.
        notice: what to show across the image (paused, reconnecting); or None.
        message: something that just happened, for a few seconds; or None.
        recording: the file that is being recorded, or None.
        paused: whether the image stands still.
        quality: what adaptive quality leaves out, in words, or None.
        counts: of lines and zones.
        figures: rates, latencies, model speeds, history.
        duel: what a duel is doing.
    """

    settings: LiveSettings
    active: NetworkChoice
    preparing: tuple[str, ...] = ()
    notice: str | None = None
    message: str | None = None
    recording: Path | None = None
    paused: bool = False
    quality: str | None = None
    counts: tuple[ZoneCount, ...] = ()
    figures: LiveFigures = field(default_factory=LiveFigures)
    duel: DuelStatus = field(default_factory=DuelStatus)

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        settings = self.settings
        return {
            "detector": settings.detector,
            "backbone": settings.backbone,
            "tasks": [task for task in TASKS if task in settings.tasks],
            "conf": settings.conf,
            "blur": settings.blur,
            "hide": settings.hide,
            "follow": settings.follow,
            "hud": settings.hud,
            "active": {"detector": self.active.detector, "backbone": self.active.backbone},
            "preparing": list(self.preparing),
            "notice": self.notice,
            "message": self.message,
            "recording": None if self.recording is None else self.recording.name,
            "paused": self.paused,
            "quality": self.quality,
            "counts": [str(count) for count in self.counts],
            "duel": self.duel.to_json(),
            **self.figures.to_json(),
        }


def in_words(choice: NetworkChoice, active: NetworkChoice) -> str:
    """What is new in a choice."""
    if choice.detector != active.detector:
        return choice.detector
    if choice.backbone != active.backbone:
        return f"the {choice.backbone} backbone"
    return "other networks"
