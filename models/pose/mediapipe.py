"""MediaPipe's own PoseLandmarker as a pose estimator, from a ``.task`` file that the user has.

MediaPipe is an optional extra, imported only when such a model is asked for.
https://ai.google.dev/edge/mediapipe/solutions/vision/pose_landmarker
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SepcamError
from ..ops.roi import project, sample
from ..types import F32, U8, Part, Poses
from .blazepose import CROP, KEYPOINTS, SKELETON, nobody

PREFIX = "mediapipe:"
"""Of the names that mean a model of PoseLandmarker: ``mediapipe:FILE.task``."""

_PRESENT = 0.5
_EDGE = 1e-3  # masks come as probabilities, which become logits; this far from 0 and 1 at least


class MediaPipePose:
    """PoseLandmarker as a `types.PoseEstimator`. One thread at a time may use it.

    It looks for a person by itself, which it is made to do for one near person: so it gets an image of each
    person's region, not the whole one, and looks at one after the other.

    Args:
        file: a ``.task`` of PoseLandmarker, e.g. ``pose_landmarker_full.task``.

    Raises:
        SepcamError: If MediaPipe is not installed, or the file holds no such model.
    """

    parts: frozenset[Part] = frozenset(("pose", "segment"))

    def __init__(self, file: Path) -> None:
        self.name = f"{PREFIX}{file.name}"
        self.keypoint_names: Sequence[str] = KEYPOINTS
        self.skeleton: Sequence[tuple[int, int]] = SKELETON
        if not file.is_file():
            raise SepcamError(f"{file} is not a file: {PREFIX} takes a .task of MediaPipe's PoseLandmarker")
        try:
            import mediapipe
        except ImportError as error:
            raise SepcamError(f"{self.name} needs MediaPipe: pip install 'sepcam[mediapipe]'") from error
        self._mediapipe: Any = mediapipe
        self._model = file.read_bytes()
        self._landmarkers: dict[bool, Any] = {}
        self._landmarkers[False] = self._landmarker(masks=False)

    def estimate(self, image: U8, rois: F32, *, masks: bool) -> Poses:
        """Landmarks, and masks if asked for, of the person in each region.

        Args:
            image: (H, W, 3) uint8 BGR.
            rois: (N, 4) float32 regions, see ``landmarks``.
            masks: whether ``mask_logits`` are wanted.

        Returns:
            Poses; a keypoint's score is MediaPipe's visibility. Where it finds nobody, all scores and the
            presence are 0.
        """
        rois = np.asarray(rois, np.float32).reshape(-1, 4)
        if masks not in self._landmarkers:
            self._landmarkers[masks] = self._landmarker(masks=masks)
        poses = nobody(masks, rois)
        crops = np.empty((len(rois), CROP, CROP, 3), np.uint8)
        sample(image, rois, crops)
        for row, crop in enumerate(crops):
            self._look(self._landmarkers[masks], crop, row, poses)
        poses.keypoints[..., :2] = project(poses.keypoints[..., :2], rois, CROP)
        return poses

    def _look(self, landmarker: Any, crop: U8, row: int, poses: Poses) -> None:  # noqa: ANN401
        """Fills in one person, keypoints in pixels of the crop."""
        mp = self._mediapipe
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(crop[..., ::-1]))
        result = landmarker.detect(image)
        if not result.pose_landmarks:
            return
        points = [(p.x * CROP, p.y * CROP, p.visibility) for p in result.pose_landmarks[0]]
        poses.keypoints[row] = np.array(points, np.float32)
        poses.presence[row] = np.mean([p.presence for p in result.pose_landmarks[0]])
        if poses.mask_logits is not None and result.segmentation_masks:
            share = result.segmentation_masks[0].numpy_view().reshape(CROP, CROP).clip(_EDGE, 1 - _EDGE)
            poses.mask_logits[row] = np.log(share / (1 - share))

    def _landmarker(self, *, masks: bool) -> Any:  # noqa: ANN401
        vision = self._mediapipe.tasks.vision
        options = vision.PoseLandmarkerOptions(
            base_options=self._mediapipe.tasks.BaseOptions(model_asset_buffer=self._model),
            min_pose_detection_confidence=_PRESENT,
            output_segmentation_masks=masks,
        )
        try:
            return _quiet_at_exit(vision.PoseLandmarker.create_from_options(options))
        except Exception as error:  # its reader meets other files with whatever comes up
            reason = " ".join(str(error).split())[:200]
            raise SepcamError(
                f"{self.name} is not a model of MediaPipe's PoseLandmarker: {reason}"
            ) from error


def _quiet_at_exit(landmarker: Any) -> Any:  # noqa: ANN401
    """The landmarker, which else prints a traceback where Python ends before it."""

    class Quiet(type(landmarker)):
        def __del__(self) -> None:
            try:  # noqa: SIM105 - contextlib may be gone by now
                self.close()
            except Exception:
                pass

    landmarker.__class__ = Quiet
    return landmarker
