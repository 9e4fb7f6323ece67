"""Tracker settings, by detector."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Thresholds of ByteTrack; they belong to a detector, since detectors score differently.

    Attributes:
        high: least score of a box that takes part in the first association.
        new: least score of a box that begins a track.
        low: least score of a box that takes part in the second association, which only prolongs tracks.
        first_iou: least IoU times score of a match in the first association.
        second_iou: least IoU of a match in the second association.
        confirm_frames: sightings in a row after which a track gets its identity.
        lost_s: seconds for which a track that is not seen is remembered.
    """

    high: float = 0.6
    new: float = 0.7
    low: float = 0.1
    first_iou: float = 0.2
    second_iou: float = 0.3
    confirm_frames: int = 2
    lost_s: float = 2.0

    def with_confidence(self, conf: float | None) -> "TrackerSettings":
        """The same with ``conf`` as the least score of a box that begins a track (None changes nothing)."""
        if conf is None:
            return self
        return replace(self, new=conf, high=min(self.high, conf), low=min(self.low, conf))


SETTINGS: Final[Mapping[str, TrackerSettings]] = MappingProxyType(
    {
        "yolox-nano": TrackerSettings(high=0.7, new=0.8, second_iou=0.4),
        "ssdlite-person": TrackerSettings(high=0.4, new=0.6),
        "ssd-mobilenet-v1-coco": TrackerSettings(high=0.55, new=0.65),
    }
)


def settings_for(detector: str) -> TrackerSettings:
    """The thresholds measured to suit a detector, by its registry name; the defaults where none were."""
    return SETTINGS.get(detector, TrackerSettings())
