"""What a tracker does, and the registry of trackers."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Protocol

from ...models.errors import SepcamError
from ...models.spec import TrackerSettings
from ...models.types import F32, I64, Detections


class Tracker(Protocol):
    """Gives detections identities that stay the same from frame to frame.

    Identities count from 1, belong to one object and are never used again, not even after ``reset``. An
    identity keeps its class, by name.
    """

    @property
    def tentative(self) -> bool:
        """Whether an object of the last frame gets its identity if the next frame shows it too."""
        ...

    @property
    def lost(self) -> bool:
        """Whether a track was not found in the last frame and is still being looked for."""
        ...

    def follow(
        self, detections: Detections, time_s: float | None = None, size: tuple[int, int] | None = None
    ) -> tuple[F32, I64, I64]:
        """Follow everything into the next frame.

        Args:
            detections: what was found in it, down to a low score floor: weak boxes keep tracks alive.
            time_s: the frame's time in seconds.
            size: its (height, width) in pixels, so that a tracker can tell who left it.

        Returns:
            For what has an identity, best score first: (N, 4) float32 boxes x1 y1 x2 y2 in pixels, not
            clipped; (N,) rows of ``detections``; (N,) int64 identities.
        """
        ...

    def predict(self, ids: I64, time_s: float | None = None) -> F32:
        """Where these (N,) tracks of the last ``follow`` should be at a time: (N, 4) float32 x1 y1 x2 y2."""
        ...

    def coasted(self, size: tuple[int, int]) -> tuple[Detections, I64]:
        """Tracks that were missed a moment ago, at their predicted places in a (height, width) frame.

        Returns:
            Their boxes, lowered scores and labels; and (N,) int64 identities.
        """
        ...

    def configure(self, settings: TrackerSettings, labels: Sequence[str]) -> None:
        """Continue with another detector or confidence.

        Tracks are kept by the name of their class; those of classes that ``labels`` lacks are dropped.
        """
        ...

    def reset(self) -> None:
        """Forget all tracks, as at a cut; identities continue to count."""
        ...


TrackerClass = Callable[[Sequence[str], TrackerSettings, float | None], Tracker]
"""Makes a tracker for class names, thresholds, and the frames per second of the source (None if unknown)."""


def _bytetrack(labels: Sequence[str], settings: TrackerSettings, fps: float | None) -> Tracker:
    from .bytetrack import ByteTrack

    return ByteTrack(labels, settings, fps)


def _of_package(name: str) -> TrackerClass:
    def make(labels: Sequence[str], settings: TrackerSettings, fps: float | None) -> Tracker:
        from . import from_package

        return from_package.PackageTracker(getattr(from_package, name), labels, settings, fps)

    return make


TRACKERS: Final[Mapping[str, TrackerClass]] = MappingProxyType(
    {"bytetrack": _bytetrack} | {name: _of_package(name) for name in ("sort", "ocsort", "cbiou")}
)
"""Trackers by name. Each imports its package when it is made."""


def create_tracker(
    name: str, labels: Sequence[str], settings: TrackerSettings, fps: float | None = None
) -> Tracker:
    """Make a tracker by its name in ``TRACKERS``.

    Raises:
        SepcamError: If there is no such tracker.
    """
    if name not in TRACKERS:
        raise SepcamError(f"unknown tracker {name!r}; choose from {', '.join(TRACKERS)}")
    return TRACKERS[name](labels, settings, fps)
