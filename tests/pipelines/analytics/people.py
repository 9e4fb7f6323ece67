"""People who walk through frames of 320x240 pixels."""

from collections.abc import Sequence

import numpy as np
from sepcam.pipelines.analytics.watch import Watch
from sepcam.pipelines.events import Event
from sepcam.pipelines.types import Frame, FrameResult, Instances, ModelInfo

SIZE = (320, 240)
MODEL = ModelInfo(keypoint_names=("nose", "left_ankle", "right_ankle"))
Place = tuple[float, float] | None


def people(*places: Place, labels: Sequence[int] | None = None, ankles=None) -> Instances:
    """People with identities 1, 2, ... who stand at (x, y); None for one who is not seen.

    Args:
        labels: 0 for a person, 1 for a dog.
        ankles: (N, 2, 3) for the two ankles of each: x, y and score.
    """
    seen = [(i, place) for i, place in enumerate(places, 1) if place is not None]
    boxes = np.array([[x - 10, y - 60, x + 10, y] for _, (x, y) in seen], np.float32).reshape(-1, 4)
    n = len(seen)
    keypoints = None
    if ankles is not None:
        keypoints = np.zeros((n, 3, 3), np.float32)
        keypoints[:, 1:] = ankles
    return Instances(
        SIZE[::-1],
        boxes,
        np.ones(n, np.float32),
        np.zeros(n, np.int64) if labels is None else np.array(labels),
        ("person", "dog"),
        np.array([i for i, _ in seen], np.int64),
        keypoints=keypoints,
    )


def results(frames: Sequence[Instances], fps: float = 10.0) -> list[FrameResult]:
    """Frames with these people."""
    image = np.zeros((240, 320, 3), np.uint8)
    return [FrameResult(Frame(image, i, i / fps), found, model=MODEL) for i, found in enumerate(frames)]


def walk(watch: Watch, *places: Sequence[Place], fps: float = 10.0) -> list[Event]:
    """What happens at lines and zones while people walk from place to place, a frame each."""
    frames = results([people(*one) for one in places], fps)
    return [event for result in frames for event in watch.update(result).events if event.name]
