"""Tracker settings, by detector."""

from ...models.registry import find_detector
from ...models.spec import TrackerSettings


def settings_for(detector: str) -> TrackerSettings:
    """The thresholds measured to suit a detector, by its registry name; the defaults where none were."""
    spec = find_detector(detector)
    return TrackerSettings() if spec is None else spec.tracker
