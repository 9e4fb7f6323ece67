"""What a detector of the user's own returns is checked: a mistake in it is told in a line."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from .errors import SepcamError
from .types import U8, Detections


def check_returned(detector: Any, name: str) -> None:  # noqa: ANN401 - it is somebody else's
    """Make a detector check what it finds, where it takes attributes.

    Its ``detect`` then raises `SepcamError` if it returned something else than `Detections`, or boxes, scores
    or labels that cannot be.

    Args:
        detector: a `types.Detector`.
        name: by which the user named it.
    """
    detect: Callable[[U8], Detections] = detector.detect
    labels = len(detector.labels)

    def checked(image: U8) -> Detections:
        found = detect(image)
        wrong = _mistake(found, labels)
        if wrong is not None:
            raise SepcamError(f"the detector {name} is wrong: {wrong}")
        return found

    with suppress(AttributeError):
        detector.detect = checked


def _mistake(found: object, labels: int) -> str | None:
    """What is wrong with the objects of one image, or None."""
    if not isinstance(found, Detections):
        return f"detect must return Detections; got {type(found).__name__}"
    if not len(found):
        return None
    if not np.isfinite(found.boxes).all():
        return (
            f"boxes must be finite numbers; got {_numbers(found.boxes[~np.isfinite(found.boxes).all(1)][0])}"
        )
    turned = (found.boxes[:, 2:] < found.boxes[:, :2]).any(1)
    if turned.any():
        return f"boxes are x1 y1 x2 y2 in pixels; got {_numbers(found.boxes[turned][0])}"
    sure = (found.scores >= 0) & (found.scores <= 1)
    if not sure.all():
        return f"scores must lie between 0 and 1; got {_numbers(found.scores[~sure][:1])}"
    known = (found.labels >= 0) & (found.labels < labels)
    if not known.all() or found.labels.dtype.kind not in "iu":
        got = f"{_numbers(found.labels[np.argsort(known)][:1])} ({found.labels.dtype})"
        return f"labels must be whole numbers from 0 to {labels - 1}; got {got}"
    return None


def _numbers(values: np.ndarray) -> str:
    return " ".join(f"{value:g}" for value in values.tolist())
