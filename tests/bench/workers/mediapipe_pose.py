"""MediaPipe Pose with its segmentation mask, as its own Python solution runs it on video."""

import time
from typing import Any

import cv2
import mediapipe as mp
from protocol import decoded, serve


def run(clip: str, frames: int) -> dict[str, Any]:
    """Landmarks and mask of one person in every frame: decode, detect or track, landmarks, mask."""
    options = {"model_complexity": 1, "enable_segmentation": True, "smooth_segmentation": True}
    with mp.solutions.pose.Pose(**options) as pose:
        done = found = 0
        started = time.perf_counter()
        for image in decoded(clip, frames):
            result = pose.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
            found += result.pose_landmarks is not None
            done += 1
        return {"seconds": time.perf_counter() - started, "frames": done, "people": found / max(done, 1)}


def about() -> dict[str, Any]:
    """Versions that go into the report."""
    return {"mediapipe": mp.__version__, "opencv": cv2.__version__}


if __name__ == "__main__":
    serve({"run": run, "about": about})
