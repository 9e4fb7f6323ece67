"""What ``--precision auto`` means for a detector on a CPU: measured once on each machine, and recorded."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ...models.cache import make_folder
from ...models.errors import SepcamError
from ...models.files import atomic_write
from ...models.ops.boxes import iou
from ...models.runtime.options import Precision
from ...models.types import F32, U8, Detections, Detector, FollowingNetwork

MOST_LOST = 1.0
"""Points of average precision that a precision may lose against f32."""

_FASTER = 0.9  # of f32's time: less gain is not worth another result
_LEAST_SCORE = 0.3  # of what f32 finds and another precision has to find again
_IOUS = np.arange(0.5, 1.0, 0.05)


@dataclass(frozen=True, slots=True)
class Choice:
    """What was measured of a precision.

    Attributes:
        precision: the one that is used.
        ms: milliseconds of a look at an image in it.
        f32_ms: and in f32.
        lost: points of average precision, what f32 finds taken for the truth.
    """

    precision: Precision
    ms: float
    f32_ms: float
    lost: float

    def __str__(self) -> str:
        if self.precision == "f32":
            return "f32: nothing faster loses less than 1 AP on this machine"
        return (
            f"{self.precision}: {self.ms:.0f} ms a look in place of {self.f32_ms:.0f} on this machine, "
            f"{self.lost:.1f} AP from f32 (--precision f32 turns it off)"
        )


def choose(
    load: Callable[[Precision], Detector],
    candidates: Sequence[Precision],
    images: Sequence[U8],
    clock: Callable[[], float] = time.perf_counter,
) -> Choice:
    """The fastest of f32 and the candidates that loses less than `MOST_LOST`.

    Args:
        load: returns the detector in a precision; SepcamError leaves that one out.
        candidates: precisions beside f32.
        images: (H, W, 3) uint8 BGR each; everyone looks at each of them in turn.
        clock: seconds.
    """
    detectors: dict[Precision, Detector] = {"f32": load("f32")}
    detectors["f32"].detect(images[0])  # compiles what it needs
    for precision in candidates:
        with suppress(SepcamError):
            detector = load(precision)
            boxes = detector.detect(images[0]).boxes
            if isinstance(detector, FollowingNetwork):
                detector.follow(images[0], boxes)
            detectors[precision] = detector
    found: dict[Precision, list[Detections]] = {precision: [] for precision in detectors}
    took: dict[Precision, list[float]] = {precision: [] for precision in detectors}
    for image in images:
        for precision, detector in detectors.items():
            begun = clock()
            found[precision].append(detector.detect(image))
            took[precision].append(clock() - begun)
    times = {precision: float(np.median(seconds)) * 1e3 for precision, seconds in took.items()}
    best = Choice("f32", times["f32"], times["f32"], 0.0)
    for precision in detectors:
        lost = 100 * (1 - _average_precision(found["f32"], found[precision]))
        if lost < MOST_LOST and times[precision] < min(best.ms, _FASTER * times["f32"]):
            best = Choice(precision, times[precision], times["f32"], lost)
    return best


def recorded(folder: Path, key: Mapping[str, object], measure: Callable[[], Choice]) -> tuple[Choice, bool]:
    """The choice that was written down, or a new one, which is; and whether it is new.

    Args:
        folder: of such records.
        key: everything that the choice depends on, ready for JSON.
        measure: called where nothing is written down.

    Raises:
        SepcamError: If it cannot be written down: the next run might choose otherwise.
    """
    text = json.dumps(key, sort_keys=True)
    path = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    if (known := _read(path)) is not None:
        return known, False
    from filelock import FileLock

    with FileLock(make_folder(folder) / "measuring.lock"):  # processes of one job would differ
        if (known := _read(path)) is not None:
            return known, False
        choice = measure()
        with atomic_write(path, overwrite=True) as temporary:
            temporary.write_text(json.dumps({"key": key, "choice": asdict(choice)}), encoding="utf-8")
    return choice, True


def _read(path: Path) -> Choice | None:
    try:
        return Choice(**json.loads(path.read_text(encoding="utf-8"))["choice"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _average_precision(truth: Sequence[Detections], found: Sequence[Detections]) -> float:
    """Mean over COCO's ten IoUs, in [0, 1]; everything of one class is matched by boxes."""
    wanted = [one[one.scores >= _LEAST_SCORE] for one in truth]
    total = sum(map(len, wanted))
    if not total:
        return 1.0
    scores = np.concatenate([one.scores for one in found])
    order = np.argsort(-scores, kind="stable")
    values = []
    for least in _IOUS:
        hits = np.concatenate([_hits(a, b, float(least)) for a, b in zip(wanted, found, strict=True)])[order]
        reached = np.cumsum(hits) / total
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        best = np.maximum.accumulate(precision[::-1])[::-1]
        at = np.searchsorted(reached, np.linspace(0, 1, 101) - 1e-9)
        values.append(float(np.append(best, 0)[at].mean()))
    return float(np.mean(values))


def _hits(wanted: Detections, found: Detections, least: float) -> F32:
    """(N,) 1 for each find that is somebody wanted, whom no better one is."""
    hits = np.zeros(len(found), np.float32)
    overlap = iou(found.boxes, wanted.boxes) * (found.labels[:, None] == wanted.labels)
    for row in np.argsort(-found.scores, kind="stable"):
        column = int(overlap[row].argmax()) if len(wanted) else 0
        if len(wanted) and overlap[row, column] >= least:
            hits[row] = 1
            overlap[:, column] = 0
    return hits
