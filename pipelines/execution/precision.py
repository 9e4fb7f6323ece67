"""What ``--precision auto`` means for a detector on a CPU: measured once on each machine, and recorded."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from ...models.cache import make_folder
from ...models.errors import SepcamError
from ...models.files import atomic_write
from ...models.ops.boxes import iou
from ...models.ops.coco import KEYPOINTS
from ...models.people.merging import pose_similarity
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
        lost: points of average precision, of boxes or of keypoints, whichever are more.
        others: in words, what was measured of the other precisions.
    """

    precision: Precision
    ms: float
    f32_ms: float
    lost: float
    others: str = ""

    def __str__(self) -> str:
        if self.precision == "f32":
            return f"f32 ({self.f32_ms:.0f} ms per look on this machine; {self.others})"
        return (
            f"{self.precision}: {self.ms:.0f} ms per look instead of {self.f32_ms:.0f} ms on this machine, "
            f"{max(self.lost, 0):.1f} AP lost (--precision f32 turns this off)"
        )


def choose(
    load: Callable[[Precision], Detector],
    candidates: Sequence[Precision],
    images: Iterable[U8],
    careful: Detector | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Choice:
    """The fastest of f32 and the candidates that loses less than `MOST_LOST`.

    Args:
        load: returns the detector in a precision; SepcamError leaves that one out.
        candidates: precisions beside f32.
        images: one or more, (H, W, 3) uint8 BGR each; everyone looks at each of them in turn.
        careful: finds what is taken for the truth; None takes what is found in f32.
        clock: seconds.
    """
    images = iter(images)
    first = next(images)
    detectors: dict[Precision, Detector] = {"f32": load("f32")}
    detectors["f32"].detect(first)  # compiles what it needs
    for precision in candidates:
        with suppress(SepcamError):
            detector = load(precision)
            boxes = detector.detect(first).boxes
            if isinstance(detector, FollowingNetwork):
                detector.follow(first, boxes)
            detectors[precision] = detector
    found: dict[Precision, list[Detections]] = {precision: [] for precision in detectors}
    took: dict[Precision, list[float]] = {precision: [] for precision in detectors}
    truth: list[Detections] = []
    for image in chain([first], images):
        for precision, detector in detectors.items():
            begun = clock()
            what = detector.detect(image)
            took[precision].append(clock() - begun)
            found[precision].append(replace(what, masks=None))  # they would keep a look's features alive
        truth.append(found["f32"][-1] if careful is None else replace(careful.detect(image), masks=None))
    times = {precision: float(np.median(seconds)) * 1e3 for precision, seconds in took.items()}
    reached = {precision: _average_precisions(truth, finds) for precision, finds in found.items()}
    best = Choice("f32", times["f32"], times["f32"], 0.0)
    others: list[str] = []
    for precision in detectors:
        lost = 100 * float((reached["f32"] - reached[precision]).max())
        if precision != "f32":
            others.append(f"{precision}: {times[precision]:.0f} ms, {lost:.1f} AP lost")
        if lost < MOST_LOST and times[precision] < min(best.ms, _FASTER * times["f32"]):
            best = Choice(precision, times[precision], times["f32"], lost)
    return replace(best, others=", ".join(others) or "nothing else runs here")


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


def _average_precisions(truth: Sequence[Detections], found: Sequence[Detections]) -> F32:
    """(2,) float32 in [0, 1], by boxes and by keypoints; the latter 1 where there are none."""
    wanted = [one[one.scores >= _LEAST_SCORE] for one in truth]
    pairs = list(zip(wanted, found, strict=True))
    boxes = [iou(b.boxes, a.boxes) * (b.labels[:, None] == a.labels) for a, b in pairs]
    poses = [_alike(a, b) for a, b in pairs]
    likes = (boxes, [one for one in poses if one is not None])
    reached = [_average_precision(like, found) if len(like) == len(found) else 1.0 for like in likes]
    return np.array(reached, np.float32)


def _alike(wanted: Detections, found: Detections) -> F32 | None:
    """(N, M) how alike the poses of N finds and M wanted people are; None without COCO's keypoints."""
    a, b = found.keypoints, wanted.keypoints
    if a is None or b is None or a.shape[1] != len(KEYPOINTS) or b.shape[1] != len(KEYPOINTS):
        return None
    row, column = (index.ravel() for index in np.indices((len(a), len(b))))
    areas = (wanted.boxes[:, 2:] - wanted.boxes[:, :2]).prod(1)
    return pose_similarity(a[row], b[column], areas[column]).reshape(len(a), len(b)).astype(np.float32)


def _average_precision(alike: Sequence[F32], found: Sequence[Detections]) -> float:
    """Mean over COCO's ten thresholds, in [0, 1].

    Args:
        alike: of each image (N, M), how alike N finds and M that are wanted are.
        found: of each image, with N scores.
    """
    total = sum(one.shape[1] for one in alike)
    if not total:
        return 1.0
    scores = np.concatenate([one.scores for one in found])
    order = np.argsort(-scores, kind="stable")
    values = []
    for least in _IOUS:
        hits = np.concatenate([_hits(a, b.scores, float(least)) for a, b in zip(alike, found, strict=True)])
        hits = hits[order]
        reached = np.cumsum(hits) / total
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        best = np.maximum.accumulate(precision[::-1])[::-1]
        at = np.searchsorted(reached, np.linspace(0, 1, 101) - 1e-9)
        values.append(float(np.append(best, 0)[at].mean()))
    return float(np.mean(values))


def _hits(alike: F32, scores: F32, least: float) -> F32:
    """(N,) 1 for each find that is somebody wanted, whom no better one is."""
    hits, free = np.zeros(len(scores), np.float32), alike.copy()
    for row in np.argsort(-scores, kind="stable") if free.size else ():
        column = int(free[row].argmax())
        if free[row, column] >= least:
            hits[row] = 1
            free[:, column] = 0
    return hits
