"""The figures of a live image: what comes, what is shown, and what the networks could do."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ...models.types import ConvKind
from ..execution.meter import Meter, MeterSnapshot

HISTORY_S: Final = 10.0
_SAMPLE_S = 0.1
_TIMES = 90  # frames that a model's speed is the mean of
_LEAST_TIMES = 3
_LARGEST_GAP = 0.1  # between the fractions of frames with a detection of two backbones that compare


@dataclass(frozen=True, slots=True)
class Sample:
    """A moment in the graph.

    Attributes:
        age_s: how many seconds ago.
        shown_fps: images shown per second then, None before the second one.
        backbone: what was at work.
    """

    age_s: float
    shown_fps: float | None
    backbone: ConvKind


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """What a live meter knew at one moment.

    Attributes:
        meter: ``source_fps`` is what really arrives, ``processing_fps`` what is shown, the latency is from a
            frame's arrival to its display.
        model_fps: for each backbone that has made a detection, the frames per second that the analysis alone
            would reach with the present detector and tasks; both at the same quality where both have run at
            one.
        history: the last ten seconds, oldest first.
        incomparable: why the two speeds do not compare, in words; None where they do.
    """

    meter: MeterSnapshot = field(default_factory=MeterSnapshot)
    model_fps: Mapping[ConvKind, float] = field(default_factory=dict)
    history: tuple[Sample, ...] = ()
    incomparable: str | None = None

    def comparison(self) -> str | None:
        """A line on both backbones, with their ratio where it means something; None before both have run."""
        one, other = self.model_fps.get("separable"), self.model_fps.get("standard")
        if one is None or other is None:
            return None
        ratio = f"{one / other:.1f}x" if self.incomparable is None else f"not comparable: {self.incomparable}"
        return f"separable {one:.3g} FPS · standard {other:.3g} FPS · {ratio}"

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        meter = self.meter
        return {
            "camera_fps": _rounded(meter.source_fps),
            "shown_fps": _rounded(meter.processing_fps),
            "model_fps": {kind: _rounded(fps) for kind, fps in self.model_fps.items()},
            "latency_ms_p50": _rounded(meter.latency_ms_p50),
            "latency_ms_p95": _rounded(meter.latency_ms_p95),
            "stage_ms": {stage: _rounded(ms) for stage, ms in meter.stage_ms.items()},
            "frames": meter.frames,
            "dropped": meter.dropped,
            "comparison": self.comparison(),
        }


class LiveMeter:
    """Measures a live run. Threads may tell it things at the same time; its memory does not grow."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start measuring, by a monotonic clock in seconds."""
        self._clock = clock
        # The camera states no rate: the rate is that of the frames that arrive.
        self._meter = Meter(clock=clock)
        self._lock = threading.Lock()
        self._times: dict[tuple[ConvKind, int], deque[tuple[float, bool]]] = {}
        self._latest: dict[ConvKind, int] = {}
        self._backbone: ConvKind = "separable"
        self._history: deque[tuple[float, float | None, ConvKind]] = deque()
        self.arrived = self._meter.arrived
        self.dropped = self._meter.dropped
        self.stage = self._meter.stage

    def restart_models(self) -> None:
        """The work per frame has changed (detector, tasks): earlier speeds compare with nothing."""
        with self._lock:
            self._times.clear()
            self._latest.clear()

    def analyzed(self, backbone: ConvKind, level: int, seconds: float, *, in_full: bool = True) -> None:
        """A frame was analyzed.

        Args:
            backbone: of the networks.
            level: how many levels below full quality.
            seconds: how long it took.
            in_full: whether the frame got a detection; others take less.
        """
        with self._lock:
            self._backbone = backbone
            # Frames before the first detection say nothing of how fast it is.
            if in_full or (backbone, level) in self._times:
                self._latest[backbone] = level
                self._times.setdefault((backbone, level), deque(maxlen=_TIMES)).append((seconds, in_full))

    def shown(self, latency_s: float) -> None:
        """Called when an image is on display, with the seconds since it arrived."""
        self._meter.finished(latency_s)
        now = self._clock()
        with self._lock:
            if self._history and now - self._history[-1][0] < _SAMPLE_S:
                return
            fps = self._meter.snapshot().processing_fps
            self._history.append((now, fps, self._backbone))
            while self._history[0][0] < now - HISTORY_S:
                self._history.popleft()

    def arriving_fps(self) -> float | None:
        """Frames per second that come from the source."""
        return self._meter.snapshot().source_fps

    def figures(self) -> LiveFigures:
        """All figures as they are now."""
        now = self._clock()
        with self._lock:
            history = tuple(Sample(now - t, fps, kind) for t, fps, kind in self._history)
            common = self._common_level()
            keys: dict[ConvKind, tuple[ConvKind, int]] = {
                kind: (kind, latest if common is None else common) for kind, latest in self._latest.items()
            }
            speeds: dict[ConvKind, float] = {kind: _rate(self._times[key]) for kind, key in keys.items()}
            times = [self._times[key] for key in keys.values()]
            return LiveFigures(
                self._meter.snapshot(), speeds, history, _incomparable(common is not None, times)
            )

    def _common_level(self) -> int | None:
        """The level at which both backbones have run longest, or None."""
        ran = [
            {
                level
                for (kind, level), times in self._times.items()
                if kind == k and len(times) >= _LEAST_TIMES
            }
            for k in ("separable", "standard")
        ]
        # Where both have run longest: at others, one may only have passed through while it settled.
        return max(ran[0] & ran[1], key=self._least_times, default=None)

    def _least_times(self, level: int) -> tuple[int, int]:
        """How often both ran at a level, at least; of equals, the better quality counts more."""
        return min(len(self._times["separable", level]), len(self._times["standard", level])), -level


def _rate(times: Sequence[tuple[float, bool]]) -> float:
    """Frames per second."""
    return len(times) / max(sum(seconds for seconds, _ in times), 1e-9)


def _in_full(times: Sequence[tuple[float, bool]]) -> float:
    """The fraction of frames that got a detection."""
    return sum(in_full for _, in_full in times) / len(times)


def _incomparable(same_quality: bool, times: Sequence[Sequence[tuple[float, bool]]]) -> str | None:
    """Why the times of two backbones do not compare."""
    if len(times) < 2:
        return None
    if any(len(one) < _LEAST_TIMES for one in times):
        return "too few frames yet"
    if not same_quality:
        return "different quality"
    shares = [_in_full(one) for one in times]
    if max(shares) - min(shares) > _LARGEST_GAP:
        percent = " and ".join(f"{100 * share:.0f} %" for share in shares)
        return f"detections in {percent} of the frames"
    return None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
